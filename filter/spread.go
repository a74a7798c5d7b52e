package filter

// Spread keeps the plane d where its weight, in [0,1], is 1 and replaces it, where
// that is 0, by what lies around, from the finest level of a pyramid that saw any:
// push and pull (Gortler, Grzeszczuk, Szeliski, Cohen, SIGGRAPH 1996, section 3.4).
func Spread(d, weight []float32, w, h int) {
	if max(w, h) == 1 {
		return
	}
	lw, lh := (w+1)/2, (h+1)/2
	low, seen := make([]float32, lw*lh), make([]float32, lw*lh)
	for y := range lh {
		for x := range lw {
			var sum, total float32
			for j := 2 * y; j < min(2*y+2, h); j++ {
				for i := 2 * x; i < min(2*x+2, w); i++ {
					sum += weight[j*w+i] * d[j*w+i]
					total += weight[j*w+i]
				}
			}
			if total > 1e-6 {
				low[y*lw+x] = sum / total
			}
			seen[y*lw+x] = min(total, 1)
		}
	}
	Spread(low, seen, lw, lh)
	for y := range h {
		for x := range w {
			i := y*w + x
			if weight[i] < 1 {
				d[i] = weight[i]*d[i] + (1-weight[i])*between(low, lw, lh, float32(x)/2-0.25, float32(y)/2-0.25)
			}
		}
	}
}

// between samples a plane bilinearly; its border goes on outside.
func between(plane []float32, w, h int, x, y float32) float32 {
	x, y = min(max(x, 0), float32(w-1)), min(max(y, 0), float32(h-1))
	i, j := int(x), int(y)
	right, below := min(i+1, w-1), min(j+1, h-1)*w
	a, b := x-float32(i), y-float32(j)
	top := plane[j*w+i] + a*(plane[j*w+right]-plane[j*w+i])
	bottom := plane[below+i] + a*(plane[below+right]-plane[below+i])
	return top + b*(bottom-top)
}
