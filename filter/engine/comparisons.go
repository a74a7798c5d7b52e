package engine

import (
	"math"
	"slices"
)

// Comparison is a loss D of a tap's Gram matrix and mean that compares something else than
// these themselves. It returns D(m) and adds weight times its gradient to d.Gram, (C, C)
// and symmetric, and d.Mean, (C). congruence is Multiplier.Congruence. It is used by one
// goroutine at a time.
type Comparison func(d Gradient, m Moments, weight float64, congruence func(dst, m, d []float32, n int)) float64

// CompareCovariances compares the covariance C = Gram − m mᵀ with that of target moments:
//
//	D = tr(M Δ M Δ),  Δ = C_target − C
//	dD/dGram = −2 N,  dD/dm = 4 N m,  N = M Δ M
//
// gram is (C, C), mean (C), metric M (C, C), symmetric, or nil for the identity.
func CompareCovariances(gram, mean, metric []float32) Comparison {
	return compareAbout(gram, mean, metric, func(m []float32) (of, target []float32) { return m, mean })
}

// CompareShifted compares Gram matrices of activations that are shifted by s, the same for
// all channels (Novak and Nikulin 2016, Improving the Neural Algorithm of Artistic Style,
// arXiv 1605.04603, with s = −1):
//
//	D = tr(M Δ M Δ),  Δ = Gram_target − Gram + s (δ 1ᵀ + 1 δᵀ),  δ = mean_target − m
//	dD/dGram = −2 N,  dD/dm = −4 s N 1,  N = M Δ M
//
// The other arguments are those of CompareCovariances.
func CompareShifted(gram, mean, metric []float32, s float64) Comparison {
	centre := slices.Repeat([]float32{float32(-s)}, len(mean))
	return compareAbout(gram, mean, metric, func([]float32) (of, target []float32) { return centre, centre })
}

// compareAbout compares second moments about a centre c, Gram − m cᵀ − c mᵀ + c cᵀ. centres
// returns the picture's, which is m or constant, and the target's. For both
//
//	dD/dGram = −2 N,  dD/dm = 4 N c.
func compareAbout(gram, mean, metric []float32, centres func(mean []float32) (of, target []float32)) Comparison {
	n := len(mean)
	delta, product := make([]float32, n*n), make([]float32, n*n)
	return func(d Gradient, m Moments, weight float64, congruence func(dst, m, d []float32, n int)) float64 {
		c, b := centres(m.Mean)
		for i := range n {
			ci, bi, mi, ti := float64(c[i]), float64(b[i]), float64(m.Mean[i]), float64(mean[i])
			for j := range n {
				cj, bj := float64(c[j]), float64(b[j])
				of := mi*cj + ci*float64(m.Mean[j]) - ci*cj
				target := ti*bj + bi*float64(mean[j]) - bi*bj
				delta[i*n+j] = float32(float64(gram[i*n+j]) - float64(m.Gram[i*n+j]) - (target - of))
			}
		}
		if metric == nil {
			copy(product, delta)
		} else {
			congruence(product, metric, delta, n)
		}
		for i := range n {
			row := product[i*n:][:n]
			for j, v := range row {
				d.Gram[i*n+j] -= float32(2 * weight * float64(v))
			}
			d.Mean[i] += float32(4 * weight * Dot(row, c))
		}
		return Dot(product, delta)
	}
}

// CompareDeviations compares the standard deviation of each channel, σ_c = √(C_cc + ε) with
// C = Gram − m mᵀ (Galerne, Raad, Lezama and Morel 2022, Scaling Painting Style Transfer,
// section 3.2):
//
//	D = Σ_c M_cc e_c²,  e = σ_target − σ
//	dD/dGram_cc = −M_cc e_c/σ_c,  dD/dm_c = 2 M_cc e_c m_c/σ_c
//
// ε, 10⁻⁶ of the target's mean square, keeps the gradient finite where a channel is
// constant. The deviations of the teacher that a metric stands for are not linear in these
// moments, hence the metric's diagonal alone. The arguments are those of CompareCovariances.
func CompareDeviations(gram, mean, metric []float32) Comparison {
	n := len(mean)
	epsilon := math.SmallestNonzeroFloat32
	for i := range n {
		epsilon += 1e-6 * float64(gram[i*n+i]) / float64(n)
	}
	deviation := func(gram, mean []float32, i int) float64 {
		m := float64(mean[i])
		return math.Sqrt(max(float64(gram[i*n+i])-m*m, 0) + epsilon)
	}
	target := make([]float64, n)
	for i := range target {
		target[i] = deviation(gram, mean, i)
	}
	return func(d Gradient, m Moments, weight float64, _ func(dst, m, d []float32, n int)) (sum float64) {
		for i, t := range target {
			by, sigma := 1., deviation(m.Gram, m.Mean, i)
			if metric != nil {
				by = float64(metric[i*n+i])
			}
			e := t - sigma
			sum += by * e * e
			d.Gram[i*n+i] -= float32(weight * by * e / sigma)
			d.Mean[i] += float32(2 * weight * by * e / sigma * float64(m.Mean[i]))
		}
		return sum
	}
}
