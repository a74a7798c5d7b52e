package filter

import (
	"slices"

	"nstfilter/filter/engine"
)

// What is transparent takes no part: the network sees its surroundings spread over
// it, no loss counts it, and its samples come out as they went in. Colours are
// straight; whatever is not wholly transparent counts in full.

// mask is 0 where f is transparent and 1 elsewhere; nil where nothing is.
func (f *Frame) mask() []float32 {
	if !slices.Contains(f.Alpha, 0) {
		return nil
	}
	mask := make([]float32, len(f.Alpha))
	for i, a := range f.Alpha {
		if a > 0 {
			mask[i] = 1
		}
	}
	return mask
}

// transparent reports whether nothing of f can be seen.
func (f *Frame) transparent() bool {
	mask := f.mask()
	return mask != nil && engine.Total(mask) == 0
}

// Filled is f with its surroundings spread over what is transparent; f itself where
// nothing is.
func (f *Frame) Filled() *Frame { return f.filled(0) }

func (f *Frame) filled(threads int) *Frame {
	mask := f.mask()
	if mask == nil {
		return f
	}
	return f.With(fillMasked(threads, f.Pix, mask, size{f.W, f.H}))
}

// fillMasked returns a copy of three planes in which their surroundings are spread over
// the pixels where the mask is 0.
func fillMasked(threads int, pix, mask []float32, s size) []float32 {
	out, weight := slices.Clone(pix), make([]float32, len(mask))
	for i, m := range mask {
		if m > 0 {
			weight[i] = 1
		}
	}
	pushPull(threads, out, weight, s.w, s.h)
	return out
}

// fitMask brings a mask to another size, where it is the share that counts; nil
// stays nil.
func fitMask(threads int, mask []float32, from, to size) []float32 {
	if mask == nil || from == to {
		return mask
	}
	out := resize(threads, mask, 1, from.w, from.h, to.w, to.h, bilinear)
	clamp01(threads, out)
	return out
}

// restore gives pix the samples of original where the mask is 0.
func restore(pix, original, mask []float32) {
	for i := range pix {
		if mask[i%len(mask)] == 0 {
			pix[i] = original[i]
		}
	}
}
