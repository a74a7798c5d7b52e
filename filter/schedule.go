package filter

import (
	"math"

	"nstfilter/filter/engine"
)

type size struct{ w, h int }

func (s size) pixels() int { return s.w * s.h }

// times scales both sides, rounding; no side falls below one pixel.
func (s size) times(k float64) size {
	return size{max(1, int(math.Round(float64(s.w)*k))), max(1, int(math.Round(float64(s.h)*k)))}
}

// within returns s, shrunk so that its longest side is at most longest.
func (s size) within(longest int) size {
	if m := max(s.w, s.h); m > longest {
		return s.times(float64(longest) / float64(m))
	}
	return s
}

// half returns half of s, rounded up.
func (s size) half() size { return size{(s.w + 1) / 2, (s.h + 1) / 2} }

// scaleStep is about the ratio of each scale to the one before.
var scaleStep = math.Sqrt(3)

// scales returns the sizes at which a picture is painted, coarse to fine: the short side grows
// from low to its full length by a constant ratio of about scaleStep.
func scales(full size, low int) []size {
	var out []size
	short := float64(min(full.w, full.h))
	if from := float64(max(low, engine.MinSide)); low > 0 && from < short {
		n := math.Round(math.Log(short/from) / math.Log(scaleStep))
		for k := range int(n) {
			out = append(out, full.times(math.Pow(from/short, 1-float64(k)/n)))
		}
	}
	return append(out, full)
}

// stage is the optimiser's work at one size.
type stage struct {
	size
	network     *network
	steps       int     // at most
	content, tv float64 // weights
	later       bool    // starts from the previous result
	lbfgs       bool
	pyramid     bool
	first       float64 // RMS of L-BFGS's first step, in units of a sample's range
	finished    bool    // ends with the colours of the style
}

// firstFrameSteps is how many steps like those of the frames that follow end a film's first
// frame, at most: about as many as change it visibly.
const firstFrameSteps = 12

// stages returns the stages of a picture without a Start. A film's first frame ends with a
// stage like those of later frames.
func (f *Filter) stages(full size) (out []stage) {
	o := &f.o
	for i, s := range scales(full, o.MinSize) {
		first := 0.05
		if i > 0 {
			first = 0.01 // large strokes exist already, and a long step leaves dots
		}
		out = append(out, stage{size: s, network: f.network, steps: o.Iterations.at(i), content: o.ContentWeight.at(i), tv: o.TVWeight.at(i),
			lbfgs: o.Optimizer == "lbfgs", pyramid: o.Parameters == "pyramid", first: first})
	}
	last := &out[len(out)-1]
	last.network, last.finished = f.lastNetwork, true
	if f.Film { // else the next frames would go on changing it
		st := f.laterStage(full)
		st.steps = min(2*st.steps, firstFrameSteps)
		out = append(out, st)
	}
	return out
}

// laterStage returns the stage of a frame that starts from the previous result. It is by
// L-BFGS, of which every step lowers J, and its first step is short because the strokes exist
// already.
func (f *Filter) laterStage(full size) stage {
	o := &f.o
	i := len(scales(full, o.MinSize)) - 1
	return stage{size: full, network: f.lastNetwork, steps: o.FrameIterations, content: o.ContentWeight.at(i), tv: o.TVWeight.at(i),
		later: true, lbfgs: true, first: 0.002, finished: true}
}

// pairs is the length of L-BFGS's history.
func (s *stage) pairs() int { return max(1, min(s.steps, lbfgsPairs)) }

// cost is the number of pixels that the optimiser evaluates.
func (s *stage) cost() float64 { return float64(s.pixels()) * float64(s.steps) }

// compared returns the sizes, with margin, at which a picture of size s is compared with the
// style: its own and its halves, as long as they have a weight and a style layer within
// Options.LayerReach.
func (n *network) compared(s size) []size {
	out := []size{s.grow(n.o.Margin)}
	for range len(n.o.StyleSizes) - 1 {
		half := out[len(out)-1].half()
		if min(half.w, half.h) < engine.MinSide || len(n.styleLayersAt(s, len(out))) == 0 {
			break
		}
		out = append(out, half)
	}
	return out
}
