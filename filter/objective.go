package filter

import (
	"math"

	"nstfilter/filter/engine"
)

// objective is J(G) at one size, with its gradient at the pixels.
type objective struct {
	o      *Options
	layers []layer
	ev     engine.Evaluator
	style  map[string]styleTarget
	gram   gramLoss
	grads  []engine.Gradient // one per tap

	resident engine.Descender // nil: moments come back, gradients go
	terms    []engine.Term    // what it was told

	prior, priorWeight engine.Vector // nil: none
}

func newObjective(o *Options, layers []layer, ev engine.Evaluator, style map[string]styleTarget) *objective {
	j := &objective{o: o, layers: layers, ev: ev, style: style, gram: gramLoss{congruence: congruence(ev)}}
	for _, l := range layers {
		g := engine.Gradient{}
		if l.Style {
			g.Gram = make([]float32, l.c*l.c)
		}
		j.grads = append(j.grads, g)
	}
	j.resident, _ = ev.(engine.Descender)
	return j
}

// setContent makes the picture in x the content.
func (j *objective) setContent(x engine.Vector) {
	var metric [][]float32
	for _, l := range j.layers {
		metric = append(metric, l.metric)
	}
	moments := j.ev.Forward(x)
	if j.resident != nil {
		j.setTerms(moments)
	}
	j.ev.SetContent(metric)
}

// setTerms tells the evaluator what J is; of the moments only the positions that
// count matter, which are the same for every picture.
func (j *objective) setTerms(m []engine.Moments) {
	j.terms = nil
	for i := range j.layers {
		l, term := &j.layers[i], engine.Term{}
		if l.Style {
			t := j.style[l.name]
			term.Target, term.Metric = t.gram, l.metric
			term.Style = gramSlope(l, j.o.StyleWeight*t.lambda)
		}
		if l.Content {
			term.Content = j.contentSlope(l, m[i].P)
		}
		j.terms = append(j.terms, term)
	}
	j.resident.SetTerms(j.terms)
}

// contentSlope is dJ/dMoments.Content of a layer with p positions.
func (j *objective) contentSlope(l *layer, p float64) float64 {
	return j.o.ContentWeight * l.content * contentFactor(l, j.o.LossScale, p)
}

// at evaluates J at the picture x and writes dJ/dx. Losses that nobody has to read
// may be those of an evaluation before, which saves waiting for them.
func (j *objective) at(x, dx engine.Vector, read bool) Losses {
	var out Losses
	if j.resident != nil {
		return j.descend(x, dx, read)
	}
	for i, m := range j.ev.Forward(x) {
		l, g := &j.layers[i], &j.grads[i]
		if l.Style {
			t := j.style[l.name]
			out.Style += j.o.StyleWeight * t.lambda * j.gram.at(l, t.gram, m.Gram, g.Gram, j.o.StyleWeight*t.lambda)
		}
		if l.Content {
			g.Content = j.contentSlope(l, m.P)
			out.Content += g.Content * m.Content
		}
	}
	j.ev.Backward(dx, j.grads)
	if j.o.TVWeight > 0 {
		out.TV = j.o.TVWeight * j.ev.TV(dx, x, j.o.TVWeight)
	}
	if j.prior != nil && j.o.PriorWeight > 0 {
		out.Prior = j.o.PriorWeight * j.ev.Prior(dx, x, j.prior, j.priorWeight, j.o.PriorWeight)
	}
	out.Total = out.Content + out.Style + out.TV + out.Prior
	return out
}

// descend is at where the evaluator knows the terms.
func (j *objective) descend(x, dx engine.Vector, read bool) Losses {
	prior, weight := j.prior, j.priorWeight
	if j.o.PriorWeight == 0 {
		prior, weight = nil, nil
	}
	v := j.resident.Descend(dx, x, j.o.TVWeight, prior, weight, j.o.PriorWeight, read)
	out := Losses{TV: j.o.TVWeight * v.TV, Prior: j.o.PriorWeight * v.Prior}
	for i, t := range j.terms {
		out.Style += t.Style / 2 * v.Style[i]
		out.Content += t.Content * v.Content[i]
	}
	out.Total = out.Content + out.Style + out.TV + out.Prior
	return out
}

// byLayer gives the unweighted style loss of each layer at x.
func (j *objective) byLayer(x engine.Vector) map[string]float64 {
	out := map[string]float64{}
	for i, m := range j.ev.Forward(x) {
		if l := &j.layers[i]; l.Style {
			out[l.name] = j.gram.at(l, j.style[l.name].gram, m.Gram, j.grads[i].Gram, 0)
		}
	}
	return out
}

func (l Losses) finite() bool { return !math.IsNaN(l.Total) && !math.IsInf(l.Total, 0) }
