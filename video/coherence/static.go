package coherence

import "nstfilter/video/flow"

const (
	maxStaticFlow  = 0.25 // pixels: error of the flow of something that does not move
	maxStaticMean  = 0.02 // pixels: error of its mean over a quarter of the picture
	minStaticShare = 0.3  // of each quarter that must not move if the camera does not
)

// zeroStatic returns a copy of f that is zero on static objects if the camera is static.
// Sensor noise gives an estimated flow hundredths of a pixel there, and to resample a
// result by them for minutes blurs it and makes it crawl. A camera that pans or zooms
// very slowly has a mean flow that noise has not; then zeroStatic changes nothing.
func zeroStatic(f *flow.Field) *flow.Field {
	f = f.Clone()
	static := func(i int) bool {
		u, v := f.U[i], f.V[i]
		return u*u+v*v < maxStaticFlow*maxStaticFlow
	}
	for q := range 4 {
		x0, x1 := f.W*(q%2)/2, f.W*(q%2+1)/2
		y0, y1 := f.H*(q/2)/2, f.H*(q/2+1)/2
		var u, v, n float64
		for y := y0; y < y1; y++ {
			for i := y*f.W + x0; i < y*f.W+x1; i++ {
				if static(i) {
					u, v, n = u+float64(f.U[i]), v+float64(f.V[i]), n+1
				}
			}
		}
		if n <= minStaticShare*float64((x1-x0)*(y1-y0)) || u*u+v*v > maxStaticMean*maxStaticMean*n*n {
			return f
		}
	}
	for i := range f.U {
		if static(i) {
			f.U[i], f.V[i] = 0, 0
		}
	}
	return f
}
