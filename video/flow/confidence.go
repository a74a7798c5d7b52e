package flow

import "nstfilter/filter/parallel"

// Where flow forth and back disagrees, or changes abruptly, something is hidden or
// comes into sight, and nothing can be handed on there: Sundaram, Brox, Keutzer,
// ECCV 2010, as used by Ruder, Dosovitskiy, Brox, GCPR 2016, eqs. 1 and 2.
const (
	occludedPart, occludedFloor = 0.01, 0.5   // |f+b|² > 0.01 (|f|²+|b|²) + 0.5
	boundaryPart, boundaryFloor = 0.01, 0.002 // |∇f|² > 0.01 |f|² + 0.002
	ramp                        = 2           // from trust to none: bound/ramp … bound
	softening                   = 2           // pixels on either side that confidence is averaged over
)

// Confidence is how far field's flow can be trusted at each pixel, in [0,1]: H
// rows of W, into dst where it has that length. back is the flow the other way,
// between the same pictures; same, where it is not nil, how far what the flow leads
// to looks the same: there an abrupt change is no reason for doubt.
//
// It is 0 in what the two tests of Sundaram et al. exclude and where the flow
// leaves the picture, 1 where both tests' left sides are below half of their right
// ones, linear between; then, as masks of film were found to need, the least over
// 3×3 pixels (an erosion), times the mean of that over 5×5.
func Confidence(dst []float32, field, back *Field, same []float32, threads int) []float32 {
	sameSize(field, back)
	w, h := field.W, field.H
	if len(dst) != w*h {
		dst = make([]float32, w*h)
	}
	raw := make([]float32, w*h)
	crew := parallel.NewCrew(threads)
	byRows := func(do func(y int)) {
		crew.Run(blocks(h), func(i int) {
			y0, y1 := rows(i, h)
			for y := y0; y < y1; y++ {
				do(y)
			}
		})
	}
	byRows(func(y int) {
		for x := range w {
			i := y*w + x
			raw[i] = field.returns(back, x, y)
			if raw[i] > 0 && (same == nil || same[i] < 1) {
				smooth := field.smooth(x, y)
				if same != nil {
					smooth = max(smooth, same[i])
				}
				raw[i] = min(raw[i], smooth)
			}
		}
	})
	byRows(func(y int) { erode(dst, raw, w, h, y) })
	byRows(func(y int) { meanAcross(raw, dst, w, y) })
	byRows(func(y int) { soften(dst, raw, w, h, y) })
	return dst
}

// trust is 0 from the bound on.
func trust(value, bound float32) float32 {
	left, all := bound-value, bound-bound/ramp
	switch {
	case left <= 0:
		return 0
	case left >= all:
		return 1
	}
	return left / all
}

// returns says how far what leaves (x, y) comes back to it.
func (f *Field) returns(back *Field, x, y int) float32 {
	u, v, known := f.At(x, y)
	tx, ty := float32(x)+u, float32(y)+v
	if !known || !inside(tx, ty, f.W, f.H) {
		return 0
	}
	bu, bv, known := back.Sample(tx, ty)
	if !known {
		return 0
	}
	return trust((u+bu)*(u+bu)+(v+bv)*(v+bv), occludedPart*(u*u+v*v+bu*bu+bv*bv)+occludedFloor)
}

// smooth says how far (x, y) is from being a boundary of motions.
func (f *Field) smooth(x, y int) float32 {
	i := y*f.W + x
	u, v := f.U[i], f.V[i]
	// Central differences; at the border they take the pixel itself.
	l, r := i-min(x, 1), i+min(f.W-1-x, 1)
	a, b := i-min(y, 1)*f.W, i+min(f.H-1-y, 1)*f.W
	dx, dy := 1/float32(max(r-l, 1)), 1/float32(max((b-a)/f.W, 1))
	ux, vx := (f.U[r]-f.U[l])*dx, (f.V[r]-f.V[l])*dx
	uy, vy := (f.U[b]-f.U[a])*dy, (f.V[b]-f.V[a])*dy
	return trust(ux*ux+uy*uy+vx*vx+vy*vy, boundaryPart*(u*u+v*v)+boundaryFloor)
}

// inside is true where a picture can be sampled, to half a pixel beyond its
// outermost samples.
func inside(x, y float32, w, h int) bool {
	return x >= -0.5 && y >= -0.5 && x <= float32(w)-0.5 && y <= float32(h)-0.5
}

// Sample is the flow at a point, bilinearly; the border's goes on outside. It is
// known where all four are that it lies between.
func (f *Field) Sample(x, y float32) (u, v float32, known bool) {
	x, y = min(max(x, 0), float32(f.W-1)), min(max(y, 0), float32(f.H-1))
	i, j := int(x), int(y)
	a, b := x-float32(i), y-float32(j)
	p := j*f.W + i
	q, r := p+min(f.W-1-i, 1), min(f.H-1-j, 1)*f.W
	if !isKnown(f.U[p], f.V[p]) || !isKnown(f.U[q], f.V[q]) || !isKnown(f.U[p+r], f.V[p+r]) || !isKnown(f.U[q+r], f.V[q+r]) {
		return 0, 0, false
	}
	return mix(f.U[p], f.U[q], f.U[p+r], f.U[q+r], a, b), mix(f.V[p], f.V[q], f.V[p+r], f.V[q+r], a, b), true
}

// mix is bilinear between four samples, a to the right and b down.
func mix(topLeft, topRight, bottomLeft, bottomRight, a, b float32) float32 {
	top := topLeft + a*(topRight-topLeft)
	bottom := bottomLeft + a*(bottomRight-bottomLeft)
	return top + b*(bottom-top)
}

// erode takes the least over 3×3 pixels, for row y.
func erode(dst, src []float32, w, h, y int) {
	row := func(y int) []float32 { return src[y*w : (y+1)*w] }
	above, at, below := row(max(y-1, 0)), row(y), row(min(y+1, h-1))
	least := func(x int) float32 { return min(above[x], at[x], below[x]) }
	before, now := least(0), least(0)
	for x := range w {
		next := least(min(x+1, w-1))
		dst[y*w+x] = min(before, now, next)
		before, now = now, next
	}
}

// meanAcross takes the mean over 5 pixels of row y.
func meanAcross(dst, src []float32, w, y int) {
	row := src[y*w : (y+1)*w]
	for x := range w {
		lo, hi := max(x-softening, 0), min(x+softening, w-1)
		var sum float32
		for _, v := range row[lo : hi+1] {
			sum += v
		}
		dst[y*w+x] = sum / float32(hi-lo+1)
	}
}

// soften multiplies row y of m by the mean over 5 rows of means, from meanAcross.
func soften(m, means []float32, w, h, y int) {
	lo, hi := max(y-softening, 0), min(y+softening, h-1)
	for x := range w {
		var sum float32
		for j := lo; j <= hi; j++ {
			sum += means[j*w+x]
		}
		m[y*w+x] *= sum / float32(hi-lo+1)
	}
}
