package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// Differences of light, mean over 5×5 pixels and three channels, in units of a
// sample's range, from which and up to which a flow is trusted less: below lie
// noise and a fade, above is another thing.
const brightnessLow, brightnessHigh = 0.06, 0.14

// The same of single pixels' differences, noise and all, for a flow that is guessed.
const detailLow, detailHigh = 0.04, 0.08

// mismatch is how what f leads to in before differs from content, in RGB planes,
// which are the desk's.
func warpError(mem *pool, content, before *filter.Frame, f *flow.Field) []float32 {
	off := mem.get(len(content.Pix))
	mem.warper.Warp(off, before.Pix, f, nil)
	mem.bands(len(off), func(from, to int) {
		for i := from; i < to; i++ {
			off[i] -= content.Pix[i]
		}
	})
	return off
}

// trustLight lessens trust where what the flow leads to looks different by off,
// which it changes: flow that agrees both ways can be wrong both ways.
func checkBrightness(mem *pool, confidence, off []float32, w, h int) {
	attenuate(mem, confidence, off, w, h, brightnessLow, brightnessHigh) // of signed means: noise cancels out in them
}

// trustDetail lessens trust where off is large, of whatever sign.
func checkDetail(mem *pool, confidence, off []float32, w, h int) {
	size := mem.get(len(off))
	mem.bands(len(off), func(from, to int) {
		for i := from; i < to; i++ {
			size[i] = abs32(off[i])
		}
	})
	attenuate(mem, confidence, size, w, h, detailLow, detailHigh)
	mem.put(size)
}

// lessen takes trust away where the mean of off over 5×5 pixels and three channels
// lies between low and high, and beyond all of it. off becomes that mean.
func attenuate(mem *pool, confidence, off []float32, w, h int, low, high float32) {
	mem.boxMean(off, off, w, h, 2)
	n := w * h
	mem.bands(n, func(from, to int) {
		r, g, b := planes(off, n, from, to)
		for i, t := range confidence[from:to] {
			mean := (abs32(r[i]) + abs32(g[i]) + abs32(b[i])) / 3
			if left := high - mean; left <= 0 {
				confidence[from+i] = 0
			} else if left < high-low {
				confidence[from+i] = t * (left / (high - low))
			}
		}
	})
}

func abs32(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }
