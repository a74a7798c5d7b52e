package coherence

import (
	"nstfilter/filter"
	"nstfilter/filter/engine"
)

// fillBlurRadius is the half width, in pixels, of the mean that softens a fill's edge.
const fillBlurRadius = 4

// fillDisoccluded returns warped where confidence is 1. Where it is 0 it returns content
// plus the difference of warped and content, spread there from around: the style's
// colours on the shapes of what has come into sight. In each region it is spread from that
// region alone, for others are in other styles. warped is RGB planes of content's size.
func fillDisoccluded(mem *pool, warped []float32, content *filter.Frame, confidence []float32) []float32 {
	n := content.W * content.H
	var out []float32
	if len(content.Regions) == 0 {
		out = spreadDifference(mem, warped, content, confidence)
	} else {
		out = make([]float32, len(warped))
	}
	for _, region := range content.Regions {
		part := spreadDifference(mem, warped, content, engine.Product(confidence, region))
		mem.bands(n, func(from, to int) {
			for i := from; i < to; i++ {
				for p := i; p < len(out); p += n {
					out[p] += region[i] * part[p]
				}
			}
		})
	}
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			c := confidence[i]
			for p := i; p < len(out); p += n {
				out[p] = c*warped[p] + (1-c)*min(max(content.Pix[p]+out[p], 0), 1)
			}
		}
	})
	return out
}

// spreadDifference returns the difference of warped and content, spread from where weight is 1
// to where it is 0.
func spreadDifference(mem *pool, warped []float32, content *filter.Frame, weight []float32) []float32 {
	out := make([]float32, len(warped))
	mem.bands(len(out), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = warped[i] - content.Pix[i]
		}
	})
	filter.Spread(out, weight, content.W, content.H)
	mem.boxMean(out, out, content.W, content.H, fillBlurRadius)
	return out
}
