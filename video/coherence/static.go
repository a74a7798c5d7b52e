package coherence

import "nstfilter/video/flow"

const (
	maxStaticFlow  = 0.25 // pixels that the flow of what stands still may be off
	maxStaticMean  = 0.02 // pixels that its mean over a quarter of the picture may be
	minStaticShare = 0.3  // share of each quarter that has to stand still
)

// standStill returns a copy of f that is zero where a standing camera sees a standing thing.
// Sensor noise moves an estimated flow by hundredths of a pixel, and to resample a
// result by these for minutes blurs it and makes it crawl. A camera that pans or
// zooms ever so slowly has means that noise has not: it is left alone.
func zeroStatic(f *flow.Field) *flow.Field {
	f = f.Clone()
	still := func(i int) bool {
		u, v := f.U[i], f.V[i]
		return u*u+v*v < maxStaticFlow*maxStaticFlow
	}
	for q := range 4 {
		x0, x1 := f.W*(q%2)/2, f.W*(q%2+1)/2
		y0, y1 := f.H*(q/2)/2, f.H*(q/2+1)/2
		var u, v, n float64
		for y := y0; y < y1; y++ {
			for i := y*f.W + x0; i < y*f.W+x1; i++ {
				if still(i) {
					u, v, n = u+float64(f.U[i]), v+float64(f.V[i]), n+1
				}
			}
		}
		if n <= minStaticShare*float64((x1-x0)*(y1-y0)) || u*u+v*v > maxStaticMean*maxStaticMean*n*n {
			return f
		}
	}
	for i := range f.U {
		if still(i) {
			f.U[i], f.V[i] = 0, 0
		}
	}
	return f
}
