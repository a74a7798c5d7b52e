package filter

import "nstfilter/filter/engine"

// pyramid describes a picture as a Laplacian pyramid (Burt and Adelson 1983): each level but
// the last holds the difference from the next one, enlarged. Optimising all levels together
// moves coarse structure as easily as detail (STROTSS, NNST).
type pyramid struct {
	sizes   []size
	offsets []int // of each level in the parameters, then the number of parameters
}

const pyramidLevels = 4

// newPyramid halves a size up to levels times, while the short side is at least engine.MinSide.
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

// level returns level i of the parameters.
func (p *pyramid) level(params []float32, i int) []float32 {
	return params[p.offsets[i]:p.offsets[i+1]]
}

// views returns the levels of a vector of parameters.
func (p *pyramid) views(ev engine.Evaluator, params engine.Vector) (levels []engine.Vector) {
	for i := range p.sizes {
		levels = append(levels, ev.View(params, p.offsets[i], p.offsets[i+1]-p.offsets[i]))
	}
	return levels
}

// split writes the levels of the picture pix.
func (p *pyramid) split(threads int, ev engine.Evaluator, levels []engine.Vector, pix []float32) {
	ev.Upload(levels[0], pix)
	for i, low := range levels[1:] {
		from, to := p.sizes[i], p.sizes[i+1]
		pix = resize(threads, pix, 3, from.w, from.h, to.w, to.h, bilinear)
		ev.Upload(low, pix)
		ev.Enlarge(levels[i], levels[i], -1, low, from.w, from.h)
	}
}

// join writes the picture x from its levels, two or more. It overwrites all levels of scratch
// but the first and the last.
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

// gradient is the adjoint of join: dlevels[0] holds dJ/dx, and it writes the other levels of
// dJ/dparams.
func (p *pyramid) gradient(ev engine.Evaluator, dlevels []engine.Vector) {
	for i := range len(dlevels) - 1 {
		ev.EnlargeAdjoint(dlevels[i+1], dlevels[i], p.sizes[i].w, p.sizes[i].h)
	}
}
