package coherence

import "nstfilter/filter"

// seam is the half width, in pixels, of the mean that softens a fill.
const fillBlurRadius = 4

// fill returns moved where trust is 1; where it is 0, content plus the difference
// of moved and content spread there from around: the colours of the style with the
// forms of what has come into sight. Planes are RGB.
func fillDisoccluded(mem *pool, moved, content, confidence []float32, w, h int) []float32 {
	out := make([]float32, len(moved))
	mem.bands(len(out), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = moved[i] - content[i]
		}
	})
	filter.Spread(out, confidence, w, h)
	mem.boxMean(out, out, w, h, fillBlurRadius)
	mem.bands(w*h, func(from, to int) {
		for i := from; i < to; i++ {
			t := confidence[i]
			for p := i; p < len(out); p += w * h {
				out[p] = t*moved[p] + (1-t)*min(max(content[p]+out[p], 0), 1)
			}
		}
	})
	return out
}
