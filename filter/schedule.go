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

// within shrinks s until its longest side is at most longest.
func (s size) within(longest int) size {
	if m := max(s.w, s.h); m > longest {
		return s.times(float64(longest) / float64(m))
	}
	return s
}

// half is s as evaluators halve a picture.
func (s size) half() size { return size{(s.w + 1) / 2, (s.h + 1) / 2} }

// scaleStep is about how much larger each scale of a picture is than the one before.
var scaleStep = math.Sqrt(3)

// scales lists the sizes at which a picture is painted, coarse to fine: the short side
// from low up to its own in equal steps of about scaleStep.
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
	later       bool    // begins from the result before
	lbfgs       bool
	pyramid     bool
	first       float64 // RMS of L-BFGS's first step, in units of a sample's range
	finished    bool    // the picture gets the colours of the style
}

// stages plans a picture of a size from scratch; a film's first frame ends with steps like
// those of the frames that follow.
func (f *Filter) stages(full size) (out []stage) {
	o := &f.o
	for i, s := range scales(full, o.MinSize) {
		first := 0.05
		if i > 0 {
			first = 0.01 // large strokes are there already, and a long step leaves dots
		}
		out = append(out, stage{size: s, network: f.paints, steps: o.Iterations.at(i), content: o.ContentWeight.at(i), tv: o.TVWeight.at(i),
			lbfgs: o.Optimizer == "lbfgs", pyramid: o.Parameters == "pyramid", first: first})
	}
	last := &out[len(out)-1]
	last.network, last.finished = f.last, true
	if f.Film { // what the next frames would change of it by and by
		st := f.laterStage(full)
		st.steps *= 2
		out = append(out, st)
	}
	return out
}

// laterStage plans one that begins from the result before: every step has to lower J,
// and the forms are there already.
func (f *Filter) laterStage(full size) stage {
	o := &f.o
	i := len(scales(full, o.MinSize)) - 1
	return stage{size: full, network: f.last, steps: o.FrameIterations, content: o.ContentWeight.at(i), tv: o.TVWeight.at(i),
		later: true, lbfgs: true, first: 0.002, finished: true}
}

// pairs is how many steps L-BFGS remembers.
func (s *stage) pairs() int { return max(1, min(s.steps, lbfgsHistory)) }

// cost of a stage, in pixels that the optimiser evaluates.
func (s *stage) cost() float64 { return float64(s.pixels()) * float64(s.steps) }

// compared lists the sizes, margins included, at which a picture of size s is compared
// with the style: its own and as many halves as have a weight and layers that reach no
// farther than they may.
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
