package video

import "nstfilter/filter"

const histogramBins = 16 // of each channel

// cut says in [0,1] how much a frame differs from those before: the mean of the
// share of it that they do not show, and of its distance. A fade has the latter
// alone, a fast pan the former.
func cut(unseen, distance float64) float64 { return (unseen + distance) / 2 }

// distance is half the L1 distance of two frames' histograms, in [0,1].
func distance(content, before *filter.Frame) (d float64) {
	n := content.W * content.H
	for p := range 3 {
		var bins [histogramBins]int
		for i := p * n; i < (p+1)*n; i++ {
			bins[bin(content.Pix[i])]++
			bins[bin(before.Pix[i])]--
		}
		for _, b := range bins {
			d += float64(max(b, -b)) / float64(2*3*n)
		}
	}
	return d
}

func bin(v float32) int { return min(max(int(v*histogramBins), 0), histogramBins-1) }
