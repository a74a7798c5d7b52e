package enginetest

import (
	"fmt"
	"math"
	"testing"

	"nstfilter/filter/engine"
)

// enlargements include single rows, odd sides, and rows longer than any block.
var enlargements = [][2]int{{1, 1}, {2, 1}, {1, 3}, {3, 2}, {4, 5}, {17, 16}, {33, 18}, {34, 51}, {1027, 9}, {1030, 4}}

// testEnlarge compares with bilinear interpolation in float64, and the adjoint by
// ⟨E·low, d⟩ = ⟨low, Eᵀd⟩ and element by element.
func testEnlarge(t *testing.T, e engine.Engine) {
	ev := compile(t, e, callSpec())
	defer ev.Close()
	for _, size := range enlargements {
		w, h := size[0], size[1]
		n, m := (w+1)/2, (h+1)/2
		t.Run(fmt.Sprintf("%d×%d", w, h), func(t *testing.T) {
			r := random(uint64(w*h + h))
			low, base, d := normal(r, 3*n*m, 1), normal(r, 3*w*h, 1), normal(r, 3*w*h, 1)
			const a = -.7
			enlarged, adjoint := make([]float64, len(base)), make([]float64, len(low))
			for p := range 3 {
				for y := range h {
					for x := range w {
						i := (p*h+y)*w + x
						bilinear(x, y, w, h, func(lx, ly int, weight float64) {
							k := (p*m+ly)*n + lx
							enlarged[i] += weight * float64(low[k])
							adjoint[k] += weight * float64(d[i])
						})
					}
				}
			}
			want := make([]float64, len(base))
			for i := range want {
				want[i] = float64(base[i]) + a*enlarged[i]
			}
			// Views of longer vectors: what lies beside them must stay.
			out := upload(ev, append(append([]float32{8}, base...), 9))
			dst, lowv := ev.View(out, 1, len(base)), upload(ev, low)
			ev.Enlarge(dst, upload(ev, base), a, lowv, w, h)
			near(t, "Enlarge", download(ev, dst), narrow(want), vectorTolerance)
			ev.Upload(dst, base)
			ev.Enlarge(dst, dst, a, lowv, w, h)
			near(t, "Enlarge in place", download(ev, dst), narrow(want), vectorTolerance)

			dlow := upload(ev, append(append([]float32{8}, low...), 9))
			ev.EnlargeAdjoint(ev.View(dlow, 1, len(low)), upload(ev, d), w, h)
			near(t, "EnlargeAdjoint", download(ev, dlow)[1:len(low)+1], narrow(adjoint), vectorTolerance)
			for _, v := range []engine.Vector{out, dlow} {
				if all := download(ev, v); all[0] != 8 || all[len(all)-1] != 9 {
					t.Errorf("wrote beyond the view: %g before, %g after", all[0], all[len(all)-1])
				}
			}
		})
	}
}

// bilinear visits the samples of a picture of ⌈w/2⌉×⌈h/2⌉ that make up pixel x, y
// of its enlargement to w×h: the picture's edge is repeated, centres coincide.
func bilinear(x, y, w, h int, visit func(x, y int, weight float64)) {
	n, m := (w+1)/2, (h+1)/2
	px := (float64(x)+.5)*float64(n)/float64(w) - .5
	py := (float64(y)+.5)*float64(m)/float64(h) - .5
	x0, y0 := math.Floor(px), math.Floor(py)
	fx, fy := px-x0, py-y0
	for k := range 4 {
		dx, dy := k%2, k/2
		weight := math.Abs(float64(1-dx)-fx) * math.Abs(float64(1-dy)-fy)
		visit(min(max(int(x0)+dx, 0), n-1), min(max(int(y0)+dy, 0), m-1), weight)
	}
}
