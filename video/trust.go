package video

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// Differences of light, mean over 5×5 pixels and three channels, in units of a
// sample's range, from which and up to which a flow is trusted less: below lie
// noise and a fade, above is another thing.
const lightLow, lightHigh = 0.06, 0.14

// trustLight lessens trust where what the flow leads to looks different: flow that
// agrees both ways can be wrong both ways.
func trustLight(trust []float32, content, before *filter.Frame, f *flow.Field, threads int) {
	n := f.W * f.H
	moved := make([]float32, 3*n)
	flow.Warp(moved, before.Pix, f, threads)
	off := make([]float32, 3*n)
	for i, v := range moved {
		off[i] = v - content.Pix[i]
	}
	// Signed means: noise cancels out in them.
	for p := range 3 {
		boxMean(off[p*n:(p+1)*n], moved[:n], f.W, f.H, 2)
	}
	for i := range trust {
		d := (magnitude(off[i]) + magnitude(off[n+i]) + magnitude(off[2*n+i])) / 3
		trust[i] *= min(max((lightHigh-d)/(lightHigh-lightLow), 0), 1)
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
