package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// A match loses confidence where the warp error, averaged over 5×5 pixels and three
// channels, lies between these bounds, and all of it above. Samples range from 0 to 1.
// Noise and fades stay below the lower bound; above the upper one is another object.
const brightnessLow, brightnessHigh = 0.06, 0.14

// The same bounds for the error's magnitude, which noise does not cancel out of.
const detailLow, detailHigh = 0.04, 0.08

// warpError returns the earlier frame, warped along f, minus content: RGB planes from
// the pool.
func warpError(mem *pool, content, before *filter.Frame, f *flow.Field) []float32 {
	diff := mem.get(len(content.Pix))
	mem.warper.Warp(diff, before.Pix, f, nil)
	mem.bands(len(diff), func(from, to int) {
		for i := from; i < to; i++ {
			diff[i] -= content.Pix[i]
		}
	})
	return diff
}

// checkBrightness lowers confidence where the mean of diff is large: flows that agree
// in both directions can be wrong in both. It overwrites diff.
func checkBrightness(mem *pool, confidence, diff []float32, w, h int) {
	attenuate(mem, confidence, diff, w, h, brightnessLow, brightnessHigh)
}

// checkDetail lowers confidence where the mean magnitude of diff is large.
func checkDetail(mem *pool, confidence, diff []float32, w, h int) {
	size := mem.get(len(diff))
	mem.bands(len(diff), func(from, to int) {
		for i := from; i < to; i++ {
			size[i] = abs32(diff[i])
		}
	})
	attenuate(mem, confidence, size, w, h, detailLow, detailHigh)
	mem.put(size)
}

// attenuate scales confidence by a ramp that is 1 where the error, averaged over 5×5
// pixels and three channels, is at most low, and 0 where it is high or more. It
// overwrites diff with its mean over 5×5 pixels.
func attenuate(mem *pool, confidence, diff []float32, w, h int, low, high float32) {
	mem.boxMean(diff, diff, w, h, 2)
	n := w * h
	mem.bands(n, func(from, to int) {
		r, g, b := diff[from:to], diff[n+from:n+to], diff[2*n+from:2*n+to]
		for i, c := range confidence[from:to] {
			mean := (abs32(r[i]) + abs32(g[i]) + abs32(b[i])) / 3
			if left := high - mean; left <= 0 {
				confidence[from+i] = 0
			} else if left < high-low {
				confidence[from+i] = c * (left / (high - low))
			}
		}
	})
}

func abs32(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }
