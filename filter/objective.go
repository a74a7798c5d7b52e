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
	return j
}

// setContent makes the picture in x the content.
func (j *objective) setContent(x engine.Vector) {
	var metric [][]float32
	for _, l := range j.layers {
		metric = append(metric, l.metric)
	}
	j.ev.Forward(x)
	j.ev.SetContent(metric)
}

// at evaluates J at the picture x and writes dJ/dx.
func (j *objective) at(x, dx engine.Vector) Losses {
	var out Losses
	for i, m := range j.ev.Forward(x) {
		l, g := &j.layers[i], &j.grads[i]
		if l.Style {
			t := j.style[l.name]
			out.Style += j.o.StyleWeight * t.lambda * j.gram.at(l, t.gram, m.Gram, g.Gram, j.o.StyleWeight*t.lambda)
		}
		if l.Content {
			g.Content = j.o.ContentWeight * l.content * contentFactor(l, j.o.LossScale, m.P)
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
