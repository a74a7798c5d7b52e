package engine

import "math"

// EnlargeTaps returns the weights of samples i/2−1, i/2 and i/2+1 of a row of ⌈n/2⌉ in sample i
// of the row of n that it is enlarged to, bilinearly and aligned at the samples' centres.
// Their sum is 1; they are 0 beyond the row's ends.
func EnlargeTaps(i, n int) (t [3]float64) {
	m := (n + 1) / 2
	at := (float64(i)+0.5)*float64(m)/float64(n) - 0.5
	at = min(max(at, 0), float64(m-1))
	for k := range t {
		t[k] = max(0, 1-math.Abs(float64(i/2-1+k)-at))
	}
	return t
}

// Enlarge is Evaluator.Enlarge for vectors in Go's memory.
func Enlarge(dst, base []float32, a float64, low []float32, w, h int) {
	checkEnlargement(len(low), len(dst), w, h)
	checkEnlargement(len(low), len(base), w, h)
	sum := make([]float64, len(dst))
	eachEnlarged(w, h, func(high, lower int, weight float64) { sum[high] += weight * float64(low[lower]) })
	for i, s := range sum {
		dst[i] = float32(float64(base[i]) + a*s)
	}
}

// EnlargeAdjoint is Evaluator.EnlargeAdjoint for vectors in Go's memory.
func EnlargeAdjoint(dlow, d []float32, w, h int) {
	checkEnlargement(len(dlow), len(d), w, h)
	sum := make([]float64, len(dlow))
	eachEnlarged(w, h, func(high, lower int, weight float64) { sum[lower] += weight * float64(d[high]) })
	for i, s := range sum {
		dlow[i] = float32(s)
	}
}

// eachEnlarged visits the weights that are not 0.
func eachEnlarged(w, h int, visit func(high, lower int, weight float64)) {
	n, m := (w+1)/2, (h+1)/2
	for row := range 3 * h {
		plane, y := row/h, row%h
		for ky, wy := range EnlargeTaps(y, h) {
			if wy == 0 {
				continue
			}
			from := (plane*m + y/2 - 1 + ky) * n
			for x := range w {
				for kx, wx := range EnlargeTaps(x, w) {
					if wx != 0 {
						visit(row*w+x, from+x/2-1+kx, wy*wx)
					}
				}
			}
		}
	}
}

func checkEnlargement(low, high, w, h int) {
	if high != 3*w*h || low != 3*((w+1)/2)*((h+1)/2) {
		panic("engine: vectors that are not a picture and its enlargement")
	}
}
