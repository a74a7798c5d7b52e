package filter

import "nstfilter/filter/engine"

// pyramid is a picture as a Laplacian pyramid (Burt and Adelson 1983): each level
// but the last holds what the next, enlarged, lacks. An optimiser that moves all
// levels alike paints large strokes as easily as fine ones (STROTSS, NNST).
type pyramid struct {
	sizes   []size
	offsets []int // of each level in the parameters; one more: their number
}

const pyramidLevels = 4

// newPyramid halves a size up to levels times, while its short side allows.
func newPyramid(s size, levels int) *pyramid {
	p := &pyramid{offsets: []int{0}}
	for {
		p.sizes = append(p.sizes, s)
		p.offsets = append(p.offsets, p.len()+3*s.pixels())
		if len(p.sizes) > levels || min(s.w, s.h) < engine.MinSide {
			return p
		}
		s = size{(s.w + 1) / 2, (s.h + 1) / 2}
	}
}

func (p *pyramid) len() int { return p.offsets[len(p.offsets)-1] }

// level is the part of the parameters that belongs to level i.
func (p *pyramid) level(params []float32, i int) []float32 {
	return params[p.offsets[i]:p.offsets[i+1]]
}

// views are the levels of a vector of parameters.
func (p *pyramid) views(ev engine.Evaluator, params engine.Vector) (levels []engine.Vector) {
	for i := range p.sizes {
		levels = append(levels, ev.View(params, p.offsets[i], p.offsets[i+1]-p.offsets[i]))
	}
	return levels
}

// split makes the levels of a picture.
func (p *pyramid) split(threads int, ev engine.Evaluator, levels []engine.Vector, pix []float32) {
	ev.Upload(levels[0], pix)
	for i, low := range levels[1:] {
		from, to := p.sizes[i], p.sizes[i+1]
		pix = resize(threads, pix, 3, from.w, from.h, to.w, to.h, bilinear)
		ev.Upload(low, pix)
		ev.Enlarge(levels[i], levels[i], -1, low, from.w, from.h)
	}
}

// join makes the picture x of at least two levels; it overwrites all of scratch but
// its first and last level.
func (p *pyramid) join(ev engine.Evaluator, x engine.Vector, levels, scratch []engine.Vector) {
	last := len(levels) - 1
	low := levels[last]
	for i := last - 1; i >= 0; i-- {
		out := x
		if i > 0 {
			out = scratch[i]
		}
		ev.Enlarge(out, levels[i], 1, low, p.sizes[i].w, p.sizes[i].h)
		low = out
	}
}

// gradient completes dJ/dparams, whose first level is dJ/dx: the transpose of join.
func (p *pyramid) gradient(ev engine.Evaluator, dlevels []engine.Vector) {
	for i := range len(dlevels) - 1 {
		ev.EnlargeAdjoint(dlevels[i+1], dlevels[i], p.sizes[i].w, p.sizes[i].h)
	}
}
