package engine

import "slices"

// Shares returns the weight m of each position of each tap under a mask of s's picture: the
// mask average-pooled like the activations. √m is the guidance T of a guided Gram matrix,
// Σ m a aᵀ = (T∘F)(T∘F)ᵀ (Gatys, Ecker, Bethge, Hertzmann, Shechtman, CVPR 2017, section
// 4.1). Excluding every position whose receptive field has a masked pixel would lose thin
// shapes, and a threshold would jump as an edge moves. With shares each pixel has the same
// weight in every layer, except the odd ones that pooling drops.
func Shares(s Spec, mask []float32) [][]float32 {
	if len(mask) != s.W*s.H {
		panic("engine: a mask that is not as large as the picture")
	}
	out := make([][]float32, len(s.Taps))
	w, h := s.W, s.H
	tap := 0
	for i := range s.Network.Layers[:s.Depth()] {
		if s.Network.Layers[i].Pooled() {
			half := make([]float32, (w/2)*(h/2))
			for y := range h / 2 {
				for x := range w / 2 {
					q := mask[2*y*w+2*x:]
					half[y*(w/2)+x] = (q[0] + q[1] + q[w] + q[w+1]) / 4
				}
			}
			mask, w, h = half, w/2, h/2
		}
		if s.Taps[tap].Layer == i {
			out[tap] = mask
			tap++
		}
	}
	return out
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
