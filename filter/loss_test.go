package filter

import (
	"math"
	"testing"

	"nstfilter/filter/engine"
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

// fixedMoments is an evaluator of one tap whose moments are given. It keeps their gradient.
type fixedMoments struct {
	engine.Evaluator
	engine.Moments
	grad engine.Gradient
}

func (e *fixedMoments) Forward(engine.Vector) []engine.Moments { return []engine.Moments{e.Moments} }

func (e *fixedMoments) Backward(_ engine.Vector, g []engine.Gradient) { e.grad = g[0] }

// termAt evaluates a style term at moments on the host: its value and gradients.
func termAt(l *layer, t styleTarget, weight float64, means bool, gram, mean []float32) (value float64, dgram, dmean []float32) {
	term := styleTerm(l, t, weight, means)
	ev := &fixedMoments{Moments: engine.Moments{Gram: gram, Mean: mean}}
	j := engine.LossEvaluatorOf(ev)
	j.SetTerms([]engine.Term{term})
	j.EvaluateLoss(nil, nil, engine.PictureTerms{})
	v := j.Values()
	return term.Style/2*v.Style[0] + term.Mean/2*v.Mean[0], ev.grad.Gram, ev.grad.Mean
}

func TestStyleLossByHand(t *testing.T) {
	target := styleTarget{gram: gramOverP(handS)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	// 1/(2·n_h·n_w·n_c)² ‖Gram(S) − Gram(G)‖² = 15/(2·2·2·2)² = 15/256
	value, dgram, _ := termAt(&plain, target, 1, false, gramOverP(handG), nil)
	check(t, "Gatys eq. 4", value, 15.0/256)
	// dJ/d(Gram(G)/P) = −1/(2·4)·Δ, Δ = [[2,1],[1,3]]/4
	for i, want := range []float64{-2.0 / 32, -1.0 / 32, -1.0 / 32, -3.0 / 32} {
		check(t, "dJ/dGram", float64(dgram[i]), want)
	}
	// With M = [[2,1],[1,1]]: MΔ = [[5,5],[3,4]]/4, tr(MΔMΔ) = (25+5·3+3·5+16)/16 = 71/16;
	// teacher's n_c = 3, s = 1.5: 1.5/(4·9)·71/16.
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	value, dgram, _ = termAt(&metric, target, 1, false, gramOverP(handG), nil)
	check(t, "metric", value, 1.5/36*71/16)
	// MΔM = [[5,5],[3,4]]·[[2,1],[1,1]]/4 = [[15,10],[10,7]]/4, times −1.5/(2·9)
	for i, want := range []float64{15, 10, 10, 7} {
		check(t, "metric dJ/dGram", float64(dgram[i]), -1.5/18*want/4)
	}
	check(t, "energy", energy(&plain, gramOverP(handS)), (36.0+9+9+36)/256)
	check(t, "energy in a metric", energy(&metric, gramOverP(handS)), 1.5/36*(15*15+12*9+9*12+9*9)/16)
}

// "gram+means" is the loss of the Gram matrix of activations with a channel more, which is
// b everywhere, b² = tr(Gram(S)/P).
func TestMeansAreAChannelMore(t *testing.T) {
	meanOf := func(a [2][4]float64) (out []float32) {
		for _, row := range a {
			out = append(out, float32((row[0]+row[1]+row[2]+row[3])/4))
		}
		return out
	}
	// tr(Gram(S)/P) = 12/4, means S: 1, 1; G: ½, ¾; δ = (½, ¼).
	target := styleTarget{gram: gramOverP(handS), mean: meanOf(handS)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	value, _, dmean := termAt(&plain, target, 1, true, gramOverP(handG), meanOf(handG))
	check(t, "gram+means", value, 15.0/256+2*3*(0.25+0.0625)/(4*4))
	for i, want := range []float64{0.5, 0.25} {
		check(t, "dJ/dmean", float64(dmean[i]), -2*2*3*want/(4*4))
	}
	// M = [[2,1],[1,1]]: b² = tr(M·[[6,3],[3,6]])/4 = 24/4, Mδ = (1.25, 0.75), δᵀMδ = 0.8125
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	value, _, dmean = termAt(&metric, target, 2, true, gramOverP(handG), meanOf(handG))
	check(t, "gram+means in a metric", value, 2*1.5/36*(71./16+2*6*0.8125))
	for i, want := range []float64{1.25, 0.75} {
		check(t, "dJ/dmean in a metric", float64(dmean[i]), -2*1.5/36*2*2*6*want)
	}
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
