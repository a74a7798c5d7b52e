package enginetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"nstfilter/filter/engine"
)

// moments are a Gram matrix, (C, C), and a mean, (C), in float64.
type moments struct{ gram, mean []float64 }

// comparisons has each Comparison of an engine with its definition: D of two moments in the
// metric LᵀL, L (C, C).
var comparisons = map[string]struct {
	of         func(gram, mean, metric []float32) engine.Comparison
	definition func(a, target moments, L *mat.Dense) float64
}{
	"covariances": {engine.CompareCovariances, func(a, target moments, L *mat.Dense) float64 {
		var d mat.Dense
		d.Sub(a.about(a.mean, L), target.about(target.mean, L))
		return math.Pow(mat.Norm(&d, 2), 2)
	}},
	"shifted": {func(gram, mean, metric []float32) engine.Comparison {
		return engine.CompareShifted(gram, mean, metric, -.7)
	}, func(a, target moments, L *mat.Dense) float64 {
		var d mat.Dense
		level := slices.Repeat([]float64{.7}, len(a.mean))
		d.Sub(a.about(level, L), target.about(level, L))
		return math.Pow(mat.Norm(&d, 2), 2)
	}},
	"deviations": {engine.CompareDeviations, func(a, target moments, L *mat.Dense) (sum float64) {
		n := len(a.mean)
		one := mat.NewDense(n, n, nil)
		for i := range n {
			one.Set(i, i, 1)
		}
		C, T := a.about(a.mean, one), target.about(target.mean, one)
		var epsilon float64
		for i := range n {
			epsilon += 1e-6 * target.gram[i*n+i] / float64(n)
		}
		for i := range n {
			d := math.Sqrt(C.At(i, i)+epsilon) - math.Sqrt(T.At(i, i)+epsilon)
			sum += math.Pow(mat.Norm(L.ColView(i), 2)*d, 2)
		}
		return sum
	}},
	"gaussians": {engine.CompareGaussians, func(a, target moments, L *mat.Dense) float64 {
		C, T := a.about(a.mean, L), target.about(target.mean, L)
		var product, half mat.Dense
		half.Mul(root(T), root(C)) // its singular values are the roots of the eigenvalues of T^½ C T^½
		product.Mul(half.T(), &half)
		d, least := C.Trace()+T.Trace(), 1e-3*T.Trace()/float64(len(a.mean))
		for _, s := range singular(&product).Values(nil) {
			d -= 2 * (math.Sqrt(s+least*least) - least)
		}
		return d
	}},
}

// about returns L Σ (a−c)(a−c)ᵀ/P Lᵀ.
func (m moments) about(c []float64, L *mat.Dense) *mat.Dense {
	n := len(c)
	s, out := mat.NewDense(n, n, nil), new(mat.Dense)
	for i := range n {
		for j := range n {
			s.Set(i, j, m.gram[i*n+j]-m.mean[i]*c[j]-c[i]*m.mean[j]+c[i]*c[j])
		}
	}
	out.Product(L, s, L.T())
	return out
}

// root is the square root of a positive semidefinite matrix, by its singular values.
func root(a *mat.Dense) *mat.Dense {
	svd := singular(a)
	var v, out mat.Dense
	svd.VTo(&v)
	s := svd.Values(nil)
	for i := range s {
		s[i] = math.Sqrt(s[i])
	}
	out.Product(&v, mat.NewDiagDense(len(s), s), v.T())
	return &out
}

func singular(a *mat.Dense) *mat.SVD {
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDFull) {
		panic("enginetest: no singular values")
	}
	return &svd
}

