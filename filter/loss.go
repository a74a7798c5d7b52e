package filter

import (
	"slices"

	"nstfilter/filter/engine"
)

// styleTarget is the target of the style loss at one layer.
type styleTarget struct {
	gram   []float32 // (C, C): Gram(S)/P_S, blended over the styles
	mean   []float32 // (C), blended likewise
	lambda float64   // λ_l
}

// styleTerm returns the style loss of a layer times weight; loss is Options.StyleLoss. For
// "gram" and "gram+means" it is
//
//	J = s/(4 n_c²) · (tr(M Δ M Δ) + 2 b² δᵀ M δ),  Δ = Gram(S)/P_S − Gram(G)/P_G
//
// With M = I, s = 1 and P_S = P_G the first part is Gatys 2015 eq. 4, 1/(2 P n_c)² ‖Gram(S)
// − Gram(G)‖². The second part, with the difference δ of the means, is for "gram+means": it
// is the Gram loss of activations with one more channel of the constant value b, where b² =
// tr(M Gram(S)/P_S) is the energy of the other channels together. It is there because a few
// bright dots in dull surroundings can have the style's Gram matrix.
//
// The other losses replace or add a part; engine.Comparison has their formulas:
//
//	gram+moments  adds b² (δᵀ M δ + Σ_c M_cc e_c²) to that of gram, e the differences of the deviations
//	covariance    Δ is of the covariances, with the part of the means
//	shifted       Δ is of the Gram matrices of activations less b̄, the mean of the style's means
//	wasserstein   the bracket is W₂²
//
// One weight suits all, within a third (bench/README.md): deviations share the weight of
// the means; shifted has a factor that makes its trace, where the activations of G are b̄
// everywhere, that of gram where they are 0; W₂², of the second degree in the activations
// and not of the fourth, has one that makes it twice that trace where they are 0.
func styleTerm(l *layer, t styleTarget, weight float64, loss string) engine.Term {
	k := weight * l.sStyle / (2 * l.n * l.n)
	b2 := traceInMetric(l, t.gram)
	term := engine.Term{Metric: l.metric}
	switch loss {
	case "covariance":
		term.Compare, term.Compared = engine.CompareCovariances(t.gram, t.mean, l.metric), k/2
	case "shifted":
		level := engine.Total(t.mean) / float64(len(t.mean))
		term.Compare, term.Compared = engine.CompareShifted(t.gram, t.mean, l.metric, -level), k/2
		if about := squareInMetric(l, momentsAbout(t, float32(level))); about > 0 {
			term.Compared *= squareInMetric(l, t.gram) / about
		}
	case "wasserstein":
		term.Compare, term.TargetMean = engine.CompareGaussians(t.gram, t.mean, l.metric), t.mean
		if b2 > 0 { // else the style does not activate this layer
			term.Compared = k * squareInMetric(l, t.gram) / b2
			term.Mean = 2 * term.Compared
		}
	default:
		term.Target, term.Style = t.gram, k
	}
	switch loss {
	case "gram+means", "covariance":
		term.TargetMean, term.Mean = t.mean, 2*k*b2
	case "gram+moments":
		term.TargetMean, term.Mean = t.mean, k*b2
		term.Compare, term.Compared = engine.CompareDeviations(t.gram, t.mean, l.metric), k/2*b2
	}
	return term
}

// momentsAbout returns Σ (a−b)(a−b)ᵀ/P of the style.
func momentsAbout(t styleTarget, b float32) []float32 {
	out, n := slices.Clone(t.gram), len(t.mean)
	for i := range out {
		out[i] += b * (b - t.mean[i/n] - t.mean[i%n])
	}
	return out
}

// traceInMetric returns tr(M·gram).
func traceInMetric(l *layer, gram []float32) (sum float64) {
	if l.metric != nil {
		return engine.Dot(l.metric, gram)
	}
	for i := range l.c {
		sum += float64(gram[i*l.c+i])
	}
	return sum
}

// energy returns J_style of a layer at Gram(G) = 0 for "gram"; setLambdas weights layers by
// it, with every loss, so that these are on one scale.
func energy(l *layer, gram []float32) float64 {
	return l.sStyle / (4 * l.n * l.n) * squareInMetric(l, gram)
}

// squareInMetric returns tr(M·gram·M·gram).
func squareInMetric(l *layer, gram []float32) float64 {
	product := gram
	if l.metric != nil {
		product = make([]float32, len(gram))
		engine.Congruence(product, l.metric, gram, l.c)
	}
	return engine.Dot(product, gram)
}

// contentFactor returns dJ_content/d(Σ Δaᵀ M Δa) of one layer with p positions: c/2 for
// "sum" (Gatys 2015 eq. 1, ½‖Δa‖²), c/(2 P n_c) for "mean", and 0 if p is 0.
func contentFactor(l *layer, lossScale string, p float64) float64 {
	if p == 0 {
		return 0
	}
	if lossScale == "sum" {
		return l.sCon / 2
	}
	return l.sCon / (2 * p * l.n)
}
