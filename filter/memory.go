package filter

import "nstfilter/filter/engine"

// within leaves an evaluator what MaxMemory has beside own bytes, and no more than
// the engine's device had.
func (f *Filter) within(spec engine.Spec, own int64) engine.Spec {
	if f.MaxMemory > 0 {
		spec.Memory = max(f.MaxMemory-own, 1)
	}
	if f.less > 0 && (spec.Memory == 0 || f.less < spec.Memory) {
		spec.Memory = f.less
	}
	return spec
}

// limited reports an engine with memory of its own, where vectors lie and pictures
// do not.
func (f *Filter) limited() bool {
	_, ok := f.e.(engine.Limited)
	return ok
}

// MemoryName is what MaxMemory counts, in words.
func (f *Filter) MemoryName() string {
	if f.limited() {
		return "the GPU's memory"
	}
	return "memory"
}

// ownMemory is what painting takes beside its evaluator, in the same memory, in
// bytes: a frame of size full at one scale, margin and all.
func (f *Filter) ownMemory(full, s size, last bool, how means) int64 {
	bytes := f.vectorMemory(s, how)
	if !f.limited() {
		bytes += f.pictureMemory(full, s, last, how)
	}
	return bytes
}

// vectorMemory is what the optimiser keeps where the evaluator computes.
func (f *Filter) vectorMemory(s size, how means) int64 {
	params := 3 * s.pixels()
	vectors := params + params // x, which is the parameters, and gradient
	if how.pyramid {
		params = f.parameters(s)
		vectors = 3*s.pixels() + 2*params
	}
	switch {
	case how.lbfgs:
		vectors += (2*how.pairs() + 3) * params
	case f.o.Average > 0:
		vectors += 3 * params
	default:
		vectors += 2 * params
	}
	if how.later {
		vectors += 4 * s.pixels() // the prior and its weight
	}
	return 4 * int64(vectors)
}

// sideBySide lists the sizes, margins and all, whose workspaces a film's later frames
// keep, and the bytes that painting takes with them: frames of size full, painted at
// size s. There are none where one at a time has to do.
func (f *Filter) sideBySide(full, s size) (sizes []size, bytes int64) {
	low := coarser(s)
	if !f.Film || f.apart || f.less > 0 || low == nil {
		return nil, 0
	}
	how, pictures := f.means(true), int64(0)
	for _, at := range append(low, s) {
		grown := at.grow(f.o.Margin)
		vectors, own := f.vectorMemory(grown, how), f.ownMemory(full, grown, at == s, how)
		bytes += f.e.Memory(f.within(f.spec(grown, f.layers, f.precision(false)), own)) + vectors
		pictures = max(pictures, own-vectors) // of one size after the other
		sizes = append(sizes, grown)
	}
	bytes += pictures
	if f.MaxMemory > 0 && bytes > f.MaxMemory {
		return nil, 0
	}
	return sizes, bytes
}

// pictureMemory is what lies in the host's memory, whatever computes.
func (f *Filter) pictureMemory(full, s size, last bool, how means) int64 {
	pictures := 3*full.pixels() + 2*3*s.pixels() // the frame, the result, and what passes by
	if how.later {
		pictures += 96 * full.pixels() // the guide, what it and the next one are made of, and frames that wait
	}
	if !last {
		params := 3 * s.pixels()
		if how.pyramid {
			params = f.parameters(s)
		}
		pictures += 3*s.pixels() + 2*params // the content, and Adam's moments for the next scale
	}
	return 4*int64(pictures) + f.gramMemory()
}

// styleMemory is the same as ownMemory for looking at a style of size at on the way
// to a picture of size s: the frame, the picture so far, and the moments of half its
// size wait.
func (f *Filter) styleMemory(full, s, at size) int64 {
	x := 4 * 3 * int64(at.pixels())
	if f.limited() {
		return x
	}
	return x + 4*int64(3*full.pixels()+3*s.pixels()+f.parameters(s)+2*3*at.pixels()) + f.gramMemory()
}

// gramMemory is the most that the Grams of the styles and their blends take.
func (f *Filter) gramMemory() (bytes int64) {
	for _, l := range f.styleLayers() {
		bytes += 4 * int64(l.c*l.c*(len(f.styles)+1)*keptSizes)
	}
	return bytes
}

// parameters is how many an optimisation at a size has.
func (f *Filter) parameters(s size) int {
	if f.o.Parameters == "pixels" {
		return 3 * s.pixels()
	}
	return newPyramid(s, pyramidLevels).len()
}
