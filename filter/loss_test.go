package filter

import (
	"math"
	"testing"
)

// Two channels on a 2×2 grid, one row per channel. By hand:
//
//	Gram(S) = [[1+4+0+1, 1·0+2·1+0·2+1·1], …] = [[6, 3], [3, 6]]
//	Gram(G) = [[4, 2], [2, 3]]
//	Gram(S) − Gram(G) = [[2, 1], [1, 3]], squared and summed: 4+1+1+9 = 15
var (
	handS = [2][4]float64{{1, 2, 0, 1}, {0, 1, 2, 1}}
	handG = [2][4]float64{{2, 0, 0, 0}, {1, 1, 1, 0}}
)

func gramOverP(a [2][4]float64) []float32 {
	out := make([]float32, 4)
	for i := range 2 {
		for j := range 2 {
			for p := range 4 {
				out[i*2+j] += float32(a[i][p] * a[j][p] / 4)
			}
		}
	}
	return out
}

func TestStyleLossByHand(t *testing.T) {
	gl := gramLoss{congruence: congruence(nil)}
	grad := make([]float32, 4)
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	// 1/(2·n_h·n_w·n_c)² ‖Gram(S) − Gram(G)‖² = 15/(2·2·2·2)² = 15/256
	check(t, "Gatys eq. 4", gl.at(&plain, gramOverP(handS), gramOverP(handG), grad, 1), 15.0/256)
	// dJ/d(Gram(G)/P) = −1/(2·4)·Δ, Δ = [[2,1],[1,3]]/4
	for i, want := range []float64{-2.0 / 32, -1.0 / 32, -1.0 / 32, -3.0 / 32} {
		check(t, "dJ/dGram", float64(grad[i]), want)
	}
	// With M = [[2,1],[1,1]]: MΔ = [[5,5],[3,4]]/4, tr(MΔMΔ) = (25+5·3+3·5+16)/16 = 71/16;
	// teacher's n_c = 3, s = 1.5: 1.5/(4·9)·71/16.
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	check(t, "metric", gl.at(&metric, gramOverP(handS), gramOverP(handG), grad, 1), 1.5/36*71/16)
	// MΔM = [[5,5],[3,4]]·[[2,1],[1,1]]/4 = [[15,10],[10,7]]/4, times −1.5/(2·9)
	for i, want := range []float64{15, 10, 10, 7} {
		check(t, "metric dJ/dGram", float64(grad[i]), -1.5/18*want/4)
	}
	check(t, "energy", gl.energy(&plain, gramOverP(handS)), (36.0+9+9+36)/256)
}

func TestContentLossByHand(t *testing.T) {
	// Δa = G − S: rows {1,−2,0,−1}, {1,0,−1,−1}: ‖Δa‖² = 6+3 = 9
	plain := layer{c: 2, n: 2, sCon: 1}
	check(t, "½‖Δa‖²", contentFactor(&plain, "sum", 4)*9, 4.5)
	check(t, "‖Δa‖²/(2 P n_c)", contentFactor(&plain, "mean", 4)*9, 9.0/16)
	// M = [[2,1],[1,1]]: Σ Δaᵀ M Δa = 2·6 + 2·(1+0+0+1) + 3 = 19; c = 2, n_c = 3
	metric := layer{c: 2, n: 3, sCon: 2, metric: []float32{2, 1, 1, 1}}
	check(t, "metric content", contentFactor(&metric, "mean", 4)*19, 2.0/(2*4*3)*19)
}

func check(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: got %.9g, want %.9g", what, got, want)
	}
}
