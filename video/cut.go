package video

import "nstfilter/filter"

const histogramBins = 16 // of each channel

// cut says in [0,1] how much a frame differs from the one before: the mean of the
// share of it that cannot be carried over, by trust, and of half the L1 distance of
// their histograms. A fade has the latter alone, a fast pan the former.
func cut(content, before *filter.Frame, trust []float32) float64 {
	var kept float64
	for _, v := range trust {
		kept += float64(v)
	}
	n := content.W * content.H
	var distance float64
	for p := range 3 {
		var bins [histogramBins]int
		for i := p * n; i < (p+1)*n; i++ {
			bins[bin(content.Pix[i])]++
			bins[bin(before.Pix[i])]--
		}
		for _, d := range bins {
			distance += float64(max(d, -d)) / float64(2*3*n)
		}
	}
	return (1 - kept/float64(n) + distance) / 2
}

func bin(v float32) int { return min(max(int(v*histogramBins), 0), histogramBins-1) }
