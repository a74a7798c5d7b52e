package coherence

import (
	"math"

	"nstfilter/video/flow"
)

const (
	energyRadius  = 4     // half width, in pixels, of the squares that detail is measured in
	maxDetailGain = 1.25  // by which one frame's detail is amplified at most
	keptEnergy    = 0.997 // of its energy: painting adds a little detail at each frame
)

// sharpen gives a result that was moved along f the detail that it had: what
// interpolation takes at each frame adds up to a blur. Its finest band, what a
// 3×3 mean leaves out, is amplified until its energy around a pixel is what it was
// where the pixel came from, and not above: that would add up to noise.
func restoreDetail(mem *pool, moved, result []float32, f *flow.Field) {
	n := f.W * f.H
	band, full := mem.get(3*n), mem.get(3*n)
	had, has, came := mem.get(n), mem.get(n), mem.get(n)
	detailEnergy(mem, had, band, result, f.W, f.H)
	detailEnergy(mem, has, band, moved, f.W, f.H)
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				came[i] = had[nearestPixel(f, x, y)]
				gain := float32(0) // beside 1
				if share := keptEnergy * float64(came[i]/max(has[i], 1e-12)); share > 1 {
					gain = float32(min(math.Sqrt(share), maxDetailGain) - 1)
				}
				for p := i; p < 3*n; p += n {
					full[p] = moved[p] + gain*band[p]
				}
			}
		}
	})
	// What was added has detail of its own, and all of it may be too much: energy
	// is convex in the part that is added.
	would := had
	detailEnergy(mem, would, band, full, f.W, f.H)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			part := min(max((keptEnergy*came[i]-has[i])/max(would[i]-has[i], 1e-12), 0), 1)
			for p := i; p < 3*n; p += n {
				moved[p] = min(max(moved[p]+part*(full[p]-moved[p]), 0), 1)
			}
		}
	})
	mem.put(band, full, had, has, came)
}

// energy is the mean square, around each pixel, of the finest band of a picture of
// three planes; it leaves the band itself in band.
func detailEnergy(mem *pool, dst, band, pix []float32, w, h int) {
	mem.boxMean(band, pix, w, h, 1)
	n := w * h
	mem.bands(n, func(from, to int) {
		dst := dst[from:to]
		clear(dst)
		for p := 0; p < 3*n; p += n {
			pix, band := pix[p+from:p+to], band[p+from:p+to]
			for i, v := range pix {
				v -= band[i]
				band[i] = v
				dst[i] += v * v
			}
		}
	})
	mem.boxMean(dst, dst, w, h, energyRadius)
}
