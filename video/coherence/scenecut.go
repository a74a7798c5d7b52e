package coherence

import (
	"math"
	"sync"

	"nstfilter/filter"
)

const histogramBins = 16 // of each channel

// histogram counts the samples of each channel in each bin.
type histogram [3][histogramBins]int

// frameDifference returns in [0,1] how much a frame differs from those before: the mean
// of the share of its pixels that they do not show and of the histograms' distance. A
// fast pan raises only the share, a fade only the distance, a cut both.
func frameDifference(unmatched, distance float64) float64 { return (unmatched + distance) / 2 }

// distance is half the L1 distance of the histograms of two frames of n pixels, in
// [0,1].
func (h *histogram) distance(before *histogram, n int) (d float64) {
	for p, bins := range h {
		for i, b := range bins {
			b -= before[p][i]
			d += float64(max(b, -b)) / float64(2*3*n)
		}
	}
	return d
}

// ColourDistance is half the L1 distance of the shares that each of 16 levels of R, G and B has in
// two pictures, in [0,1].
func ColourDistance(a, b *filter.Frame) (d float64) {
	mem := newPool(0)
	x, y := newHistogram(mem, a.Pix), newHistogram(mem, b.Pix)
	for p := range x {
		for i := range x[p] {
			d += math.Abs(float64(x[p][i])/float64(len(a.Pix))-float64(y[p][i])/float64(len(b.Pix))) / 2
		}
	}
	return d
}

// newHistogram counts the samples of three planes.
func newHistogram(mem *pool, pix []float32) (h histogram) {
	n := len(pix) / 3
	var sum sync.Mutex
	mem.bands(n, func(from, to int) {
		var part histogram
		for p := range part {
			for _, v := range pix[p*n+from : p*n+to] {
				part[p][histogramBin(v)]++
			}
		}
		sum.Lock()
		defer sum.Unlock()
		for p := range part {
			for i, k := range part[p] {
				h[p][i] += k
			}
		}
	})
	return h
}

// newHistogram8 is newHistogram for the samples of an olderFrame.
func newHistogram8(mem *pool, pix []uint8) (h histogram) {
	n := len(pix) / 3
	mem.bands(3, func(from, to int) {
		for p := from; p < to; p++ {
			var counts [256]int
			for _, b := range pix[p*n : (p+1)*n] {
				counts[b]++
			}
			for b, k := range counts {
				h[p][histogramBin(float32(b)/255)] += k
			}
		}
	})
	return h
}

func histogramBin(v float32) int { return min(max(int(v*histogramBins), 0), histogramBins-1) }
