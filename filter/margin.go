package filter

import "nstfilter/filter/parallel"

// Zero padding makes a network paint a frame along the border. So the picture is optimised
// inside a margin of its reflection, which is cropped in the end. The margin has little
// weight in the losses: with full weight it comes out darker or paler than the picture, and
// the picture the other way.

// marginWeight is the weight of a pixel of the margin; one of the picture has 1.
const marginWeight = 0.01

// grow returns s with a margin of m pixels on all sides.
func (s size) grow(m int) size { return size{s.w + 2*m, s.h + 2*m} }

// mirror surrounds a picture of size s by m pixels of its reflection.
func mirror(threads int, pix []float32, planes int, s size, m int) []float32 {
	if m == 0 {
		return pix
	}
	g := s.grow(m)
	out := make([]float32, planes*g.pixels())
	parallel.For(threads, planes*g.h, func(_, at int) {
		p, y := at/g.h, at%g.h
		in := pix[p*s.pixels()+reflect(y-m, s.h)*s.w:][:s.w]
		row := out[at*g.w:][:g.w]
		copy(row[m:], in)
		for x := range m {
			row[x], row[m+s.w+x] = in[reflect(x-m, s.w)], in[reflect(s.w+x, s.w)]
		}
	})
	return out
}

// marginMask returns the weights of a picture of size s with its margin; mask has the
// weights of the picture, nil for 1. It returns nil if all weights are 1.
func marginMask(threads int, mask []float32, s size, m int) []float32 {
	if m == 0 {
		return mask
	}
	if mask == nil {
		mask = make([]float32, s.pixels())
		for i := range mask {
			mask[i] = 1
		}
	}
	out := mirror(threads, mask, 1, s, m)
	forMargin(threads, 1, s, m, func(at, _ int) { out[at] *= marginWeight })
	return out
}

// mirrorWith is mirror for three planes, with a difference from marginDifference added to the
// reflection.
func mirrorWith(threads int, pix []float32, s size, m int, difference []float32) []float32 {
	out := mirror(threads, pix, 3, s, m)
	if len(difference) > 0 {
		forMargin(threads, 3, s, m, func(at, i int) { out[at] = min(max(out[at]+difference[i], 0), 1) })
	}
	return out
}

// marginDifference returns the margin of three planes minus the picture's reflection.
func marginDifference(threads int, grown []float32, s size, m int) []float32 {
	if m == 0 {
		return nil
	}
	g := s.grow(m)
	out := make([]float32, 3*(g.pixels()-s.pixels()))
	forMargin(threads, 3, s, m, func(at, i int) {
		x, y := at%g.w, at/g.w%g.h
		inside := at + (m+reflect(y-m, s.h)-y)*g.w + m + reflect(x-m, s.w) - x
		out[i] = grown[at] - grown[inside]
	})
	return out
}

// forMargin calls do, in parallel, for every sample of the margin around planes of size s:
// at is its position in the planes with margin, i its number among the margin's samples.
func forMargin(threads, planes int, s size, m int, do func(at, i int)) {
	g := s.grow(m)
	parallel.For(threads, planes*g.h, func(_, row int) {
		plane, y := row/g.h, row%g.h-m
		above := plane*s.h + min(max(y, 0), s.h) // rows of the pictures
		left, pictured := g.w, above*s.w
		if y >= 0 && y < s.h {
			left = m
		}
		for at := row * g.w; at < row*g.w+left; at++ {
			do(at, at-pictured)
		}
		for at := row*g.w + left + s.w; at < (row+1)*g.w; at++ {
			do(at, at-pictured-s.w)
		}
	})
}

// reflect maps i into [0,n) by reflection at the edges: −1 to 0, n to n−1.
func reflect(i, n int) int {
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// crop is the inverse of mirror: it returns the picture of size s inside its margin, in pix's
// memory.
func crop(pix []float32, planes int, s size, m int) []float32 {
	if m == 0 {
		return pix
	}
	g := s.grow(m)
	out := pix[:0] // rows move towards the front
	for p := range planes {
		for y := range s.h {
			out = append(out, pix[p*g.pixels()+(y+m)*g.w+m:][:s.w]...)
		}
	}
	return out
}
