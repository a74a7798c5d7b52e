package filter

import "nstfilter/filter/engine"

// styleTarget is the target of the style loss at one layer.
type styleTarget struct {
	gram   []float32 // (C, C): Gram(S)/P_S, blended over the styles
	mean   []float32 // (C), blended likewise
	lambda float64   // λ_l
}

// styleTerm returns the style loss of a layer times weight:
//
//	J = s/(4 n_c²) · (tr(M Δ M Δ) + 2 b² δᵀ M δ),  Δ = Gram(S)/P_S − Gram(G)/P_G
//
// With M = I, s = 1 and P_S = P_G the first part is Gatys 2015 eq. 4, 1/(2 P n_c)² ‖Gram(S)
// − Gram(G)‖². The second part, with the difference δ of the means, is for "gram+means": it
// is the Gram loss of activations with one more channel of the constant value b, where b² =
// tr(M Gram(S)/P_S) is the energy of the other channels together. It is there because a few
// bright dots in dull surroundings can have the style's Gram matrix. (Galerne, Raad, Lezama
// and Morel 2022, Scaling Painting Style Transfer, section 3.2, add means and standard
// deviations.)
func styleTerm(l *layer, t styleTarget, weight float64, means bool) engine.Term {
	k := weight * l.sStyle / (2 * l.n * l.n)
	term := engine.Term{Target: t.gram, Metric: l.metric, Style: k}
	if means {
		term.TargetMean, term.Mean = t.mean, 2*k*traceInMetric(l, t.gram)
	}
	return term
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

// energy returns J_style of a layer at Gram(G) = 0; setLambdas weights layers by it.
func energy(l *layer, gram []float32) float64 {
	product := gram
	if l.metric != nil {
		product = make([]float32, len(gram))
		engine.Congruence(product, l.metric, gram, l.c)
	}
	return l.sStyle / (4 * l.n * l.n) * engine.Dot(product, gram)
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
