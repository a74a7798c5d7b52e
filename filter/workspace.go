package filter

import "nstfilter/filter/engine"

// workspace holds the evaluators for a picture of one size, one for each size at which it is
// compared with the style, and their vectors. The next frame reuses it: NewVector then
// returns the same vectors again.
type workspace struct {
	engine.Evaluator // for the picture's own size
	network          *network
	size             size
	precision        engine.Precision
	x                engine.Vector // the picture
	levels           []level       // the picture's own size first
	areas            []float64     // of the regions, from 1, as shares of the picture; areas[0] is 1
	threads          int           // of parallel.For

	vectors []engine.Vector
	used    int
}

// level is an evaluator for one size, with the picture and the gradient there.
type level struct {
	engine.Evaluator
	size  size
	x, dx engine.Vector // of the first level: the optimiser's
}

// halvingFactor returns the a for which the next level's picture a·Eᵀ·x has means of x as
// samples; E enlarges by two (engine.EnlargeTaps).
func (l *level) halvingFactor() float64 {
	low := l.size.half()
	return float64(low.pixels()) / float64(l.size.pixels())
}

// workspace returns the workspace for pictures of size s, without margin: the cached one if it
// fits. reserved bytes of memory are needed beside its evaluators.
func (f *Filter) workspace(n *network, s size, p engine.Precision, reserved int64) (*workspace, error) {
	grown := s.grow(f.o.Margin)
	if w := f.workspaceCache; w != nil && w.network == n && w.size == grown && w.precision == p {
		w.used = 0
		return w, nil
	}
	f.dropWorkspace()
	w := &workspace{network: n, size: grown, precision: p, areas: areas(nil, nil), threads: f.threads}
	f.workspaceCache = w // first, so that it is freed if a vector fails
	for k, spec := range f.specs(n, s, p, reserved) {
		ev, err := f.compile(spec)
		if err != nil {
			return nil, err
		}
		l := level{Evaluator: ev, size: size{spec.W, spec.H}}
		if k == 0 {
			w.Evaluator = ev
		}
		w.levels = append(w.levels, l)
	}
	for k := range w.levels {
		l := &w.levels[k]
		if all := 3 * l.size.pixels(); k == 0 {
			w.x = w.Evaluator.NewVector(all)
		} else {
			l.x, l.dx = l.Evaluator.NewVector(all), l.Evaluator.NewVector(all)
		}
	}
	return w, nil
}

// Close frees evaluators and vectors.
func (w *workspace) Close() {
	for _, l := range w.levels {
		l.Close()
	}
}

// setMask sets the weight of each pixel of the picture with its margin, and in each region;
// nil: all are 1.
func (w *workspace) setMask(mask []float32, regions [][]float32) {
	w.areas = areas(mask, regions)
	for k, l := range w.levels {
		if k > 0 {
			high := w.levels[k-1].size
			mask, regions = fitMask(w.threads, mask, high, l.size), fitRegions(w.threads, regions, high, l.size)
		}
		l.SetMask(mask, regions...)
	}
}

// areas returns the share of what the mask shows that is in each region, from 1; areas[0] is 1.
// The style loss of a region is weighted by it, because moments are means over the region: so
// the style pulls at each pixel as it does at a picture without regions.
func areas(mask []float32, regions [][]float32) []float64 {
	out := []float64{1}
	for _, m := range regions {
		total := float64(len(m))
		if mask != nil {
			total = engine.Total(mask)
		}
		out = append(out, engine.Total(engine.Product(mask, m))/total)
	}
	return out
}

// spec returns the Spec for the layers at a size.
func (n *network) spec(s size, layers []layer, p engine.Precision) engine.Spec {
	spec := engine.Spec{Network: n.Network, Pooling: n.pool, W: s.w, H: s.h, Precision: p}
	for _, l := range layers {
		spec.Taps = append(spec.Taps, l.Tap)
	}
	return spec
}

// specs returns the Specs of a workspace's evaluators. They share the memory that is left
// beside the reserved bytes: smaller ones in proportion to their pixels, the first the rest.
func (f *Filter) specs(n *network, s size, p engine.Precision, reserved int64) []engine.Spec {
	sizes := n.compared(s)
	specs := make([]engine.Spec, len(sizes))
	all := 0
	for _, s := range sizes {
		all += s.pixels()
	}
	free := f.evaluatorMemory(reserved)
	for k := len(sizes) - 1; k >= 0; k-- {
		specs[k] = n.spec(sizes[k], n.layersAt(s, k), p)
		if free > 0 {
			specs[k].Memory = free
			if k > 0 {
				specs[k].Memory = max(free*int64(sizes[k].pixels())/int64(all), 1)
				free = max(free-f.e.Memory(specs[k]), 1)
			}
			all -= sizes[k].pixels()
		}
	}
	return specs
}

// NewVector returns a zero vector, which is reused when Filter.workspace returns the workspace
// again.
func (w *workspace) NewVector(n int) engine.Vector {
	for i := w.used; i < len(w.vectors); i++ {
		if v := w.vectors[i]; v.Len() == n {
			w.vectors[i], w.vectors[w.used] = w.vectors[w.used], v
			w.used++
			zeros := make([]float32, min(n, 1<<16))
			w.Upload(w.View(v, 0, len(zeros)), zeros)
			for done := len(zeros); done < n; done *= 2 { // copies on the device are faster than uploads
				part := min(done, n-done)
				w.Combine(w.View(v, done, part), engine.Multiple{By: 1, Of: w.View(v, 0, part)})
			}
			return v
		}
	}
	v := w.Evaluator.NewVector(n)
	w.vectors = append(w.vectors, v)
	last := len(w.vectors) - 1
	w.vectors[last], w.vectors[w.used] = w.vectors[w.used], v
	w.used++
	return v
}

// setPrior sets the objective's prior from the guide, for a picture of size s inside its
// margin; a nil mask is 1 everywhere.
func (w *workspace) setPrior(j *objective, g Guide, mask []float32, s size, margin int) {
	if g.Prior == nil || j.o.PriorWeight == 0 {
		return
	}
	weight := make([]float32, s.pixels())
	if g.PriorWeight == nil {
		for i := range weight {
			weight[i] = 1
		}
	} else {
		weight = resize(w.threads, g.PriorWeight, 1, g.Prior.W, g.Prior.H, s.w, s.h, bilinear)
	}
	if mask != nil { // engine.Evaluator.Prior divides by the number of all pixels
		share := float32(engine.Total(mask) / float64(s.pixels()))
		for i, m := range mask {
			weight[i] *= m / share
		}
	}
	p := &j.picture
	p.Prior, p.W, p.PriorWeight = w.NewVector(3*w.size.pixels()), w.NewVector(w.size.pixels()), j.o.PriorWeight
	w.Upload(p.Prior, mirror(w.threads, g.Prior.fit(w.threads, s, bicubic), 3, s, margin))
	weight = mirror(w.threads, weight, 1, s, margin)
	forMargin(w.threads, 1, s, margin, func(at, _ int) { weight[at] = 0 }) // the margin is not in the prior
	w.Upload(p.W, weight)
}
