package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// Differences of light, mean over 5×5 pixels and three channels, in units of a
// sample's range, from which and up to which a flow is trusted less: below lie
// noise and a fade, above is another thing.
const lightLow, lightHigh = 0.06, 0.14

// The same of single pixels' differences, noise and all, for a flow that is guessed.
const detailLow, detailHigh = 0.04, 0.08

// mismatch is how what f leads to in before differs from content, in RGB planes,
// which are the desk's.
func (d *desk) mismatch(content, before *filter.Frame, f *flow.Field) []float32 {
	off := d.take(len(content.Pix))
	d.warper.Warp(off, before.Pix, f, nil)
	d.bands(len(off), func(from, to int) {
		for i := from; i < to; i++ {
			off[i] -= content.Pix[i]
		}
	})
	return off
}

// trustLight lessens trust where what the flow leads to looks different by off,
// which it changes: flow that agrees both ways can be wrong both ways.
func (d *desk) trustLight(trust, off []float32, w, h int) {
	d.lessen(trust, off, w, h, lightLow, lightHigh) // of signed means: noise cancels out in them
}

// trustDetail lessens trust where off is large, of whatever sign.
func (d *desk) trustDetail(trust, off []float32, w, h int) {
	size := d.take(len(off))
	d.bands(len(off), func(from, to int) {
		for i := from; i < to; i++ {
			size[i] = magnitude(off[i])
		}
	})
	d.lessen(trust, size, w, h, detailLow, detailHigh)
	d.leave(size)
}

// lessen takes trust away where the mean of off over 5×5 pixels and three channels
// lies between low and high, and beyond all of it. off becomes that mean.
func (d *desk) lessen(trust, off []float32, w, h int, low, high float32) {
	d.boxMean(off, off, w, h, 2)
	n := w * h
	d.bands(n, func(from, to int) {
		r, g, b := planes(off, n, from, to)
		for i, t := range trust[from:to] {
			mean := (magnitude(r[i]) + magnitude(g[i]) + magnitude(b[i])) / 3
			if left := high - mean; left <= 0 {
				trust[from+i] = 0
			} else if left < high-low {
				trust[from+i] = t * (left / (high - low))
			}
		}
	})
}

func magnitude(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }
