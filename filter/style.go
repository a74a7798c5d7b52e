package filter

import (
	"math"
	"slices"

	"nstfilter/filter/engine"
)

// keptSizes bounds at how many sizes a filter remembers what its styles look like.
const keptSizes = 16

// styleLook is what the styles look like beside pictures of one size: at that size, half
// of it, …, by layer.
type styleLook struct {
	moments [][]map[string]styleMoments // of each style; nil: not looked at yet
	shares  []float64                   // of the latest blend; nil: none yet
	blend   []map[string]styleTarget
}

// styleMoments are Gram(S)/P_S and the mean of one layer.
type styleMoments struct{ gram, mean []float32 }

// styleTargets returns what the styles, each by its share, ask of each style layer of a
// picture of size s, at each size at which a network compares it with them; full is the
// size of the frame.
func (f *Filter) styleTargets(n *network, full, s size, p engine.Precision, shares []float64) ([]map[string]styleTarget, error) {
	look, err := f.lookAtStyles(n, full, s, p, shares)
	if err != nil {
		return nil, err
	}
	if slices.Equal(look.shares, shares) {
		return look.blend, nil
	}
	var blend []map[string]styleTarget
	for k := range n.compared(s) {
		targets, layers := map[string]styleTarget{}, n.styleLayersAt(s, k)
		for _, l := range layers {
			t := styleTarget{gram: make([]float32, l.c*l.c), mean: make([]float32, l.c)}
			for i, share := range shares {
				if share > 0 {
					m := look.moments[i][k][l.name]
					axpy(t.gram, float32(share), m.gram)
					axpy(t.mean, float32(share), m.mean)
				}
			}
			targets[l.name] = t
		}
		setLambdas(targets, layers, f.o.LossScale)
		blend = append(blend, targets)
	}
	look.shares, look.blend = slices.Clone(shares), blend
	return blend, nil
}

// lookAtStyles returns what the styles that have a share, at least, look like beside
// a picture of size s.
func (f *Filter) lookAtStyles(n *network, full, s size, p engine.Precision, shares []float64) (*styleLook, error) {
	known := n.looks[s]
	if known == nil {
		if len(n.looks) >= keptSizes {
			clear(n.looks)
		}
		known = &styleLook{moments: make([][]map[string]styleMoments, len(f.styles))}
		n.looks[s] = known
	}
	for i, style := range f.styles {
		if shares[i] == 0 || known.moments[i] != nil {
			continue
		}
		var err error
		if known.moments[i], err = f.styleMoments(n, style, full, s, p); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// styleMoments returns, by size and layer, what a picture of size s should have to look
// like one style.
func (f *Filter) styleMoments(n *network, style *Frame, full, s size, p engine.Precision) (out []map[string]styleMoments, err error) {
	if len(n.styleLayersAt(s, 0)) == 0 {
		return make([]map[string]styleMoments, 1), nil
	}
	f.Close() // a picture's workspace is not planned for beside the style's
	pix, mask, at := f.styleAt(style, s)
	for k := range n.compared(s) {
		if k > 0 {
			low := at.half()
			pix = resize(f.threads, pix, 3, at.w, at.h, low.w, low.h, bilinear)
			mask, at = fitMask(f.threads, mask, at, low), low
		}
		moments, err := f.momentsAt(n, pix, mask, at, n.styleLayersAt(s, k), f.styleMemory(full, s, at), p)
		if err != nil {
			return nil, err
		}
		out = append(out, moments)
	}
	return out, nil
}

// momentsAt evaluates the network at a picture.
func (f *Filter) momentsAt(n *network, pix, mask []float32, at size, layers []layer, own int64, p engine.Precision) (map[string]styleMoments, error) {
	ev, err := f.compile(f.within(n.spec(at, layers, p), own))
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	x := ev.NewVector(len(pix))
	ev.Upload(x, pix)
	ev.SetMask(mask)
	out := map[string]styleMoments{}
	for i, m := range ev.Forward(x) {
		out[layers[i].name] = styleMoments{slices.Clone(m.Gram), slices.Clone(m.Mean)}
	}
	return out, nil
}

// styleAt returns the style as it is compared with a picture of size s, in a margin like
// the picture's, with its mask and its size, margin and all. For the paper's sums it is as
// large as the picture: where P_S = P_G, Gram(S) and Gram(G) compare by their means.
func (f *Filter) styleAt(style *Frame, s size) (pix, mask []float32, at size) {
	own := size{style.W, style.H}
	at = f.styleSize(style, s)
	if f.o.LossScale == "sum" {
		k := max(float64(s.w)/float64(style.W), float64(s.h)/float64(style.H))
		cover := own.times(k)
		cover = size{max(cover.w, s.w), max(cover.h, s.h)}
		if mask = style.mask(); mask != nil {
			mask = middle(fitMask(f.threads, mask, own, cover), 1, cover, s)
		}
		pix = middle(style.fit(f.threads, cover, lanczos), 3, cover, s)
	} else {
		pix, mask = style.fit(f.threads, at, lanczos), fitMask(f.threads, style.mask(), own, at)
	}
	m := f.styleMargin(at)
	return mirror(f.threads, pix, 3, at, m), marginMask(f.threads, mask, at, m), at.grow(m)
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

// styleSize is the size at which a style is compared with a picture of size s, without
// its margin: its aspect kept, its area s's times Options.StyleScale².
func (f *Filter) styleSize(style *Frame, s size) size {
	if f.o.LossScale == "sum" {
		return s
	}
	k := f.o.StyleScale * math.Sqrt(float64(s.pixels())/(float64(style.W)*float64(style.H)))
	return size{style.W, style.H}.times(k)
}

// styleMargin is the width of a style's margin: the picture's, or more where its halves
// would be smaller than what engines accept.
func (f *Filter) styleMargin(at size) int {
	least := engine.MinSide << (len(f.o.StyleSizes) - 1)
	return max(f.o.Margin, (least-min(at.w, at.h)+1)/2)
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
