package filter

import "nstfilter/filter/parallel"

// Spread fills the holes of planes, each h rows of w: a sample of weight 1 stays, one of
// weight 0 is interpolated from its surroundings, and weights between mix the two. It is
// the push-pull pyramid of Gortler, Grzeszczuk, Szeliski and Cohen (SIGGRAPH 1996, section
// 3.4). It uses as many threads as runtime.GOMAXPROCS says.
func Spread(planes, weight []float32, w, h int) { pushPull(0, planes, weight, w, h) }

func pushPull(threads int, planes, weight []float32, w, h int) {
	if max(w, h) == 1 {
		return
	}
	n, lw, lh := w*h, (w+1)/2, (h+1)/2
	low, seen := make([]float32, len(planes)/n*lw*lh), make([]float32, lw*lh)
	parallel.For(threads, lh, func(_, y int) {
		for x := range lw {
			var total float32
			for j := 2 * y; j < min(2*y+2, h); j++ {
				for i := 2 * x; i < min(2*x+2, w); i++ {
					total += weight[j*w+i]
				}
			}
			seen[y*lw+x] = min(total, 1)
			if total <= 1e-6 {
				continue
			}
			for p := range len(planes) / n {
				var sum float32
				for j := 2 * y; j < min(2*y+2, h); j++ {
					for i := 2 * x; i < min(2*x+2, w); i++ {
						sum += weight[j*w+i] * planes[p*n+j*w+i]
					}
				}
				low[(p*lh+y)*lw+x] = sum / total
			}
		}
	})
	pushPull(threads, low, seen, lw, lh)
	parallel.For(threads, h, func(_, y int) {
		for x := range w {
			wt := weight[y*w+x]
			if !(wt < 1) {
				continue
			}
			for p := range len(planes) / n {
				d := &planes[p*n+y*w+x]
				*d = wt**d + (1-wt)*sampleBilinear(low[p*lw*lh:], lw, lh, float32(x)/2-0.25, float32(y)/2-0.25)
			}
		}
	})
}

// sampleBilinear samples a plane at (x, y); outside it the border is replicated.
func sampleBilinear(plane []float32, w, h int, x, y float32) float32 {
	x, y = min(max(x, 0), float32(w-1)), min(max(y, 0), float32(h-1))
	i, j := int(x), int(y)
	right, below := min(i+1, w-1), min(j+1, h-1)*w
	a, b := x-float32(i), y-float32(j)
	top := plane[j*w+i] + a*(plane[j*w+right]-plane[j*w+i])
	bottom := plane[below+i] + a*(plane[below+right]-plane[below+i])
	return top + b*(bottom-top)
}
