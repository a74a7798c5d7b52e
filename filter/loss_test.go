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

func meanOf(a [2][4]float64) (out []float32) {
	for _, row := range a {
		out = append(out, float32((row[0]+row[1]+row[2]+row[3])/4))
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
func termAt(l *layer, t styleTarget, weight float64, loss string, gram, mean []float32) (value float64, dgram, dmean []float32) {
	term := styleTerm(l, t, weight, loss)
	ev := &fixedMoments{Moments: engine.Moments{Gram: gram, Mean: mean}}
	j := engine.LossEvaluatorOf(ev, nil)
	j.SetTerms([]engine.Term{term})
	j.EvaluateLoss(nil, nil, engine.PictureTerms{})
	v := j.Values()
	return styleLoss(&term, &v, 0), ev.grad.Gram, ev.grad.Mean
}

func TestStyleLossByHand(t *testing.T) {
	target := styleTarget{gram: gramOverP(handS)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	// 1/(2·n_h·n_w·n_c)² ‖Gram(S) − Gram(G)‖² = 15/(2·2·2·2)² = 15/256
	value, dgram, _ := termAt(&plain, target, 1, "gram", gramOverP(handG), nil)
	check(t, "Gatys eq. 4", value, 15.0/256)
	// dJ/d(Gram(G)/P) = −1/(2·4)·Δ, Δ = [[2,1],[1,3]]/4
	for i, want := range []float64{-2.0 / 32, -1.0 / 32, -1.0 / 32, -3.0 / 32} {
		check(t, "dJ/dGram", float64(dgram[i]), want)
	}
	// With M = [[2,1],[1,1]]: MΔ = [[5,5],[3,4]]/4, tr(MΔMΔ) = (25+5·3+3·5+16)/16 = 71/16;
	// teacher's n_c = 3, s = 1.5: 1.5/(4·9)·71/16.
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	value, dgram, _ = termAt(&metric, target, 1, "gram", gramOverP(handG), nil)
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
	// tr(Gram(S)/P) = 12/4, means S: 1, 1; G: ½, ¾; δ = (½, ¼).
	target := styleTarget{gram: gramOverP(handS), mean: meanOf(handS)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	value, _, dmean := termAt(&plain, target, 1, "gram+means", gramOverP(handG), meanOf(handG))
	check(t, "gram+means", value, 15.0/256+2*3*(0.25+0.0625)/(4*4))
	for i, want := range []float64{0.5, 0.25} {
		check(t, "dJ/dmean", float64(dmean[i]), -2*2*3*want/(4*4))
	}
	// M = [[2,1],[1,1]]: b² = tr(M·[[6,3],[3,6]])/4 = 24/4, Mδ = (1.25, 0.75), δᵀMδ = 0.8125
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	value, _, dmean = termAt(&metric, target, 2, "gram+means", gramOverP(handG), meanOf(handG))
	check(t, "gram+means in a metric", value, 2*1.5/36*(71./16+2*6*0.8125))
	for i, want := range []float64{1.25, 0.75} {
		check(t, "dJ/dmean in a metric", float64(dmean[i]), -2*1.5/36*2*2*6*want)
	}
}

// tr(Gram(S)/P) = 3 and ‖Gram(S)/P‖² = 90/16, means and δ as above, ‖δ‖² = 5/16. By hand:
//
//	covariances  S: [[2, −1], [−1, 2]]/4, G: [[12, 2], [2, 3]]/16, Δ = [[−4, −6], [−6, 5]]/16
//	about 1      S: [[2, −1], [−1, 2]]/4, G: [[4, 1], [1, 1]]/4, Δ = [[−2, −2], [−2, 1]]/4
//	deviations   S: √½, √½, G: √(12/16), √(3/16)
//
// The product of the two covariances has the trace 26/64 and the determinant 32/256 · 3/16.
func TestOtherStyleLossesByHand(t *testing.T) {
	target := styleTarget{gram: gramOverP(handS), mean: meanOf(handS)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	at := func(loss string) float64 {
		value, _, _ := termAt(&plain, target, 1, loss, gramOverP(handG), meanOf(handG))
		return value
	}
	means := 2 * 3 * 5. / 16
	check(t, "covariance", at("covariance"), (113./256+means)/16)
	check(t, "shifted", at("shifted"), 90./16*13./10/16)
	deviations := math.Pow(math.Sqrt(.5)-math.Sqrt(.75), 2) + math.Pow(math.Sqrt(.5)-math.Sqrt(3./16), 2)
	check(t, "gram+moments", at("gram+moments"), (15./16+means/2+3*deviations)/16)

	root := math.Sqrt(26./64 + 2*math.Sqrt(32./256*3/16))
	distance := 1 + 15./16 - 2*root + 5./16
	if got, want := at("wasserstein"), 2*90./16/3*distance/16; !(got > want && got < 1.005*want) { // ε adds a little
		t.Errorf("wasserstein: got %.9g, want %.9g", got, want)
	}
}

// Every loss of a picture with the style's own moments is 0, wasserstein nearly so (ε); of
// one whose activations are a tenth larger, of a like size.
func TestStyleLossesAreOnOneScale(t *testing.T) {
	target := styleTarget{gram: gramOverP(handS), mean: meanOf(handS)}
	scaled := func(by float64) (gram, mean []float32) {
		gram, mean = gramOverP(handS), meanOf(handS)
		for i := range gram {
			gram[i] *= float32(by * by)
		}
		for i := range mean {
			mean[i] *= float32(by)
		}
		return gram, mean
	}
	metric := layer{c: 2, n: 3, sStyle: 1.5, sCon: 2, metric: []float32{2, 1, 1, 1}}
	for _, loss := range []string{"gram", "gram+means", "gram+moments", "covariance", "shifted", "wasserstein"} {
		gram, mean := scaled(1)
		zero, dgram, dmean := termAt(&metric, target, 1, loss, gram, mean)
		gram, mean = scaled(1.1)
		value, _, _ := termAt(&metric, target, 1, loss, gram, mean)
		share := value / energy(&metric, target.gram)
		if !(zero < 0.04*value && share > 0.005 && share < 0.1) {
			t.Errorf("%s: %g with the style's moments, %.2g of the energy with a tenth more", loss, zero, share)
		}
		for _, v := range append(dgram, dmean...) {
			if math.Abs(float64(v)) > 1e-5 {
				t.Errorf("%s: gradients %v and %v at the style's moments", loss, dgram, dmean)
				break
			}
		}
	}
}

// A layer that the style does not activate does not make J infinite.
func TestStyleWithoutActivations(t *testing.T) {
	target := styleTarget{gram: make([]float32, 4), mean: make([]float32, 2)}
	plain := layer{c: 2, n: 2, sStyle: 1, sCon: 1}
	for _, loss := range []string{"gram+moments", "covariance", "shifted", "wasserstein"} {
		for _, of := range [][2][4]float64{handG, {}} {
			value, dgram, dmean := termAt(&plain, target, 1, loss, gramOverP(of), meanOf(of))
			for _, v := range append(append([]float32{float32(value)}, dgram...), dmean...) {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Errorf("%s of %v: %g, %v, %v", loss, of, value, dgram, dmean)
				}
			}
		}
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
