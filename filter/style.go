package filter

import (
	"slices"

	"nstfilter/filter/engine"
)

// keptSizes bounds at how many sizes a filter remembers what its styles look like.
const keptSizes = 16

// styleLook is what the styles look like beside pictures of one size, by layer.
type styleLook struct {
	grams  []map[string][]float32 // of each style; nil: not looked at yet
	shares []float64              // of the latest blend; nil: none yet
	blend  map[string]styleTarget
}

// styleTargets returns what the styles, each by its share, ask of each style layer
// of a picture of size s; full is the size of the frame.
func (f *Filter) styleTargets(full, s size, p engine.Precision, shares []float64) (map[string]styleTarget, error) {
	look, err := f.lookAtStyles(full, s, p, shares)
	if err != nil {
		return nil, err
	}
	if slices.Equal(look.shares, shares) {
		return look.blend, nil
	}
	gl := gramLoss{congruence: congruence(nil)} // no evaluator is at hand
	out := map[string]styleTarget{}
	for _, l := range f.styleLayers() {
		t := styleTarget{gram: make([]float32, l.c*l.c), lambda: l.style}
		for i, share := range shares {
			if share > 0 {
				axpy(t.gram, float32(share), look.grams[i][l.name])
			}
		}
		if l.style == Balanced {
			t.lambda = 0 // a layer that the style leaves dark asks for nothing
			if e := gl.energy(&l, t.gram); e > 0 {
				t.lambda = 1 / e
			}
		}
		out[l.name] = t
	}
	look.shares, look.blend = slices.Clone(shares), out
	return out, nil
}

// lookAtStyles returns what the styles that have a share, at least, look like beside
// a picture of size s.
func (f *Filter) lookAtStyles(full, s size, p engine.Precision, shares []float64) (*styleLook, error) {
	known := f.looks[s]
	if known == nil {
		if len(f.looks) >= keptSizes {
			clear(f.looks)
		}
		known = &styleLook{grams: make([]map[string][]float32, len(f.styles))}
		f.looks[s] = known
	}
	for i, style := range f.styles {
		if shares[i] == 0 || known.grams[i] != nil {
			continue
		}
		var err error
		if known.grams[i], err = f.styleGrams(style, full, s, p); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// styleGrams returns, by layer, what Gram(G)/P_G of a picture of size s should be to
// look like one style: Gram(S)/P_S.
func (f *Filter) styleGrams(style *Frame, full, s size, p engine.Precision) (map[string][]float32, error) {
	grams := map[string][]float32{}
	layers := f.styleLayers()
	if len(layers) == 0 {
		return grams, nil
	}
	f.Close() // a picture's workspace is not planned for beside the style's
	pix, mask, at := f.styleAt(style, s)
	ev, err := f.compile(f.within(f.spec(at, layers, p), f.styleMemory(full, s, at)))
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	x := ev.NewVector(len(pix))
	ev.Upload(x, pix)
	ev.SetMask(mask)
	for k, m := range ev.Forward(x) {
		grams[layers[k].name] = slices.Clone(m.Gram)
	}
	return grams, nil
}

// styleLayers are the layers of the style loss, as taps of that alone.
func (f *Filter) styleLayers() (layers []layer) {
	for _, l := range f.layers {
		if l.Style {
			l.Content = false
			layers = append(layers, l)
		}
	}
	return layers
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

// shares are the styles' parts of the blend by the options; they add up to 1.
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
