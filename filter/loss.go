package filter

import (
	"math"

	"nstfilter/filter/engine"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

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
		return dot(l.metric, gram)
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
		congruence(nil)(product, l.metric, gram, l.c)
	}
	return l.sStyle / (4 * l.n * l.n) * dot(product, gram)
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

// descenderOf is the evaluator itself where it evaluates J where its data is; else
// one by its moments.
func descenderOf(ev engine.Evaluator) engine.Descender {
	if d, ok := ev.(engine.Descender); ok {
		return d
	}
	return &byMoments{ev: ev, congruence: congruence(ev)}
}

// byMoments evaluates J in Go, of moments that an evaluator brings, and hands the
// gradients at them back.
type byMoments struct {
	ev         engine.Evaluator
	congruence func(dst, m, d []float32, n int)
	terms      []engine.Term
	grads      []engine.Gradient
	delta      []float32 // scratch
	values     engine.Values
}

func (d *byMoments) SetTerms(terms []engine.Term) {
	n, widest := len(terms), 0
	d.terms, d.grads = terms, make([]engine.Gradient, n)
	for i, t := range terms {
		widest = max(widest, len(t.Target), len(t.TargetMean))
		if t.Target != nil {
			d.grads[i].Gram = make([]float32, len(t.Target))
		}
		if t.TargetMean != nil {
			d.grads[i].Mean = make([]float32, len(t.TargetMean))
		}
		d.grads[i].Content = t.Content
	}
	d.delta = make([]float32, widest)
	d.values = engine.Values{Style: make([]float64, n), Mean: make([]float64, n), Content: make([]float64, n)}
}

func (d *byMoments) Values() engine.Values { return d.values }

func (d *byMoments) Descend(dx, x engine.Vector, p engine.PictureTerms) {
	v := &d.values
	for i, m := range d.ev.Forward(x) {
		t, g := &d.terms[i], &d.grads[i]
		v.Content[i] = m.Content
		if t.Target != nil {
			v.Style[i] = d.grams(t, m.Gram, g.Gram)
		}
		if t.TargetMean != nil {
			v.Mean[i] = d.means(t, m.Mean, g.Mean)
		}
	}
	d.ev.Backward(dx, d.grads)
	v.TV, v.Gamut, v.Prior = 0, 0, 0
	if p.TV != 0 {
		v.TV = d.ev.TV(dx, x, p.TV)
	}
	if p.Gamut != 0 {
		v.Gamut = d.ev.Gamut(dx, x, p.Gamut)
	}
	if p.Prior != nil {
		v.Prior = d.ev.Prior(dx, x, p.Prior, p.W, p.PriorWeight)
	}
}

// grams returns tr(MΔMΔ) and writes dJ/dGram = −Style·MΔM.
func (d *byMoments) grams(t *engine.Term, gram, grad []float32) (trace float64) {
	delta := d.difference(t.Target, gram)
	if t.Metric == nil {
		copy(grad, delta)
	} else {
		d.congruence(grad, t.Metric, delta, int(math.Sqrt(float64(len(delta)))))
	}
	trace = dot(grad, delta)
	multiply(grad, -t.Style)
	return trace
}

// means returns δᵀMδ and writes dJ/dMean = −Mean·Mδ.
func (d *byMoments) means(t *engine.Term, mean, grad []float32) (norm float64) {
	delta := d.difference(t.TargetMean, mean)
	n := len(delta)
	for i := range delta {
		grad[i] = delta[i]
		if t.Metric != nil {
			grad[i] = float32(dot(t.Metric[i*n:][:n], delta))
		}
	}
	norm = dot(grad, delta)
	multiply(grad, -t.Mean)
	return norm
}

// difference is target − moment.
func (d *byMoments) difference(target, moment []float32) []float32 {
	delta := d.delta[:len(target)]
	moment = moment[:len(target)]
	for i, t := range target {
		delta[i] = t - moment[i]
	}
	return delta
}

func multiply(a []float32, by float64) {
	for i := range a {
		a[i] *= float32(by)
	}
}

// dot keeps four sums, so that one addition need not wait for another.
func dot(a, b []float32) float64 {
	var s [4]float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s[0] += float64(a[0]) * float64(b[0])
		s[1] += float64(a[1]) * float64(b[1])
		s[2] += float64(a[2]) * float64(b[2])
		s[3] += float64(a[3]) * float64(b[3])
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s[i] += float64(v) * float64(b[i])
	}
	return s[0] + s[1] + s[2] + s[3]
}

// congruence returns m·d·m by the evaluator's own means, or by BLAS in Go.
func congruence(ev engine.Evaluator) func(dst, m, d []float32, n int) {
	if m, ok := ev.(engine.Multiplier); ok {
		return m.Congruence
	}
	return func(dst, m, d []float32, n int) {
		as := func(x []float32) blas32.General {
			return blas32.General{Rows: n, Cols: n, Stride: n, Data: x}
		}
		md := as(make([]float32, n*n))
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, as(m), as(d), 0, md)
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, md, as(m), 0, as(dst))
	}
}
