package engine

import "slices"

// Shares returns the weight m of each position of each tap under a mask of s's picture and
// the maps of its regions: their product, average-pooled like the activations. nil, for the
// mask or a tap's region, is 1 everywhere, and so is a tap's nil.
//
// √m is the guidance T of a guided Gram matrix, Σ m a aᵀ = (T∘F)(T∘F)ᵀ (Gatys, Ecker, Bethge,
// Hertzmann, Shechtman, CVPR 2017, section 4.1), except that they divide T by the root of
// Σ T², for which Moments divide by P = Σ m: so the moments of a region, as those of a
// picture, do not depend on how large it is, and a map of ones changes nothing.
//
// Excluding every position whose receptive field has a masked pixel would lose thin
// shapes, and a threshold would jump as an edge moves. With shares each pixel has the same
// weight in every layer, except the odd ones that pooling drops.
func Shares(s Spec, mask []float32, regions [][]float32) [][]float32 {
	out := make([][]float32, len(s.Taps))
	pooled := map[int][][]float32{} // of a region, by the number of poolings
	pools := 0
	for layer, taps := range s.TapsOf() {
		if s.Network.Layers[layer].Pooled() {
			pools++
		}
		for _, i := range taps {
			r := s.Taps[i].Region
			if pooled[r] == nil {
				pooled[r] = [][]float32{s.weights(mask, regions, r)}
			}
			for k := len(pooled[r]); k <= pools; k++ {
				pooled[r] = append(pooled[r], halve(pooled[r][k-1], s.W>>(k-1), s.H>>(k-1)))
			}
			out[i] = pooled[r][pools]
		}
	}
	return out
}

// weights returns the mask times the map of a region; nil is 1 everywhere.
func (s Spec) weights(mask []float32, regions [][]float32, region int) []float32 {
	for _, m := range append([][]float32{mask}, regions...) {
		if m != nil && len(m) != s.W*s.H {
			panic("engine: a mask that is not as large as the picture")
		}
	}
	if region == 0 || len(regions) == 0 {
		return mask
	}
	return Product(mask, regions[region-1])
}

// Product returns the mask times a map; nil is 1 everywhere. It may return either of them.
func Product(mask, m []float32) []float32 {
	switch {
	case mask == nil:
		return m
	case m == nil:
		return mask
	}
	out := make([]float32, len(mask))
	for i, v := range mask {
		out[i] = v * m[i]
	}
	return out
}

// halve returns the mean of each 2×2 weights of w×h; nil stays nil.
func halve(m []float32, w, h int) []float32 {
	if m == nil {
		return nil
	}
	half := make([]float32, (w/2)*(h/2))
	for y := range h / 2 {
		for x := range w / 2 {
			q := m[2*y*w+2*x:]
			half[y*(w/2)+x] = (q[0] + q[1] + q[w] + q[w+1]) / 4
		}
	}
	return half
}

// Total returns the sum of a mask, or of the weights of a tap's positions.
func Total(mask []float32) float64 {
	sum := 0.0
	for _, v := range mask {
		sum += float64(v)
	}
	return sum
}

// Pairs returns the sum of the weights of all pairs of neighbours in a w×h mask, by which TV
// divides.
func Pairs(mask []float32, w, h int) float64 {
	sum := 0.0
	for i, v := range mask {
		if i%w+1 < w {
			sum += float64(v) * float64(mask[i+1])
		}
		if i+w < w*h {
			sum += float64(v) * float64(mask[i+w])
		}
	}
	return sum
}

// ClearMasked sets dx to 0 in all planes where the mask is 0.
func ClearMasked(dx, mask []float32) {
	for plane := range slices.Chunk(dx, len(mask)) {
		for i, m := range mask {
			if m == 0 {
				plane[i] = 0
			}
		}
	}
}
