package engine

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// CompareGaussians returns what the covariances add to the squared Wasserstein-2 distance
// of the Gaussians that have these moments; δᵀMδ of the means is the rest (Olkin and
// Pukelsheim 1982, The distance between two random vectors with given dispersion matrices):
//
//	D = tr(M C) + tr(M T) − 2 tr(S^½),  S = R C R,  R = (M T M)^½
//	dD/dC = N = M − R S^−½ R,  dD/dGram = N,  dD/dm = −2 N m
//
// where C = Gram − m mᵀ and T is that of the target. It is the distance of the activations
// L a for any L with M = LᵀL, which are the teacher's that a metric stands for: the
// eigenvalues of (LTLᵀ)^½ LCLᵀ (LTLᵀ)^½ are those of C·M T M and of S. An eigenvalue λ of S
// counts as √(λ+ε) − √ε, which is smooth, and keeps D above the distance; √ε is 10⁻³ of
// the mean eigenvalue of M T. D is not a number if moments are not finite. The arguments are
// those of CompareCovariances.
func CompareGaussians(gram, mean, metric []float32) Comparison {
	n := len(mean)
	m, t := mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
	for i := range n {
		m.SetSym(i, i, 1)
		for j := i; j < n && metric != nil; j++ {
			m.SetSym(i, j, float64(metric[i*n+j]))
		}
	}
	covariance(t, gram, mean)
	var mtm, r mat.Dense
	mtm.Product(m, t, m)
	_, ok := power(&r, symmetric(&mtm), 0, .5)
	traceOfTarget := traceOfProduct(m, t)
	root := 1e-3*traceOfTarget/float64(n) + math.SmallestNonzeroFloat32

	c, rcr, inverse, rir := mat.NewSymDense(n, nil), new(mat.Dense), new(mat.Dense), new(mat.Dense)
	return func(d Gradient, of Moments, weight float64, _ func(dst, m, d []float32, n int)) float64 {
		if !ok {
			return math.NaN()
		}
		covariance(c, of.Gram, of.Mean)
		rcr.Product(&r, c, &r)
		eigenvalues, ok := power(inverse, symmetric(rcr), root*root, -.5)
		if !ok {
			return math.NaN()
		}
		value := traceOfTarget + traceOfProduct(m, c)
		for _, lambda := range eigenvalues {
			value -= 2 * (math.Sqrt(lambda+root*root) - root)
		}
		rir.Product(&r, inverse, &r)
		for i := range n {
			var slope float64 // (N m)_i
			for j := range n {
				v := m.At(i, j) - (rir.At(i, j)+rir.At(j, i))/2
				d.Gram[i*n+j] += float32(weight * v)
				slope += v * float64(of.Mean[j])
			}
			d.Mean[i] -= float32(2 * weight * slope)
		}
		return value
	}
}

// covariance does c = gram − mean·meanᵀ.
func covariance(c *mat.SymDense, gram, mean []float32) {
	n := len(mean)
	for i := range n {
		for j := i; j < n; j++ {
			c.SetSym(i, j, float64(gram[i*n+j])-float64(mean[i])*float64(mean[j]))
		}
	}
}

// symmetric is a without what rounding adds to the two triangles.
func symmetric(a *mat.Dense) *mat.SymDense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

// power does dst = (a + shift·I)^exponent and returns the eigenvalues of a; those that
// rounding leaves below 0 count as 0. It does nothing and returns false if a is not finite.
func power(dst *mat.Dense, a *mat.SymDense, shift, exponent float64) (eigenvalues []float64, ok bool) {
	var e mat.EigenSym
	if norm := mat.Norm(a, 2); math.IsNaN(norm) || math.IsInf(norm, 0) || !e.Factorize(a, true) {
		return nil, false
	}
	eigenvalues = e.Values(nil)
	var v, scaled mat.Dense
	e.VectorsTo(&v)
	scaled.CloneFrom(&v)
	n := len(eigenvalues)
	for j := range eigenvalues {
		eigenvalues[j] = max(eigenvalues[j], 0)
		by := math.Pow(eigenvalues[j]+shift, exponent)
		for i := range n {
			scaled.Set(i, j, by*scaled.At(i, j))
		}
	}
	dst.Mul(&scaled, v.T())
	return eigenvalues, true
}

// traceOfProduct returns tr(a·b).
func traceOfProduct(a, b *mat.SymDense) (sum float64) {
	n := a.SymmetricDim()
	for i := range n {
		for j := range n {
			sum += a.At(i, j) * b.At(i, j)
		}
	}
	return sum
}
