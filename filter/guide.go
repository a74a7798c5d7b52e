package filter

import (
	"time"

	"nstfilter/filter/engine"
)

// Guide says where an optimisation starts and what its result should stay near.
// Every squared temporal term folds into one prior with one weight per pixel, so
// the filter itself has no notion of time. The zero Guide is a single picture.
type Guide struct {
	Start       *Frame    // nil: by Options.Init, coarse to fine; else one scale from here
	Margin      []float32 // what lies around Start: the Margin of its Report; nil: its reflection
	New         []float32 // how much of Start is not yet painted, in [0,1], H rows of W; nil: nothing
	Prior       *Frame    // nil: none
	PriorWeight []float32 // H rows of W; nil: 1 everywhere
	Shares      []float64 // of the styles, in their order, which add up to 1; nil: Options.StyleBlendWeights
	Began       time.Time // when the work on this frame did, for Options.Deadline; zero: with Paint
}

// worthCoarse is the share of a picture that has to be new before it is painted
// coarse to fine: below it are the seams around what moves.
const worthCoarse = 0.002

// coarse lists the sizes that new areas of Start are painted at before s: at full
// size alone they stay photo.
func (g *Guide) coarse(s size) []size {
	total := float32(0)
	for _, v := range g.New {
		total += v
	}
	if total == 0 || total < worthCoarse*float32(len(g.New)) {
		return nil
	}
	return coarser(s)
}

// coarser lists the sizes that can come before s. A quarter of it is enough; a half
// beside that costs twice as much and changes nothing that can be measured.
func coarser(s size) (sizes []size) {
	if low := s.times(0.25); min(low.w, low.h) >= engine.MinSide {
		sizes = append(sizes, low)
	}
	return sizes
}

// fresh is New at a size, wholly new where it is half new: a bare seam shows.
func (g *Guide) fresh(s size) []float32 {
	out := resize(g.New, 1, g.Start.W, g.Start.H, s.w, s.h, bilinear)
	for i, v := range out {
		out[i] = min(2*v, 1)
	}
	return out
}
