package flow

import "nstfilter/filter"

// level is one size of a picture's luma, 0 … 255, and its derivatives; the luma's
// margin repeats its border, the derivatives' margins are zeros.
type level struct{ luma, dx, dy plane }

// pyramid is a picture's levels; level i has 1/2^i of its sides, rounded up, so
// that a pixel's centre x lies at 2x+½ in the level below. Those finer than the
// finest that flow is searched in have no derivatives.
type pyramid []level

func newPyramid(w, h, finest, coarsest int) pyramid {
	p := make(pyramid, coarsest+1)
	for i := range p {
		p[i].luma = newPlane(w, h)
		if i >= finest {
			p[i].dx, p[i].dy = newPlane(w, h), newPlane(w, h)
		}
		w, h = (w+1)/2, (h+1)/2
	}
	return p
}

// rowsPerBlock is how many rows of a level a worker takes at a time.
const rowsPerBlock = 16

func blocks(h int) int { return (h + rowsPerBlock - 1) / rowsPerBlock }

// rows are those of block i.
func rows(i, h int) (y0, y1 int) { return i * rowsPerBlock, min((i+1)*rowsPerBlock, h) }

// buildPyramid fills p from f.
func (e *Estimator) buildPyramid(p pyramid, f *filter.Frame) {
	e.build.frame, e.build.to = f, &p[0]
	e.crew.Run(blocks(f.H), e.build.takeLuma)
	for i := range p {
		e.build.to = &p[i]
		if i > 0 {
			e.build.from = &p[i-1]
			e.crew.Run(blocks(p[i].luma.h), e.build.halve)
		}
		if p[i].dx.data != nil {
			p[i].luma.extend()
			e.crew.Run(blocks(p[i].luma.h), e.build.differentiate)
		}
	}
}

// building is what the steps of building a pyramid work on.
type building struct {
	frame    *filter.Frame
	from, to *level

	takeLuma, halve, differentiate func(block int)
}

func (e *Estimator) bindBuilding() {
	b := &e.build
	b.takeLuma = func(i int) {
		y0, y1 := rows(i, b.frame.H)
		e.kernels.luma(&b.to.luma, b.frame.Pix, y0, y1)
	}
	b.halve = func(i int) {
		y0, y1 := rows(i, b.to.luma.h)
		e.kernels.halve(&b.to.luma, &b.from.luma, y0, y1)
	}
	b.differentiate = func(i int) {
		y0, y1 := rows(i, b.to.luma.h)
		e.kernels.differentiate(b.to, y0, y1)
	}
}

// luma is BT.601's Y of a planar RGB picture in [0,1], times 255.
func (goKernels) luma(dst *plane, pix []float32, y0, y1 int) {
	n := dst.w * dst.h
	for y := y0; y < y1; y++ {
		r, g, b := pix[y*dst.w:], pix[n+y*dst.w:], pix[2*n+y*dst.w:]
		for x := range dst.row(y) {
			dst.row(y)[x] = 255*0.299*r[x] + 255*0.587*g[x] + 255*0.114*b[x]
		}
	}
}

// halve averages 2×2 samples of src; an odd side's last ones are repeated.
func (goKernels) halve(dst, src *plane, y0, y1 int) {
	for y := y0; y < y1; y++ {
		d, a, b := dst.row(y), src.row(2*y), src.clampedRow(2*y+1)
		for x := range d {
			l, r := 2*x, min(2*x+1, src.w-1)
			d[x] = (a[l] + a[r] + b[l] + b[r]) / 4
		}
	}
}

// differentiate takes the luma's central differences, of the mean of the rows above
// and below, or the columns beside. On Middlebury's pairs the flow's ends then came
// a fifth nearer than with plain central differences or Sobel's.
func (goKernels) differentiate(l *level, y0, y1 int) {
	for y := y0; y < y1; y++ {
		dx, dy := l.dx.row(y), l.dy.row(y)
		at := l.luma.at(-1, y)
		a, b := l.luma.data[at-l.luma.stride:], l.luma.data[at+l.luma.stride:]
		for x := range dx {
			fall, rise := b[x+2]-a[x], a[x+2]-b[x]
			dx[x], dy[x] = (fall+rise)/4, (fall-rise)/4
		}
	}
}