// testComparisons holds J with each Comparison against its definition: the value, and the
// gradient that Reference's Backward makes of central differences of the definition.
func testComparisons(t *testing.T, got engine.Engine) {
	n := networks()[0]
	for name, c := range comparisons {
		for _, mask := range []string{"", "soft", "nothing"} {
			s := engine.Spec{Network: n, Pooling: n.Pooling, W: 40, H: 33, Taps: tapSets(n)["before pools"][:3]}
			t.Run(name+" "+mask, func(t *testing.T) {
				a, b := compile(t, got, s), compile(t, Reference{}, s)
				defer a.Close()
				defer b.Close()
				x, weight := smooth(t, n, n.Pooling, s.W, s.H), 3.
				var terms []engine.Term
				var targets []moments
				factors := factorsOf(s)
				dark := picture(1000, s.W, s.H)
				for i := range dark {
					dark[i] /= 2
				}
				for i, m := range b.Forward(upload(b, dark)) {
					term := engine.Term{Compared: weight, Compare: c.of(slices.Clone(m.Gram), slices.Clone(m.Mean), metricOf(factors[i]))}
					if i == 1 { // beside other terms
						term.Target, term.Style, term.TargetMean, term.Mean = slices.Clone(m.Gram), .3, slices.Clone(m.Mean), .4
					}
					terms = append(terms, term)
					targets = append(targets, moments{wide(m.Gram), wide(m.Mean)})
				}
				for _, e := range []engine.Evaluator{a, b} {
					e.SetMask(masks(s.W, s.H)[mask])
				}
				want, g := make([]float64, len(terms)), make([]engine.Gradient, len(terms))
				for i, m := range b.Forward(upload(b, x)) {
					at := moments{wide(m.Gram), wide(m.Mean)}
					d := func() float64 { return c.definition(at, targets[i], orIdentity(factors[i], len(m.Mean))) }
					want[i] = d()
					g[i] = differences(at, weight, d)
					if i == 1 {
						addTerm(&g[i], &terms[i], m)
					}
				}
				ddx := download(b, upload(b, backward(b, s, g)))

				dx := upload(a, picture(2, s.W, s.H))
				j := engine.LossEvaluatorOf(a, terms)
				j.SetTerms(terms)
				for range 2 { // the second time nothing is left of the first
					j.EvaluateLoss(dx, upload(a, x), engine.PictureTerms{})
				}
				for i, v := range j.Values().Compared {
					nearNumber(t, fmt.Sprintf("value of tap %d", i), v, want[i], comparisonTolerance)
				}
				near(t, "gradient", download(a, dx), ddx, comparisonTolerance)
			})
		}
	}
}

// comparisonTolerance is wider than networkTolerance: the least eigenvalues of a covariance
// are differences of larger numbers, and their square roots count.
const comparisonTolerance = 5e-4

// factorsOf returns an L for every second tap, nil for the rest.
func factorsOf(s engine.Spec) []*mat.Dense {
	out := make([]*mat.Dense, len(s.Taps))
	for i := 0; i < len(out); i += 2 {
		C := s.Network.Layers[s.Taps[i].Layer].Out
		out[i] = mat.NewDense(C, C, wide(normal(random(uint64(i)), C*C, 1/math.Sqrt(float64(C)))))
	}
	return out
}

// metricOf is LᵀL, nil for nil.
func metricOf(L *mat.Dense) (m []float32) {
	if L == nil {
		return nil
	}
	var p mat.Dense
	p.Mul(L.T(), L)
	for _, v := range p.RawMatrix().Data {
		m = append(m, float32(v))
	}
	return m
}

func orIdentity(L *mat.Dense, n int) *mat.Dense {
	if L != nil {
		return L
	}
	L = mat.NewDense(n, n, nil)
	for i := range n {
		L.Set(i, i, 1)
	}
	return L
}

func wide(a []float32) (out []float64) {
	for _, v := range a {
		out = append(out, float64(v))
	}
	return out
}

// differences returns weight times the derivatives of d by the moments that it reads.
func differences(m moments, weight float64, d func() float64) engine.Gradient {
	n := len(m.mean)
	g := engine.Gradient{Gram: make([]float32, n*n), Mean: make([]float32, n)}
	slope := func(at ...*float64) float64 {
		const step = 1e-6
		var value [2]float64
		for side, by := range []float64{step, -2 * step} {
			for _, v := range at {
				*v += by
			}
			value[side] = d()
		}
		for _, v := range at {
			*v += step
		}
		return weight * (value[0] - value[1]) / (2 * step)
	}
	for i := range n {
		g.Mean[i] = float32(slope(&m.mean[i]))
		g.Gram[i*n+i] = float32(slope(&m.gram[i*n+i]))
		for k := range i { // both elements move: each has half of the slope
			half := float32(slope(&m.gram[i*n+k], &m.gram[k*n+i]) / 2)
			g.Gram[i*n+k], g.Gram[k*n+i] = half, half
		}
	}
	return g
}

// addTerm adds the gradient of a term without a metric at the moments.
func addTerm(g *engine.Gradient, t *engine.Term, m engine.Moments) {
	for i := range g.Gram {
		g.Gram[i] -= float32(t.Style) * (t.Target[i] - m.Gram[i])
	}
	for i := range g.Mean {
		g.Mean[i] -= float32(t.Mean) * (t.TargetMean[i] - m.Mean[i])
	}
}
