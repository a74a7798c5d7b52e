package filter

import (
	"slices"

	"nstfilter/filter/engine"
)

// workspace is an evaluator with the vectors of one size. It outlives a frame, so
// vectors are handed out again for every optimisation.
type workspace struct {
	engine.Evaluator
	size      size
	precision engine.Precision
	x         engine.Vector // the picture

	vectors []engine.Vector
	used    int
	first   bool // painted a first frame, and may have vectors that later ones do not need
}

// workspace returns one for the size and precision, a kept one if there is; own is
// what is needed beside its evaluator, in bytes.
func (f *Filter) workspace(s size, p engine.Precision, own int64) (*workspace, error) {
	for _, w := range f.kept {
		if w.size == s && w.precision == p {
			w.used = 0
			return w, nil
		}
	}
	ev, err := f.compile(f.within(f.spec(s, f.layers, p), own))
	if err != nil {
		return nil, err
	}
	w := &workspace{Evaluator: ev, size: s, precision: p}
	f.kept = append(f.kept, w) // before its vectors, which may fail
	w.x = ev.NewVector(3 * s.pixels())
	return w, nil
}

// leave frees the workspaces but that of a size and precision, and the one that is
// planned to stay beside it.
func (f *Filter) leave(s size, p engine.Precision) {
	f.kept = slices.DeleteFunc(f.kept, func(w *workspace) bool {
		beside := slices.Contains(f.together, w.size) && !w.first
		if w.precision == p && (w.size == s || beside) {
			return false
		}
		w.Close()
		return true
	})
}

// spec asks for the taps of the layers at a size.
func (f *Filter) spec(s size, layers []layer, p engine.Precision) engine.Spec {
	spec := engine.Spec{Network: f.n, Pooling: f.pool, W: s.w, H: s.h, Precision: p}
	for _, l := range layers {
		spec.Taps = append(spec.Taps, l.Tap)
	}
	return spec
}

// NewVector returns a zero vector that is free again when the workspace is next
// asked for.
func (w *workspace) NewVector(n int) engine.Vector {
	for i := w.used; i < len(w.vectors); i++ {
		if v := w.vectors[i]; v.Len() == n {
			w.vectors[i], w.vectors[w.used] = w.vectors[w.used], v
			w.used++
			zeros := make([]float32, min(n, 1<<16))
			w.Upload(w.View(v, 0, len(zeros)), zeros)
			for done := len(zeros); done < n; done *= 2 { // a device copies its own memory fastest
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

// setPrior gives the objective the guide's prior for a picture of size s inside
// its margin, of which the mask counts, nil for all.
func (w *workspace) setPrior(j *objective, g Guide, mask []float32, s size, margin int) {
	if g.Prior == nil {
		return
	}
	weight := make([]float32, s.pixels())
	if g.PriorWeight == nil {
		for i := range weight {
			weight[i] = 1
		}
	} else {
		weight = resize(g.PriorWeight, 1, g.Prior.W, g.Prior.H, s.w, s.h, bilinear)
	}
	if mask != nil { // Prior divides by all pixels
		share := float32(engine.Total(mask) / float64(s.pixels()))
		for i, m := range mask {
			weight[i] *= m / share
		}
	}
	j.prior, j.priorWeight = w.NewVector(3*w.size.pixels()), w.NewVector(w.size.pixels())
	w.Upload(j.prior, mirror(g.Prior.fit(s), 3, s, margin))
	weight = mirror(weight, 1, s, margin)
	outside(1, s, margin, func(at, _ int) { weight[at] = 0 }) // it shows something else by now
	w.Upload(j.priorWeight, weight)
}
