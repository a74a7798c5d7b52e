package filter

import (
	"nstfilter/filter/engine"
)

// keptTargets bounds how many sizes' style targets a filter remembers.
const keptTargets = 16

// styleTargets returns what the styles ask of each style layer of a picture of
// size s, blended and weighed; full is the size of the frame.
func (f *Filter) styleTargets(full, s size, p engine.Precision) (map[string]styleTarget, error) {
	if t, ok := f.targets[s]; ok {
		return t, nil
	}
	var layers []layer
	for _, l := range f.layers {
		if l.Style {
			l.Content = false
			layers = append(layers, l)
		}
	}
	grams := map[string][]float32{}
	var gl gramLoss
	out := map[string]styleTarget{}
	shares := f.shares()
	var ev engine.Evaluator
	defer func() {
		if ev != nil {
			ev.Close()
		}
	}()
	for i, style := range f.styles {
		if shares[i] == 0 || len(layers) == 0 {
			continue
		}
		if ev != nil {
			ev.Close()
			ev = nil
		}
		pix, at := f.styleAt(style, s)
		made, err := f.e.Compile(f.within(f.spec(at, layers, p), f.styleMemory(full, s, at)))
		if err != nil {
			return nil, err
		}
		ev = made
		x := ev.NewVector(len(pix))
		ev.Upload(x, pix)
		w, h := engine.Sizes(f.spec(s.grow(f.o.Margin), f.layers, p))
		for k, m := range ev.Forward(x) {
			l := &layers[k]
			if grams[l.name] == nil {
				grams[l.name] = make([]float32, l.c*l.c)
			}
			share := shares[i]
			if f.o.LossScale == "sum" { // Gram(S), not Gram(S)/P_S, is what Gram(G) should be
				share *= float64(m.P) / float64(w[l.Layer]*h[l.Layer])
			}
			axpy(grams[l.name], float32(share), m.Gram)
		}
		gl.congruence = congruence(ev)
	}
	for i := range layers {
		l := &layers[i]
		t := styleTarget{gram: grams[l.name], lambda: l.style}
		if l.style == Balanced {
			t.lambda = 0 // a layer that the style leaves dark asks for nothing
			if e := gl.energy(l, t.gram); e > 0 {
				t.lambda = 1 / e
			}
		}
		out[l.name] = t
	}
	if len(f.targets) >= keptTargets {
		clear(f.targets)
	}
	f.targets[s] = out
	return out, nil
}

// styleAt returns the style at the size that suits a picture of size s, and that
// size: its aspect kept, its longest side s's times Options.StyleScale. For the
// paper's sums it is the canvas's own size, the middle of the style.
func (f *Filter) styleAt(style *Frame, s size) ([]float32, size) {
	if f.o.LossScale != "sum" {
		at := f.styleSize(style, s)
		return style.fit(at), at
	}
	s = s.grow(f.o.Margin)
	k := max(float64(s.w)/float64(style.W), float64(s.h)/float64(style.H))
	cover := size{style.W, style.H}.times(k)
	cover = size{max(cover.w, s.w), max(cover.h, s.h)}
	pix := style.fit(cover)
	out := make([]float32, 3*s.pixels())
	left, top := (cover.w-s.w)/2, (cover.h-s.h)/2
	for p := range 3 {
		for y := range s.h {
			copy(out[p*s.pixels()+y*s.w:][:s.w], pix[p*cover.pixels()+(top+y)*cover.w+left:])
		}
	}
	return out, s
}

// styleSize is the size at which a style is seen beside a picture of size s.
func (f *Filter) styleSize(style *Frame, s size) size {
	if f.o.LossScale == "sum" {
		return s.grow(f.o.Margin)
	}
	k := f.o.StyleScale * float64(max(s.w, s.h)) / float64(max(style.W, style.H))
	at := size{style.W, style.H}.times(k)
	return size{max(at.w, engine.MinSide), max(at.h, engine.MinSide)}
}

// shares are the styles' parts of the blend; they add up to 1.
func (f *Filter) shares() []float64 {
	out := make([]float64, len(f.styles))
	total := 0.0
	for i := range out {
		out[i] = 1
		if len(f.o.StyleBlendWeights) > 0 {
			out[i] = f.o.StyleBlendWeights[i]
		}
		total += out[i]
	}
	for i := range out {
		out[i] /= total
	}
	return out
}
