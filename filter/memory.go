package filter

import "nstfilter/filter/engine"

// free is what evaluators may take beside own bytes: what MaxMemory leaves, and no more
// than the engine's device had. 0: no limit.
func (f *Filter) free(own int64) (bytes int64) {
	if f.MaxMemory > 0 {
		bytes = max(f.MaxMemory-own, 1)
	}
	if f.less > 0 && (bytes == 0 || f.less < bytes) {
		bytes = f.less
	}
	return bytes
}

// within leaves one evaluator what is free beside own bytes.
func (f *Filter) within(spec engine.Spec, own int64) engine.Spec {
	spec.Memory = f.free(own)
	return spec
}

// limited reports an engine with memory of its own, where vectors lie and pictures
// do not.
func (f *Filter) limited() bool {
	_, ok := f.e.(engine.DeviceMemory)
	return ok
}

// MemoryName is what MaxMemory counts, in words.
func (f *Filter) MemoryName() string {
	if f.limited() {
		return "the GPU's memory"
	}
	return "memory"
}

// ownMemory is what a stage takes beside its evaluators, in the same memory, in bytes:
// of a frame of size full, last at its last stage.
func (f *Filter) ownMemory(full size, st stage, last bool) int64 {
	bytes := f.vectorMemory(st)
	if !f.limited() {
		bytes += f.pictureMemory(full, st, last)
	}
	return bytes
}

// vectorMemory is what the optimiser keeps where the evaluators compute.
func (f *Filter) vectorMemory(st stage) int64 {
	sizes := st.network.compared(st.size)
	params := 3 * sizes[0].pixels()
	vectors := params + params // x, which is the parameters, and gradient
	if st.pyramid {
		params = newPyramid(sizes[0], pyramidLevels).len()
		vectors = 3*sizes[0].pixels() + 2*params
	}
	for _, s := range sizes[1:] {
		vectors += 2 * 3 * s.pixels()
	}
	switch {
	case st.lbfgs:
		vectors += (2*st.pairs() + 3) * params
	case f.o.Average > 0:
		vectors += 3 * params
	default:
		vectors += 2 * params
	}
	if f.Film && f.o.PriorWeight > 0 {
		vectors += 4 * sizes[0].pixels() // the prior and its weight
	}
	return 4 * int64(vectors)
}

// pictureMemory is what lies in the host's memory, whatever computes.
func (f *Filter) pictureMemory(full size, st stage, last bool) int64 {
	s := st.size.grow(f.o.Margin)
	pictures := 3*full.pixels() + 2*3*s.pixels() + 2*s.pixels() // the frame, the result, what passes by, and masks
	if st.later {
		pictures += 90*st.pixels() + 9*full.pixels() // the guide, what it and the next one are made of; frames that wait
	}
	if !last {
		params := 3 * s.pixels()
		if st.pyramid {
			params = newPyramid(s, pyramidLevels).len()
		}
		pictures += 3*s.pixels() + 2*params // the content, and Adam's moments for the next scale
	}
	return 4*int64(pictures) + f.gramMemory()
}

// styleMemory is the same as ownMemory for looking at a style of size at, margin and all,
// on the way to a picture of size s: the frame, the picture so far, and the moments of
// half its size wait.
func (f *Filter) styleMemory(full, s, at size) int64 {
	x := 4 * 3 * int64(at.pixels())
	if f.limited() {
		return x
	}
	return x + 4*int64(3*full.pixels()+3*3*s.pixels()+3*at.pixels()) + f.gramMemory()
}

// gramMemory is the most that the moments of the styles and their blends take.
func (f *Filter) gramMemory() (bytes int64) {
	for _, n := range f.networks() {
		for _, l := range n.layers {
			if l.Style {
				bytes += 4 * int64(l.c*(l.c+1)*(len(f.styles)+1)*keptSizes*len(f.o.StyleSizes))
			}
		}
	}
	return bytes
}
