package filter

import (
	"math"
	"slices"

	"nstfilter/filter/engine"
)

// cachedSizes is the most picture sizes for which a network caches moments of the styles.
const cachedSizes = 16

// styleCache holds the moments of the styles for pictures of one size: at that size, half of
// it, …, by layer.
type styleCache struct {
	moments [][]map[string]styleMoments // of each style; nil: not computed yet
	shares  []float64                   // of blend; nil: there is none yet
	blend   []map[string]styleTarget
}

// styleMoments are Gram(S)/P_S and the mean of one layer.
type styleMoments struct{ gram, mean []float32 }

// styleTargets returns the targets for a picture of size s, blended from the styles by their
// shares: by compared size and layer. full is the size of the frame.
func (f *Filter) styleTargets(n *network, full, s size, p engine.Precision, shares []float64) ([]map[string]styleTarget, error) {
	look, err := f.cachedMoments(n, full, s, p, shares)
	if err != nil {
		return nil, err
	}
	if slices.Equal(look.shares, shares) {
		return look.blend, nil
	}
	var blend []map[string]styleTarget
	for k := range n.compared(s) {
		targets, layers := map[string]styleTarget{}, map[int][]layer{} // by region
		for _, l := range n.styleLayersAt(s, k) {
			t := styleTarget{gram: make([]float32, l.c*l.c), mean: make([]float32, l.c)}
			for i, share := range f.regionShares(shares, l.Region) {
				if share > 0 {
					m := look.moments[i][k][l.key()]
					axpy(t.gram, float32(share), m.gram)
					axpy(t.mean, float32(share), m.mean)
				}
			}
			targets[l.key()] = t
			layers[l.Region] = append(layers[l.Region], l)
		}
		for _, region := range layers {
			setLambdas(targets, region, f.o.LossScale)
		}
		blend = append(blend, targets)
	}
	look.shares, look.blend = slices.Clone(shares), blend
	return blend, nil
}

// cachedMoments returns the moments for a picture of size s of at least those styles that
// have a share.
func (f *Filter) cachedMoments(n *network, full, s size, p engine.Precision, shares []float64) (*styleCache, error) {
	known := n.styleCaches[s]
	if known == nil {
		if len(n.styleCaches) >= cachedSizes {
			clear(n.styleCaches)
		}
		known = &styleCache{moments: make([][]map[string]styleMoments, len(f.styles))}
		n.styleCaches[s] = known
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

// styleMoments computes the moments of one style for a picture of size s, by size and layer:
// their means over Options.StyleScale.
func (f *Filter) styleMoments(n *network, style *Frame, full, s size, p engine.Precision) (out []map[string]styleMoments, err error) {
	if len(n.styleLayersAt(s, 0)) == 0 {
		return make([]map[string]styleMoments, 1), nil
	}
	f.dropWorkspace() // plans do not count it beside the style's evaluator
	sizes := f.styleSizes(style, s)
	for i, at := range sizes {
		moments, err := f.momentsOf(n, style, at, full, s, p)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			out = moments
			continue
		}
		for k := range moments {
			for name, m := range moments[k] {
				approach(out[k][name].gram, m.gram, i+1)
				approach(out[k][name].mean, m.mean, i+1)
			}
		}
	}
	return out, nil
}

// approach makes the mean of n-1 vectors that of n, with x.
func approach(mean, x []float32, n int) {
	for i := range mean {
		mean[i] += (x[i] - mean[i]) / float32(n)
	}
}

// momentsOf computes the moments of a style of size own for a picture of size s.
func (f *Filter) momentsOf(n *network, style *Frame, own, full, s size, p engine.Precision) (out []map[string]styleMoments, err error) {
	pix, mask, regions, at := f.styleAt(style, own, s)
	for k := range n.compared(s) {
		if k > 0 {
			low := at.half()
			pix = resize(f.threads, pix, 3, at.w, at.h, low.w, low.h, bilinear)
			mask, regions, at = fitMask(f.threads, mask, at, low), fitRegions(f.threads, regions, at, low), low
		}
		moments, err := f.momentsAt(n, pix, mask, regions, at, n.styleLayersAt(s, k), f.styleMemory(full, s, at), p)
		if err != nil {
			return nil, err
		}
		out = append(out, moments)
	}
	return out, nil
}

// momentsAt evaluates the network at the picture pix of size at.
func (f *Filter) momentsAt(n *network, pix, mask []float32, regions [][]float32, at size, layers []layer, reserved int64, p engine.Precision) (map[string]styleMoments, error) {
	ev, err := f.compile(f.withMemory(n.spec(at, layers, p), reserved))
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	x := ev.NewVector(len(pix))
	ev.Upload(x, pix)
	ev.SetMask(mask, regions...)
	out := map[string]styleMoments{}
	for i, m := range ev.Forward(x) {
		out[layers[i].key()] = styleMoments{slices.Clone(m.Gram), slices.Clone(m.Mean)}
	}
	return out, nil
}

// styleAt returns the style with its margin, mask, maps of regions and size, margin included, for
// a picture of size s, from its size at by styleSizes. For LossScale "sum" that is the picture's,
// so that P_S = P_G and sums are comparable.
func (f *Filter) styleAt(style *Frame, at, s size) (pix, mask []float32, regions [][]float32, _ size) {
	own := size{style.W, style.H}
	maps := style.maps(f.regions)
	if f.o.LossScale == "sum" {
		k := max(float64(s.w)/float64(style.W), float64(s.h)/float64(style.H))
		cover := own.times(k)
		cover = size{max(cover.w, s.w), max(cover.h, s.h)}
		if mask = style.mask(); mask != nil {
			mask = cropCentre(fitMask(f.threads, mask, own, cover), 1, cover, s)
		}
		pix = cropCentre(f.fitStyle(style, cover), 3, cover, s)
		for _, one := range fitRegions(f.threads, maps, own, cover) {
			regions = append(regions, cropCentre(one, 1, cover, s))
		}
	} else {
		pix, mask, regions = f.fitStyle(style, at), fitMask(f.threads, style.mask(), own, at), fitRegions(f.threads, maps, own, at)
	}
	m := f.styleMargin(at)
	return mirror(f.threads, pix, 3, at, m), marginMask(f.threads, mask, at, m), mirrorRegions(f.threads, regions, at, m), at.grow(m)
}

// cropCentre returns the centre of planes.
func cropCentre(pix []float32, planes int, from, to size) []float32 {
	out := make([]float32, planes*to.pixels())
	left, top := (from.w-to.w)/2, (from.h-to.h)/2
	for p := range planes {
		for y := range to.h {
			copy(out[p*to.pixels()+y*to.w:][:to.w], pix[p*from.pixels()+(top+y)*from.w+left:])
		}
	}
	return out
}

// styleSizes returns the sizes, without margin, at which a style is compared with a picture of
// size s: the style's aspect, and s's area times the square of each Options.StyleScale.
func (f *Filter) styleSizes(style *Frame, s size) (out []size) {
	if f.o.LossScale == "sum" {
		return []size{s}
	}
	for _, scale := range f.o.StyleScale {
		k := scale * math.Sqrt(float64(s.pixels())/(float64(style.W)*float64(style.H)))
		out = append(out, size{style.W, style.H}.times(k))
	}
	return out
}

// styleMargin returns the width of a style's margin: the picture's, or more if halves of the
// style would be below engine.MinSide.
func (f *Filter) styleMargin(at size) int {
	least := engine.MinSide << (len(f.o.StyleSizes) - 1)
	return max(f.o.Margin, (least-min(at.w, at.h)+1)/2)
}

// shares returns the styles' shares by the options, with sum 1.
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
