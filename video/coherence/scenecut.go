package coherence

import "sync"

const histogramBins = 16 // of each channel

// cut says in [0,1] how much a frame differs from those before: the mean of the
// share of it that they do not show, and of its distance. A fade has the latter
// alone, a fast pan the former.
func frameDifference(unseen, distance float64) float64 { return (unseen + distance) / 2 }

// histogram is how many samples of each channel lie in each bin.
type histogram [3][histogramBins]int

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

func newHistogram(mem *pool, pix []float32) (h histogram) {
	n := len(pix) / 3
	var sum sync.Mutex
	mem.bands(n, func(from, to int) {
		var part histogram
		for p := range part {
			for _, v := range pix[p*n+from : p*n+to] {
				part[p][bin(v)]++
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

// histogramOfBytes takes samples as past has them.
func histogramOfBytes(mem *pool, pix []uint8) (h histogram) {
	n := len(pix) / 3
	mem.bands(3, func(from, to int) {
		for p := from; p < to; p++ {
			var all [256]int
			for _, b := range pix[p*n : (p+1)*n] {
				all[b]++
			}
			for b, k := range all {
				h[p][bin(float32(b)/255)] += k
			}
		}
	})
	return h
}

func bin(v float32) int { return min(max(int(v*histogramBins), 0), histogramBins-1) }
