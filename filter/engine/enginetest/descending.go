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
	n := len(s.Taps)
	return &descender{Evaluator: ev, last: engine.Values{Style: make([]float64, n), Content: make([]float64, n)}}, nil
}

type descender struct {
	engine.Evaluator
	terms []engine.Term
	last  engine.Values // read
}

func (e *descender) SetTerms(terms []engine.Term) { e.terms = terms }

func (e *descender) Descend(dx, x engine.Vector, tv float64, prior, w engine.Vector, priorWeight float64, read bool) engine.Values {
	var v engine.Values
	var g []engine.Gradient
	for i, m := range e.Forward(x) {
		t := e.terms[i]
		trace, grad := 0., []float32(nil)
		if t.Target != nil {
			trace, grad = styleTerm(t, m.Gram)
		}
		v.Style, v.Content = append(v.Style, trace), append(v.Content, m.Content)
		g = append(g, engine.Gradient{Gram: grad, Content: t.Content})
	}
	e.Backward(dx, g)
	if tv != 0 {
		v.TV = e.TV(dx, x, tv)
	}
	if prior != nil {
		v.Prior = e.Prior(dx, x, prior, w, priorWeight)
	}
	if read {
		e.last = v
	}
	return e.last
}

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
