package filter

import "nstfilter/filter/parallel"

// A network that sees zeros outside the picture paints a frame along its border.
// So a margin of the mirrored picture is painted along, and cropped in the end. It
// hardly counts in the losses: a margin that did would come out darker or paler than the
// picture, which had to make up for it.

// marginWeight is what a pixel of the margin counts beside one of the picture.
const marginWeight = 0.01

// grow is s with a margin of m pixels on all sides.
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

// marginMask says how much each pixel of a picture of size s and its margin counts; mask
// is the picture's, nil where all of it does. nil: all count alike.
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
	outside(threads, 1, s, m, func(at, _ int) { out[at] *= marginWeight })
	return out
}

// surround is mirror for a picture of three planes, with around, from surroundings,
// in place of its reflection.
func surround(threads int, pix []float32, s size, m int, around []float32) []float32 {
	out := mirror(threads, pix, 3, s, m)
	if len(around) > 0 {
		outside(threads, 3, s, m, func(at, i int) { out[at] = min(max(out[at]+around[i], 0), 1) })
	}
	return out
}

// surroundings is how the margin of a picture of three planes differs from the
// picture's reflection.
func surroundings(threads int, grown []float32, s size, m int) []float32 {
	if m == 0 {
		return nil
	}
	g := s.grow(m)
	out := make([]float32, 3*(g.pixels()-s.pixels()))
	outside(threads, 3, s, m, func(at, i int) {
		x, y := at%g.w, at/g.w%g.h
		inside := at + (m+reflect(y-m, s.h)-y)*g.w + m + reflect(x-m, s.w) - x
		out[i] = grown[at] - grown[inside]
	})
	return out
}

// outside calls do, in parallel, for every sample of the margin around planes of
// size s: where it is, and its number among them.
func outside(threads, planes int, s size, m int, do func(at, i int)) {
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

// reflect brings i into [0,n) by reflection at the edges, −1 to 0 and n to n−1.
func reflect(i, n int) int {
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// crop is the inverse of mirror: the picture of size s inside its margin. It
// takes pix for it.
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
