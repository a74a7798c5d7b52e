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
		pix, mask, at := f.styleAt(style, s)
		made, err := f.e.Compile(f.within(f.spec(at, layers, p), f.styleMemory(full, s, at)))
		if err != nil {
			return nil, err
		}
		ev = made
		x := ev.NewVector(len(pix))
		ev.Upload(x, pix)
		ev.SetMask(mask)
		for k, m := range ev.Forward(x) {
			l := &layers[k]
			if grams[l.name] == nil {
				grams[l.name] = make([]float32, l.c*l.c)
			}
			axpy(grams[l.name], float32(shares[i]), m.Gram)
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

// styleAt returns the style at the size that suits a picture of size s, its mask
// there (nil: all of it counts), and that size: its aspect kept, its longest side s's
// times Options.StyleScale. For the paper's sums it is the canvas's own size, the
// middle of the style: where P_S = P_G, Gram(S) and Gram(G) compare by their means.
func (f *Filter) styleAt(style *Frame, s size) (pix, mask []float32, at size) {
	own := size{style.W, style.H}
	if f.o.LossScale != "sum" {
		at = f.styleSize(style, s)
		return style.fit(at), fitMask(style.mask(), own, at), at
	}
	s = s.grow(f.o.Margin)
	k := max(float64(s.w)/float64(style.W), float64(s.h)/float64(style.H))
	cover := own.times(k)
	cover = size{max(cover.w, s.w), max(cover.h, s.h)}
	if mask = style.mask(); mask != nil {
		mask = middle(fitMask(mask, own, cover), 1, cover, s)
	}
	return middle(style.fit(cover), 3, cover, s), mask, s
}

// middle cuts planes of a size down to a smaller one.
func middle(pix []float32, planes int, from, to size) []float32 {
	out := make([]float32, planes*to.pixels())
	left, top := (from.w-to.w)/2, (from.h-to.h)/2
	for p := range planes {
		for y := range to.h {
			copy(out[p*to.pixels()+y*to.w:][:to.w], pix[p*from.pixels()+(top+y)*from.w+left:])
		}
	}
	return out
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
