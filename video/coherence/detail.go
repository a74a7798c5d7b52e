package coherence

import (
	"math"

	"nstfilter/video/flow"
)

const (
	energyRadius  = 4     // half width, in pixels, of the squares that energy is averaged over
	maxDetailGain = 1.25  // of the finest band, in one frame
	keptEnergy    = 0.997 // share of the energy to restore: painting adds some in each frame
)

// restoreDetail gives a result that was warped along f the detail that interpolation
// took, which would add up to a blur over many frames. It amplifies the finest band,
// the difference from a mean over 3×3 pixels, until its local energy is what it was
// where the pixel came from. It adds no more than that: noise would build up.
func restoreDetail(mem *pool, warped, result []float32, f *flow.Field) {
	n := f.W * f.H
	band, sharp := mem.get(3*n), mem.get(3*n)
	before, after, wanted := mem.get(n), mem.get(n), mem.get(n)
	detailEnergy(mem, before, band, result, f.W, f.H)
	detailEnergy(mem, after, band, warped, f.W, f.H)
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				wanted[i] = before[nearestPixel(f, x, y)]
				gain := float32(0) // above 1
				if ratio := keptEnergy * float64(wanted[i]/max(after[i], 1e-12)); ratio > 1 {
					gain = float32(min(math.Sqrt(ratio), maxDetailGain) - 1)
				}
				for p := i; p < 3*n; p += n {
					sharp[p] = warped[p] + gain*band[p]
				}
			}
		}
	})
	// The gain varies from pixel to pixel, which makes detail too, so that sharp may
	// have too much. Energy is convex along the line from warped to sharp: by linear
	// interpolation the result has at most the energy wanted.
	sharpEnergy := before
	detailEnergy(mem, sharpEnergy, band, sharp, f.W, f.H)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			part := min(max((keptEnergy*wanted[i]-after[i])/max(sharpEnergy[i]-after[i], 1e-12), 0), 1)
			for p := i; p < 3*n; p += n {
				warped[p] = min(max(warped[p]+part*(sharp[p]-warped[p]), 0), 1)
			}
		}
	})
	mem.put(band, sharp, before, after, wanted)
}

// detailEnergy writes into dst the local mean square of the finest band of pix, over
// its three planes, and into band the band itself.
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
