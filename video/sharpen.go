package video

import (
	"math"

	"nstfilter/video/flow"
)

const (
	window  = 4     // half width, in pixels, of the squares that detail is measured in
	mostAid = 1.25  // by which one frame's detail is amplified at most
	kept    = 0.997 // of its energy: painting adds a little detail at each frame
)

// sharpen gives a result that was moved along f the detail that it had: what
// interpolation takes at each frame adds up to a blur. Its finest band, what a
// 3×3 mean leaves out, is amplified until its energy around a pixel is what it was
// where the pixel came from, and not above: that would add up to noise.
func sharpen(moved, result []float32, f *flow.Field) {
	n := f.W * f.H
	band, scratch := make([]float32, 3*n), make([]float32, n)
	had, has := energy(band, result, scratch, f.W, f.H), energy(band, moved, scratch, f.W, f.H)
	full := make([]float32, 3*n)
	bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				gain := math.Sqrt(kept * float64(had[nearest(f, x, y)]/max(has[i], 1e-12)))
				for p := i; p < 3*n; p += n {
					full[p] = moved[p] + float32(min(max(gain, 1), mostAid)-1)*band[p]
				}
			}
		}
	})
	// What was added has detail of its own, and all of it may be too much: energy
	// is convex in the part that is added.
	would := energy(band, full, scratch, f.W, f.H)
	bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				part := min(max((kept*had[nearest(f, x, y)]-has[i])/max(would[i]-has[i], 1e-12), 0), 1)
				for p := i; p < 3*n; p += n {
					moved[p] = min(max(moved[p]+part*(full[p]-moved[p]), 0), 1)
				}
			}
		}
	})
}

// energy is the mean square, around each pixel, of the finest band of a picture of
// three planes; it leaves the band itself in band.
func energy(band, pix, scratch []float32, w, h int) []float32 {
	n := w * h
	out := make([]float32, n)
	for p := range 3 {
		d := band[p*n : (p+1)*n]
		copy(d, pix[p*n:])
		boxMean(d, scratch, w, h, 1)
		for i, v := range d {
			d[i] = pix[p*n+i] - v
			out[i] += d[i] * d[i]
		}
	}
	boxMean(out, scratch, w, h, window)
	return out
}
