package filter

import (
	"fmt"
	"math"
	"slices"

	"nstfilter/filter/engine"
)

// objective is J(G) with its gradient at the pixels. The content and the picture's own
// terms count at the picture's size, the style there and at half of it, a quarter, …:
//
//	J = α J_content(G) + β Σ_k w_k J_style(G/2ᵏ) / Σ_k w_k + J_tv(G) + J_gamut(G) + J_prior(G)
//
// With regions J_style is Σ_r A_r J_style,r, where A_r is the share of the picture in region r.
type objective struct {
	o       *Options
	stage   stage
	w       *workspace
	parts   []part // the picture's own size first
	picture engine.PictureTerms
}

// part is J at one of the sizes.
type part struct {
	*level
	engine.LossEvaluator
	layers []layer
	terms  []engine.Term
	base   []engine.Term // terms with the weights of the options; nil: terms are
	style  float64       // β w_k / Σ w_k
}

// newObjective returns J of a stage; style has the targets by size and layer. w has its mask.
func newObjective(f *Filter, st stage, w *workspace, style []map[string]styleTarget) *objective {
	j := &objective{o: &f.o, stage: st, w: w, picture: engine.PictureTerms{TV: st.tv, Gamut: f.o.GamutWeight}}
	total := 0.
	for k := range w.levels {
		total += f.o.StyleSizes[k]
	}
	for k := range w.levels {
		p := part{level: &w.levels[k], layers: st.network.layersAt(st.size, k)}
		if total > 0 {
			p.style = f.o.StyleWeight * f.o.StyleSizes[k] / total
		}
		for i := range p.layers {
			l, term := &p.layers[i], engine.Term{}
			if l.Style {
				t := style[k][l.key()]
				term = styleTerm(l, t, p.style*w.areas[l.Region]*t.lambda, f.o.StyleLoss)
			}
			p.terms = append(p.terms, term)
		}
		p.LossEvaluator = engine.LossEvaluatorOf(p.level.Evaluator, p.terms)
		if k > 0 {
			p.SetTerms(p.terms)
		}
		j.parts = append(j.parts, p)
	}
	return j
}

// setContent makes the picture in w.x the content.
func (j *objective) setContent() {
	p := &j.parts[0]
	var metric [][]float32
	for i, m := range p.Forward(j.w.x) { // for m.P alone
		l := &p.layers[i]
		metric = append(metric, l.metric)
		if l.Content {
			p.terms[i].Content = j.stage.content * l.content * contentFactor(l, j.o.LossScale, m.P)
		}
	}
	p.SetContent(metric)
	p.SetTerms(p.terms)
}

// weigh multiplies the weights that the options say. Call it after setContent.
func (j *objective) weigh(by Factors) {
	for k := range j.parts {
		p := &j.parts[k]
		if p.base == nil {
			p.base = slices.Clone(p.terms)
		}
		for i, t := range p.base {
			t.Style, t.Mean, t.Compared, t.Content = t.Style*by.Style, t.Mean*by.Style, t.Compared*by.Style, t.Content*by.Content
			p.terms[i] = t
		}
		p.SetTerms(p.terms)
	}
	j.picture.TV = j.stage.tv * by.TV
}

// at evaluates J at the picture w.x and writes dJ/dx; losses returns the values.
func (j *objective) at(dx engine.Vector) {
	j.parts[0].x, j.parts[0].dx = j.w.x, dx
	for k := range j.parts[1:] {
		low, high := &j.parts[k+1], &j.parts[k]
		j.w.EnlargeAdjoint(low.x, high.x, high.size.w, high.size.h)
		j.w.Combine(low.x, engine.Multiple{By: high.halvingFactor(), Of: low.x})
	}
	for k := len(j.parts) - 1; k >= 0; k-- {
		p, picture := &j.parts[k], engine.PictureTerms{}
		if k == 0 {
			picture = j.picture
		}
		p.EvaluateLoss(p.dx, p.x, picture)
	}
	for k := len(j.parts) - 1; k > 0; k-- {
		low, high := &j.parts[k], &j.parts[k-1]
		j.w.Enlarge(high.dx, high.dx, high.halvingFactor(), low.dx, high.size.w, high.size.h)
	}
}

// losses waits for the values of the latest evaluation.
func (j *objective) losses() (out Losses) {
	for k := range j.parts {
		p := &j.parts[k]
		v := p.Values()
		for i, t := range p.terms {
			out.Style += styleLoss(&t, &v, i)
			out.Content += t.Content * v.Content[i]
		}
		out.TV += j.picture.TV * v.TV
		out.Gamut += j.picture.Gamut * v.Gamut
		out.Prior += j.picture.PriorWeight * v.Prior
	}
	out.Total = out.Content + out.Style + out.TV + out.Gamut + out.Prior
	return out
}

// byLayer returns each layer's part of the style loss in the latest evaluation; at half the
// picture's size relu1_1 is called relu1_1/2, and so on.
func (j *objective) byLayer() map[string]float64 {
	out := map[string]float64{}
	for k := range j.parts {
		p := &j.parts[k]
		v := p.Values()
		for i, t := range p.terms {
			if !p.layers[i].Style {
				continue
			}
			name := p.layers[i].name
			if k > 0 {
				name += fmt.Sprintf("/%d", 1<<k)
			}
			out[p.layers[i].in(name)] = styleLoss(&t, &v, i)
		}
	}
	return out
}

// styleLoss returns what the term of tap i adds to the style loss.
func styleLoss(t *engine.Term, v *engine.Values, i int) float64 {
	return t.Style/2*v.Style[i] + t.Mean/2*v.Mean[i] + t.Compared*v.Compared[i]
}

func (l Losses) finite() bool { return !math.IsNaN(l.Total) && !math.IsInf(l.Total, 0) }
