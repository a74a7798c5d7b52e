package flow

import "nstfilter/filter/parallel"

// BoxMean takes the means of src's planes, each of h rows of w, over squares of 2r+1,
// cut off at the border. dst may be src; scratch is a plane.
func BoxMean(dst, src, scratch []float32, w, h, r, threads int) {
	boxMeanBy(fastest(), dst, src, scratch, w, h, r, threads)
}

func boxMeanBy(k kernels, dst, src, scratch []float32, w, h, r, threads int) {
	crew := parallel.NewCrew(threads)
	for p := 0; p < len(src); p += w * h {
		d, s := dst[p:p+w*h], src[p:p+w*h]
		crew.Run(blocks(h), func(i int) {
			y0, y1 := rows(i, h)
			k.boxAcross(scratch[y0*w:y1*w], s[y0*w:y1*w], w, r)
		})
		crew.Run((w+columns-1)/columns, func(i int) {
			k.boxDown(d, scratch, w, r, i*columns, min((i+1)*columns, w))
		})
	}
}

// boxAcross takes the means over 2r+1 samples of each row of w.
func (goKernels) boxAcross(dst, src []float32, w, r int) {
	for at := 0; at < len(src); at += w {
		d, s := dst[at:at+w], src[at:at+w]
		var sum float64
		for i := range min(r, w) {
			sum += float64(s[i])
		}
		for i := range w {
			if i+r < w {
				sum += float64(s[i+r])
			}
			if i-r > 0 {
				sum -= float64(s[i-r-1])
			}
			d[i] = float32(sum / boxSide(i, w, r))
		}
	}
}

// boxDown takes the means over 2r+1 samples of columns x0 … x1−1.
func (goKernels) boxDown(dst, src []float32, w, r, x0, x1 int) {
	h := len(src) / w
	sums := make([]float64, x1-x0)
	row := func(p []float32, y int) []float32 { return p[y*w+x0 : y*w+x1] }
	for y := range min(r, h) {
		for k, v := range row(src, y) {
			sums[k] += float64(v)
		}
	}
	for y := range h {
		if y+r < h {
			for k, v := range row(src, y+r) {
				sums[k] += float64(v)
			}
		}
		if y-r > 0 {
			for k, v := range row(src, y-r-1) {
				sums[k] -= float64(v)
			}
		}
		side, d := boxSide(y, h, r), row(dst, y)
		for k, sum := range sums {
			d[k] = float32(sum / side)
		}
	}
}

// boxSide is how many of n samples lie within r of sample i.
func boxSide(i, n, r int) float64 { return float64(min(i+r, n-1) - max(i-r, 0) + 1) }
