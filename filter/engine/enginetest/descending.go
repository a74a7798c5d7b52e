package enginetest

import (
	"math"

	"nstfilter/filter/engine"
)

// Descending is an engine whose evaluators are Descenders besides, by the definition:
// what their Forward, Backward, TV and Prior say, put together in float64.
type Descending struct{ engine.Engine }

func (d Descending) Compile(s engine.Spec) (engine.Evaluator, error) {
	ev, err := d.Engine.Compile(s)
	if err != nil {
		return nil, err
	}
	return &descender{Evaluator: ev}, nil
}

type descender struct {
	engine.Evaluator
	terms []engine.Term
	last  engine.Values
}

func (e *descender) SetTerms(terms []engine.Term) { e.terms = terms }

func (e *descender) Descend(dx, x engine.Vector, p engine.PictureTerms) {
	var v engine.Values
	var g []engine.Gradient
	for i, m := range e.Forward(x) {
		t := e.terms[i]
		own := engine.Gradient{Content: t.Content}
		trace, norm := 0., 0.
		if t.Target != nil {
			trace, own.Gram = styleTerm(t, m.Gram)
		}
		if t.TargetMean != nil {
			norm, own.Mean = meanTerm(t, m.Mean)
		}
		v.Style, v.Mean, v.Content = append(v.Style, trace), append(v.Mean, norm), append(v.Content, m.Content)
		g = append(g, own)
	}
	e.Backward(dx, g)
	if p.TV != 0 {
		v.TV = e.TV(dx, x, p.TV)
	}
	if p.Gamut != 0 {
		v.Gamut = e.Gamut(dx, x, p.Gamut)
	}
	if p.Prior != nil {
		v.Prior = e.Prior(dx, x, p.Prior, p.W, p.PriorWeight)
	}
	e.last = v
}

func (e *descender) Values() engine.Values { return e.last }

// styleTerm returns tr(MΔMΔ), Δ = Target − gram, and −Style·MΔM.
func styleTerm(t engine.Term, gram []float32) (trace float64, grad []float32) {
	n := int(math.Sqrt(float64(len(gram))))
	delta := make([]float64, n*n)
	for i := range delta {
		delta[i] = float64(t.Target[i]) - float64(gram[i])
	}
	product := delta
	if t.Metric != nil {
		m := widen(t.Metric)
		product = multiply(multiply(m, delta, n), m, n)
	}
	grad = make([]float32, n*n)
	for i, v := range product {
		trace += v * delta[i]
		grad[i] = float32(-t.Style * v)
	}
	return trace, grad
}

// meanTerm returns δᵀMδ, δ = TargetMean − mean, and −Mean·Mδ.
func meanTerm(t engine.Term, mean []float32) (norm float64, grad []float32) {
	n := len(mean)
	grad = make([]float32, n)
	for i := range n {
		sum := 0.
		for j := range n {
			d := float64(t.TargetMean[j]) - float64(mean[j])
			switch {
			case t.Metric != nil:
				sum += float64(t.Metric[i*n+j]) * d
			case i == j:
				sum += d
			}
		}
		norm += sum * (float64(t.TargetMean[i]) - float64(mean[i]))
		grad[i] = float32(-t.Mean * sum)
	}
	return norm, grad
}

// multiply returns a·b, all n×n.
func multiply(a, b []float64, n int) []float64 {
	out := make([]float64, n*n)
	for i := range n {
		for k := range n {
			for j := range n {
				out[i*n+j] += a[i*n+k] * b[k*n+j]
			}
		}
	}
	return out
}
