package filter

import (
	"nstfilter/filter/engine"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// styleTarget is what a style asks of one layer.
type styleTarget struct {
	gram   []float32 // (C, C): Gram(S)/P_S, blended over the styles
	lambda float64   // λ_l
}

// gramLoss evaluates the style loss of one layer,
//
//	J = s/(4 n_c²) · tr(M Δ M Δ),  Δ = Gram(S)/P_S − Gram(G)/P_G
//	dJ/d(Gram(G)/P_G) = −s/(2 n_c²) · M Δ M
//
// With M = I and s = 1 this is Gatys 2015 eq. 4, 1/(2 P n_c)² ‖Gram(S) −
// Gram(G)‖², wherever P_S = P_G.
type gramLoss struct {
	congruence func(dst, m, d []float32, n int) // dst = m·d·m
	delta      []float32                        // (C, C) scratch
}

// at returns J for the layer's Gram/P and writes weight·dJ/dGram to grad.
func (s *gramLoss) at(l *layer, target, gram, grad []float32, weight float64) float64 {
	k := gramSlope(l, weight)
	if l.metric == nil {
		sum := 0.0
		for i, g := range gram {
			d := float64(target[i]) - float64(g)
			sum += d * d
			grad[i] = float32(-k * d)
		}
		return sum / (4 * l.n * l.n)
	}
	n := l.c * l.c
	if len(s.delta) < n {
		s.delta = make([]float32, n)
	}
	delta := s.delta[:n]
	gram, target = gram[:n], target[:n]
	for i := range delta {
		delta[i] = target[i] - gram[i]
	}
	s.congruence(grad, l.metric, delta, l.c)
	trace := dot(grad, delta) // of MΔM·Δ, both symmetric
	scale := float32(-k)
	for i := range grad {
		grad[i] *= scale
	}
	return l.sStyle / (4 * l.n * l.n) * trace
}

// gramSlope is the factor of −MΔM in dJ/d(Gram/P), and twice that of its trace in J.
func gramSlope(l *layer, weight float64) float64 { return weight * l.sStyle / (2 * l.n * l.n) }

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

// energy is J of an all-zero Gram, by which balanced layers are weighed.
func (s *gramLoss) energy(l *layer, target []float32) float64 {
	zero, grad := make([]float32, len(target)), make([]float32, len(target))
	return s.at(l, target, zero, grad, 0)
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
