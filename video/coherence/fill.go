package coherence

import "nstfilter/filter"

// fillBlurRadius is the half width, in pixels, of the mean that softens a fill's edge.
const fillBlurRadius = 4

// fillDisoccluded returns warped where confidence is 1. Where it is 0 it returns content
// plus the difference of warped and content, spread there from around: the style's
// colours on the shapes of what has come into sight. Pictures are RGB planes.
func fillDisoccluded(mem *pool, warped, content, confidence []float32, w, h int) []float32 {
	out := make([]float32, len(warped))
	mem.bands(len(out), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = warped[i] - content[i]
		}
	})
	filter.Spread(out, confidence, w, h)
	mem.boxMean(out, out, w, h, fillBlurRadius)
	mem.bands(w*h, func(from, to int) {
		for i := from; i < to; i++ {
			c := confidence[i]
			for p := i; p < len(out); p += w * h {
				out[p] = c*warped[p] + (1-c)*min(max(content[p]+out[p], 0), 1)
			}
		}
	})
	return out
}
