package engine

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Term is what one tap adds to J, as a function of its Moments:
//
//	J = Style/2 · tr(M Δ M Δ) + Mean/2 · δᵀ M δ + Compared · Compare + Content · Moments.Content
//	Δ = Target − Moments.Gram,  dJ/dGram = −Style · M Δ M
//	δ = TargetMean − Moments.Mean,  dJ/dMean = −Mean · M δ
type Term struct {
	Target     []float32 // (C, C), symmetric; nil: no style
	TargetMean []float32 // (C); nil: no loss of the mean
	Metric     []float32 // (C, C): M, symmetric; nil: the identity
	Style      float64
	Mean       float64
	Compare    Comparison // of what else; nil: nothing. It runs on the host
	Compared   float64
	Content    float64 // dJ/dMoments.Content
}

// Values are the terms of J at one picture, without their weights.
type Values struct {
	Style    []float64 // by tap: tr(MΔMΔ); 0 without a Target
	Mean     []float64 // by tap: δᵀMδ; 0 without a TargetMean
	Compared []float64 // by tap: of Compare; 0 without one
	Content  []float64 // by tap: Moments.Content
	TV       float64   // of Evaluator.TV; 0 if its weight is 0
	Gamut    float64   // of Evaluator.Gamut; 0 if its weight is 0
	Prior    float64   // of Evaluator.Prior; 0 without a prior
}

// PictureTerms are the weights of the terms of J that read the picture itself.
type PictureTerms struct {
	TV, Gamut   float64 // of Evaluator.TV and Gamut; 0: none
	Prior, W    Vector  // of Evaluator.Prior; nil: none
	PriorWeight float64
}

// LossEvaluatorOf returns ev itself if it is a LossEvaluator and no term has a Comparison,
// else one that computes J on the host from ev's moments. It does not set the terms.
func LossEvaluatorOf(ev Evaluator, terms []Term) LossEvaluator {
	onHost := slices.ContainsFunc(terms, func(t Term) bool { return t.Compare != nil })
	if l, ok := ev.(LossEvaluator); ok && !onHost {
		return l
	}
	l := &hostLoss{ev: ev, congruence: Congruence}
	if m, ok := ev.(Multiplier); ok {
		l.congruence = m.Congruence
	}
	return l
}

// hostLoss computes J in Go from the moments of an evaluator's Forward and gives their
// gradients to its Backward.
type hostLoss struct {
	ev         Evaluator
	congruence func(dst, m, d []float32, n int)
	terms      []Term
	grads      []Gradient
	delta      []float32 // scratch
	values     Values
}

func (l *hostLoss) SetTerms(terms []Term) {
	n, widest := len(terms), 0
	l.terms, l.grads = slices.Clone(terms), make([]Gradient, n)
	for i, t := range terms {
		widest = max(widest, len(t.Target), len(t.TargetMean))
		if t.Target != nil {
			l.grads[i].Gram = make([]float32, len(t.Target))
		}
		if t.TargetMean != nil {
			l.grads[i].Mean = make([]float32, len(t.TargetMean))
		}
		l.grads[i].Content = t.Content
	}
	l.delta = make([]float32, widest)
	l.values = Values{Style: make([]float64, n), Mean: make([]float64, n), Compared: make([]float64, n), Content: make([]float64, n)}
}

func (l *hostLoss) Values() Values { return l.values }

func (l *hostLoss) EvaluateLoss(dx, x Vector, p PictureTerms) {
	v := &l.values
	for i, m := range l.ev.Forward(x) {
		t, g := &l.terms[i], &l.grads[i]
		v.Content[i] = m.Content
		if t.Target != nil {
			v.Style[i] = l.styleLoss(g.Gram, t, m.Gram)
		}
		if t.TargetMean != nil {
			v.Mean[i] = l.meanLoss(g.Mean, t, m.Mean)
		}
		if t.Compare != nil {
			v.Compared[i] = l.compare(g, t, m)
		}
	}
	l.ev.Backward(dx, l.grads)
	v.TV, v.Gamut, v.Prior = 0, 0, 0
	if p.TV != 0 {
		v.TV = l.ev.TV(dx, x, p.TV)
	}
	if p.Gamut != 0 {
		v.Gamut = l.ev.Gamut(dx, x, p.Gamut)
	}
	if p.Prior != nil {
		v.Prior = l.ev.Prior(dx, x, p.Prior, p.W, p.PriorWeight)
	}
}

// styleLoss returns tr(MΔMΔ) and writes dgram = −Style·MΔM.
func (l *hostLoss) styleLoss(dgram []float32, t *Term, gram []float32) (trace float64) {
	delta := l.difference(t.Target, gram)
	if t.Metric == nil {
		copy(dgram, delta)
	} else {
		l.congruence(dgram, t.Metric, delta, int(math.Sqrt(float64(len(delta)))))
	}
	trace = Dot(dgram, delta)
	multiply(dgram, -t.Style)
	return trace
}

// meanLoss returns δᵀMδ and writes dmean = −Mean·Mδ.
func (l *hostLoss) meanLoss(dmean []float32, t *Term, mean []float32) (norm float64) {
	delta := l.difference(t.TargetMean, mean)
	n := len(delta)
	for i := range delta {
		dmean[i] = delta[i]
		if t.Metric != nil {
			dmean[i] = float32(Dot(t.Metric[i*n:][:n], delta))
		}
	}
	norm = Dot(dmean, delta)
	multiply(dmean, -t.Mean)
	return norm
}

// compare returns what t.Compare does and adds its gradient to that of the other terms.
func (l *hostLoss) compare(g *Gradient, t *Term, m Moments) float64 {
	if t.Target == nil {
		g.Gram = resized(g.Gram, len(m.Gram))
		clear(g.Gram)
	}
	if t.TargetMean == nil {
		g.Mean = resized(g.Mean, len(m.Mean))
		clear(g.Mean)
	}
	return t.Compare(*g, m, t.Compared, l.congruence)
}

// difference is target − moment, in scratch memory.
func (l *hostLoss) difference(target, moment []float32) []float32 {
	delta := l.delta[:len(target)]
	moment = moment[:len(target)]
	for i, t := range target {
		delta[i] = t - moment[i]
	}
	return delta
}

func resized(s []float32, n int) []float32 { return slices.Grow(s[:0], n)[:n] }

func multiply(a []float32, by float64) {
	for i := range a {
		a[i] *= float32(by)
	}
}

// Dot sums in float64. It keeps four sums, so that one addition need not wait for another.
func Dot(a, b []float32) float64 {
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

// Congruence is Multiplier.Congruence in Go.
func Congruence(dst, m, d []float32, n int) {
	as := func(x []float32) blas32.General {
		return blas32.General{Rows: n, Cols: n, Stride: n, Data: x}
	}
	md := as(make([]float32, n*n))
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, as(m), as(d), 0, md)
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, md, as(m), 0, as(dst))
}
