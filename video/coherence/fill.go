package coherence

import "nstfilter/filter"

// seam is the half width, in pixels, of the mean that softens a fill.
const seam = 4

// fill returns moved where trust is 1; where it is 0, content plus the difference
// of moved and content spread there from around: the colours of the style with the
// forms of what has come into sight. Planes are RGB.
func (d *desk) fill(moved, content, trust []float32, w, h int) []float32 {
	out := make([]float32, len(moved))
	d.bands(len(out), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = moved[i] - content[i]
		}
	})
	filter.Spread(out, trust, w, h)
	d.boxMean(out, out, w, h, seam)
	d.bands(w*h, func(from, to int) {
		for i := from; i < to; i++ {
			t := trust[i]
			for p := i; p < len(out); p += w * h {
				out[p] = t*moved[p] + (1-t)*min(max(content[p]+out[p], 0), 1)
			}
		}
	})
	return out
}
