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
	for y := range h {
		runningMean(scratch[y*w:], plane[y*w:], w, 1, r)
	}
	for x := range w {
		runningMean(plane[x:], scratch[x:], h, w, r)
	}
}

func runningMean(dst, src []float32, n, step, r int) {
	var sum float64
	for i := range min(r, n) {
		sum += float64(src[i*step])
	}
	for i := range n {
		if i+r < n {
			sum += float64(src[(i+r)*step])
		}
		if i-r > 0 {
			sum -= float64(src[(i-r-1)*step])
		}
		dst[i*step] = float32(sum / float64(min(i+r, n-1)-max(i-r, 0)+1))
	}
}
