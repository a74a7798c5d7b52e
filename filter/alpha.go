package filter

import (
	"slices"

	"nstfilter/filter/engine"
)

// Transparent pixels are masked: before the network sees them they are filled from their
// surroundings, no loss counts them, and their samples stay as they were. Alpha is straight,
// and a pixel that is not wholly transparent counts in full.

// mask returns 0 for each transparent pixel and 1 for the others; nil if none is transparent.
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

// transparent reports whether all of f is transparent.
func (f *Frame) transparent() bool {
	mask := f.mask()
	return mask != nil && engine.Total(mask) == 0
}

// Filled returns f with its transparent pixels filled from their surroundings, or f itself
// if it has none. It uses as many threads as runtime.GOMAXPROCS says.
func (f *Frame) Filled() *Frame { return f.filled(0) }

func (f *Frame) filled(threads int) *Frame {
	mask := f.mask()
	if mask == nil {
		return f
	}
	return f.With(fillMasked(threads, f.Pix, mask, size{f.W, f.H}))
}

// fillMasked returns a copy of three planes whose pixels of mask 0 are filled from their
// surroundings.
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

// fitMask resizes a mask; values between 0 and 1 are shares of a pixel. nil stays nil.
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
