package video

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// Differences of light, mean over 5×5 pixels and three channels, in units of a
// sample's range, from which and up to which a flow is trusted less: below lie
// noise and a fade, above is another thing.
const lightLow, lightHigh = 0.06, 0.14

// The same of single pixels' differences, noise and all, for a flow that is guessed.
const detailLow, detailHigh = 0.04, 0.08

// mismatch is how what f leads to in before differs from content, in RGB planes.
func mismatch(content, before *filter.Frame, f *flow.Field, threads int) []float32 {
	off := make([]float32, len(content.Pix))
	flow.Warp(off, before.Pix, f, threads)
	for i, v := range content.Pix {
		off[i] -= v
	}
	return off
}

// trustLight lessens trust where what the flow leads to looks different by off,
// which it changes: flow that agrees both ways can be wrong both ways.
func trustLight(trust, off []float32, w, h int) {
	lessen(trust, off, w, h, lightLow, lightHigh) // of signed means: noise cancels out in them
}

// trustDetail lessens trust where off is large, of whatever sign.
func trustDetail(trust, off []float32, w, h int) {
	size := make([]float32, len(off))
	for i, v := range off {
		size[i] = magnitude(v)
	}
	lessen(trust, size, w, h, detailLow, detailHigh)
}

// lessen takes trust away where the mean of off over 5×5 pixels and three channels
// lies between low and high, and beyond all of it. off becomes that mean.
func lessen(trust, off []float32, w, h int, low, high float32) {
	n := w * h
	scratch := make([]float32, n)
	for p := range 3 {
		boxMean(off[p*n:(p+1)*n], scratch, w, h, 2)
	}
	for i := range trust {
		d := (magnitude(off[i]) + magnitude(off[n+i]) + magnitude(off[2*n+i])) / 3
		trust[i] *= min(max((high-d)/(high-low), 0), 1)
	}
}

func magnitude(v float32) float32 { return max(v, -v) }

// boxMean replaces a plane by its mean over squares of 2r+1, cut off at the border.
func boxMean(plane, scratch []float32, w, h, r int) {
	bands(h, func(from, to int) {
		for y := from; y < to; y++ {
			meanAlong(scratch[y*w:(y+1)*w], plane[y*w:(y+1)*w], r)
		}
	})
	bands(w, func(from, to int) {
		sums := make([]float64, to-from)
		add := func(y int, sign float64) {
			for i, v := range scratch[y*w+from : y*w+to] {
				sums[i] += sign * float64(v)
			}
		}
		for y := range min(r, h) {
			add(y, 1)
		}
		for y := range h {
			if y+r < h {
				add(y+r, 1)
			}
			if y-r > 0 {
				add(y-r-1, -1)
			}
			n := float64(min(y+r, h-1) - max(y-r, 0) + 1)
			out := plane[y*w+from : y*w+to]
			for i, sum := range sums {
				out[i] = float32(sum / n)
			}
		}
	})
}

func meanAlong(dst, src []float32, r int) {
	n := len(src)
	var sum float64
	for i := range min(r, n) {
		sum += float64(src[i])
	}
	for i := range n {
		if i+r < n {
			sum += float64(src[i+r])
		}
		if i-r > 0 {
			sum -= float64(src[i-r-1])
		}
		dst[i] = float32(sum / float64(min(i+r, n-1)-max(i-r, 0)+1))
	}
}
