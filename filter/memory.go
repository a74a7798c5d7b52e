package filter

import "nstfilter/filter/engine"

// evaluatorMemory returns how many bytes evaluators may take: MaxMemory less the reserved
// bytes, and at most the device budget. 0: no limit.
func (f *Filter) evaluatorMemory(reserved int64) (bytes int64) {
	if f.MaxMemory > 0 {
		bytes = max(f.MaxMemory-reserved, 1)
	}
	if f.deviceBudget > 0 && (bytes == 0 || f.deviceBudget < bytes) {
		bytes = f.deviceBudget
	}
	return bytes
}

// withMemory returns spec limited to evaluatorMemory(reserved).
func (f *Filter) withMemory(spec engine.Spec, reserved int64) engine.Spec {
	spec.Memory = f.evaluatorMemory(reserved)
	return spec
}

// hasDeviceMemory reports whether the engine's device has its own memory: that holds vectors,
// while pictures stay in the host's.
func (f *Filter) hasDeviceMemory() bool {
	_, ok := f.e.(engine.DeviceMemory)
	return ok
}

// MemoryName names the memory that MaxMemory limits.
func (f *Filter) MemoryName() string {
	if f.hasDeviceMemory() {
		return "the GPU's memory"
	}
	return "memory"
}

// reservedMemory returns how many bytes a stage takes in the evaluators' memory beside the
// evaluators: for a frame of size full, last for its last stage.
func (f *Filter) reservedMemory(full size, st stage, last bool) int64 {
	bytes := f.vectorMemory(st)
	if !f.hasDeviceMemory() {
		bytes += f.pictureMemory(full, st, last)
	}
	return bytes
}

// vectorMemory returns the bytes of the optimiser's vectors.
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

// pictureMemory returns the bytes of a stage's pictures, which are in the host's memory with
// every engine.
func (f *Filter) pictureMemory(full size, st stage, last bool) int64 {
	s := st.size.grow(f.o.Margin)
	pictures := 3*full.pixels() + 2*3*s.pixels() + 2*s.pixels() // the frame, the result, what passes by, and masks
	if st.later {
		pictures += 90*st.pixels() + 9*full.pixels() // the guide, what it and the next one are made of; frames that wait
	}
	pictures += f.regions * (full.pixels() + 4*s.pixels()) // their maps, and what evaluators make of them
	if !last {
		params := 3 * s.pixels()
		if st.pyramid {
			params = newPyramid(s, pyramidLevels).len()
		}
		pictures += 3*s.pixels() + 2*params // the content, and Adam's moments for the next scale
	}
	return 4*int64(pictures) + f.gramMemory()
}

// styleMemory is reservedMemory while the moments of a style are computed: at is the style's
// size with its margin, s the picture's. The frame, the picture so far and the smaller style
// are held meanwhile.
func (f *Filter) styleMemory(full, s, at size) int64 {
	x := 4 * 3 * int64(at.pixels())
	if f.hasDeviceMemory() {
		return x
	}
	return x + 4*int64(3*full.pixels()+3*3*s.pixels()+3*at.pixels()) + f.gramMemory()
}

// gramMemory returns the most bytes that the cached moments of styles and blends take, and
// what engine.CompareGaussians computes with: a dozen matrices of float64 at each size.
func (f *Filter) gramMemory() (bytes int64) {
	for _, n := range f.networks() {
		for _, l := range n.layers {
			if l.Style {
				bytes += 4 * int64(l.c*(l.c+1)*(len(f.styles)+1)*cachedSizes*len(f.o.StyleSizes))
				if f.o.StyleLoss == "wasserstein" {
					bytes += 12 * 8 * int64(l.c*l.c*len(f.o.StyleSizes))
				}
			}
		}
	}
	return bytes
}
