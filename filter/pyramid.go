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

func (p *pyramid) up(low []float32, i int) []float32 {
	from, to := p.sizes[i+1], p.sizes[i]
	return resize(low, 3, from.w, from.h, to.w, to.h, bilinear)
}

// split writes the parameters of a picture.
func (p *pyramid) split(params, pix []float32) {
	for i := range p.sizes {
		level := p.level(params, i)
		copy(level, pix)
		if i+1 == len(p.sizes) {
			return
		}
		from, to := p.sizes[i], p.sizes[i+1]
		pix = resize(pix, 3, from.w, from.h, to.w, to.h, bilinear)
		axpy(level, -1, p.up(pix, i))
	}
}

// join returns the picture of the parameters.
func (p *pyramid) join(params []float32) []float32 {
	last := len(p.sizes) - 1
	pix := append([]float32(nil), p.level(params, last)...)
	for i := last - 1; i >= 0; i-- {
		pix = p.up(pix, i)
		axpy(pix, 1, p.level(params, i))
	}
	return pix
}

// gradient writes dJ/dparams from dJ/dpix: the transpose of join.
func (p *pyramid) gradient(dparams, dpix []float32) {
	for i := range p.sizes {
		copy(p.level(dparams, i), dpix)
		if i+1 < len(p.sizes) {
			low, high := p.sizes[i+1], p.sizes[i]
			dpix = resizeAdjoint(dpix, 3, low.w, low.h, high.w, high.h, bilinear)
		}
	}
}
