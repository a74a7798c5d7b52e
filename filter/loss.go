package filter

import "nstfilter/filter/engine"

// styleTarget is what the style asks of one layer.
type styleTarget struct {
	gram   []float32 // (C, C): Gram(S)/P_S, blended over the styles
	mean   []float32 // (C), the same way
	lambda float64   // λ_l
}

// styleTerm is what a style loss asks of a layer, times weight:
//
//	J = s/(4 n_c²) · (tr(M Δ M Δ) + 2 b² δᵀ M δ),  Δ = Gram(S)/P_S − Gram(G)/P_G
//
// With M = I and s = 1 the first part is Gatys 2015 eq. 4, 1/(2 P n_c)² ‖Gram(S) −
// Gram(G)‖², wherever P_S = P_G. The second, of the means' difference δ, is "gram+means":
// the Gram matrix of activations with a channel more, which is b everywhere; b² = tr(M
// Gram(S)/P_S), the energy of all others together. Gram matrices alone are met as well by
// a few bright dots in dull surroundings. (Scaling Painting Style Transfer, Galerne, Raad,
// Lezama, Morel 2022, section 3.2, adds means and standard deviations.)
func styleTerm(l *layer, t styleTarget, weight float64, means bool) engine.Term {
	k := weight * l.sStyle / (2 * l.n * l.n)
	term := engine.Term{Target: t.gram, Metric: l.metric, Style: k}
	if means {
		term.TargetMean, term.Mean = t.mean, 2*k*measured(l, t.gram)
	}
	return term
}

// measured is tr(M·gram) of a layer.
func measured(l *layer, gram []float32) (sum float64) {
	if l.metric != nil {
		return engine.Dot(l.metric, gram)
	}
	for i := range l.c {
		sum += float64(gram[i*l.c+i])
	}
	return sum
}

// energy is J_style of a layer at Gram(G) = 0, by which layers are weighed.
func energy(l *layer, gram []float32) float64 {
	product := gram
	if l.metric != nil {
		product = make([]float32, len(gram))
		engine.Congruence(product, l.metric, gram, l.c)
	}
	return l.sStyle / (4 * l.n * l.n) * engine.Dot(product, gram)
}

// contentFactor is dJ_content/d(Σ Δaᵀ M Δa) of one layer with p positions:
// c/2 for the paper's sum (½‖Δa‖²), c/(2 P n_c) for the mean, 0 where none counts.
func contentFactor(l *layer, lossScale string, p float64) float64 {
	if p == 0 {
		return 0
	}
	if lossScale == "sum" {
		return l.sCon / 2
	}
	return l.sCon / (2 * p * l.n)
}
