package video

import "nstfilter/filter"

// seam is the half width, in pixels, of the mean that softens a fill.
const seam = 4

// fill returns moved where trust is 1; where it is 0, content plus the difference
// of moved and content spread there from around: the colours of the style with the
// forms of what has come into sight. Planes are RGB.
func fill(moved, content, trust []float32, w, h int) []float32 {
	n := w * h
	out := make([]float32, len(moved))
	bands(3, func(from, to int) {
		scratch := make([]float32, n)
		for p := from; p < to; p++ {
			m, c, o := moved[p*n:(p+1)*n], content[p*n:(p+1)*n], out[p*n:(p+1)*n]
			for i := range o {
				o[i] = m[i] - c[i]
			}
			filter.Spread(o, trust, w, h)
			boxMean(o, scratch, w, h, seam)
			for i, t := range trust {
				o[i] = t*m[i] + (1-t)*min(max(c[i]+o[i], 0), 1)
			}
		}
	})
	return out
}
