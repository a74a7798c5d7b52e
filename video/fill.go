package video

// seam is the half width, in pixels, of the mean that softens a fill.
const seam = 4

// fill returns moved where trust is 1; where it is 0, content plus the difference
// of moved and content spread there from around: the colours of the style with the
// forms of what has come into sight. Planes are RGB.
func fill(moved, content, trust []float32, w, h int) []float32 {
	n := w * h
	out := make([]float32, len(moved))
	scratch := make([]float32, n)
	for p := range 3 {
		m, c, o := moved[p*n:(p+1)*n], content[p*n:(p+1)*n], out[p*n:(p+1)*n]
		for i := range o {
			o[i] = m[i] - c[i]
		}
		spread(o, trust, w, h)
		boxMean(o, scratch, w, h, seam)
		for i, t := range trust {
			o[i] = t*m[i] + (1-t)*min(max(c[i]+o[i], 0), 1)
		}
	}
	return out
}

// spread keeps d where its weight is 1 and replaces it, where that is 0, by what
// lies around, from the finest level of a pyramid that saw any: push and pull
// (Gortler, Grzeszczuk, Szeliski, Cohen, SIGGRAPH 1996, section 3.4).
func spread(d, weight []float32, w, h int) {
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
	spread(low, seen, lw, lh)
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
