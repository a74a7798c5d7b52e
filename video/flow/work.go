package flow

// work is the memory for a level's flow.
type work struct {
	u, v   *plane
	search searching
	dense  densifying
	refine *refining
}

// newWork is for a level of (w, h); one that is not searched has its flow alone.
func newWork(w, h int, p Preset, searched bool) *work {
	u, v := newPlane(w, h), newPlane(w, h)
	k := &work{u: &u, v: &v}
	if !searched {
		return k
	}
	sum := newPlane(w, h)
	k.search = searching{u: k.u, v: k.v, g: newGrid(w, h, p.Stride), iterations: p.Descent / 2}
	k.dense = densifying{s: &k.search, u: k.u, v: k.v, sum: &sum}
	if p.FixedPoints > 0 {
		k.refine = newRefining(k.u, k.v, p)
	}
	return k
}

// steps are the parts of an estimate that workers share, each for one block of
// rows, or stripe, of the level that the estimator is at.
type steps struct {
	grow, output, search, densify                              func(i int)
	move, linearise1, linearise2, load, weigh, assemble, store func(i int)
	relax                                                      [2]func(i int)
}

func (e *Estimator) bindSteps() {
	// The level's rows of a block, and its refinement.
	ofRefining := func(f func(r *refining, y0, y1 int)) func(int) {
		return func(i int) {
			y0, y1 := rows(i, e.now.u.h)
			f(e.now.refine, y0, y1)
		}
	}
	k := e.kernels
	s := &e.steps
	s.grow = func(i int) {
		y0, y1 := rows(i, e.now.u.h)
		e.growTo(e.now.u.data[e.now.u.at(0, 0):], e.now.v.data[e.now.v.at(0, 0):], e.now.u.stride, e.now.u.w, y0, y1)
	}
	s.output = func(i int) {
		y0, y1 := rows(i, e.out.H)
		e.growTo(e.out.U, e.out.V, e.out.W, e.out.W, y0, y1)
	}
	s.search = func(i int) { k.search(&e.now.search, i) }
	s.densify = func(i int) {
		y0, y1 := rows(i, e.now.u.h)
		k.densify(&e.now.dense, y0, y1)
	}
	s.move, s.linearise1, s.linearise2 = ofRefining(k.move), ofRefining(k.linearise1), ofRefining(k.linearise2)
	s.load, s.assemble, s.store = ofRefining(k.load), ofRefining(k.assemble), ofRefining(k.store)
	s.weigh = ofRefining(k.weigh)
	for c := range s.relax {
		s.relax[c] = ofRefining(func(r *refining, y0, y1 int) { k.relax(&r.system, c, y0, y1) })
	}
}

// estimate finds the flow from one picture to another, from coarse to fine.
func (e *Estimator) estimate(out *Field, from, to pyramid) {
	for i := len(e.levels) - 1; i >= e.preset.Finest; i-- {
		k := e.levels[i]
		e.now = k
		n := blocks(k.u.h)
		if i == len(e.levels)-1 {
			clear(k.u.data)
			clear(k.v.data)
		} else {
			e.coarse = e.levels[i+1]
			e.crew.Run(n, e.steps.grow)
		}
		k.search.from, k.search.to = &from[i], &to[i]
		e.crew.Run(stripes(&k.search.g), e.steps.search)
		e.crew.Run(n, e.steps.densify)
		if k.refine != nil {
			e.refine(k.refine, n)
		}
	}
	e.out = out
	for i := e.preset.Finest - 1; i > 0; i-- {
		e.now, e.coarse = e.levels[i], e.levels[i+1]
		e.crew.Run(blocks(e.now.u.h), e.steps.grow)
	}
	if e.preset.Finest == 0 {
		for y := range e.h {
			copy(out.U[y*e.w:], e.levels[0].u.row(y))
			copy(out.V[y*e.w:], e.levels[0].v.row(y))
		}
		return
	}
	e.coarse = e.levels[1]
	e.crew.Run(blocks(e.h), e.steps.output)
}

// worthSharing is how many pixels a level has whose steps are worth waiting for one
// another.
const worthSharing = 1 << 14

func (e *Estimator) refine(r *refining, n int) {
	r.from, r.to = e.now.search.from, e.now.search.to
	if r.u.w*r.u.h < worthSharing {
		defer func(threads int) { e.crew.Threads = threads }(e.crew.Threads)
		e.crew.Threads = 1
	}
	e.crew.Run(n, e.steps.move)
	e.crew.Run(n, e.steps.linearise1)
	e.crew.Run(n, e.steps.linearise2)
	e.crew.Run(n, e.steps.load)
	for range e.preset.FixedPoints {
		e.crew.Run(n, e.steps.weigh)
		e.crew.Run(n, e.steps.assemble)
		for range e.preset.Relaxations {
			e.crew.Run(n, e.steps.relax[0])
			e.crew.Run(n, e.steps.relax[1])
		}
		e.crew.Run(n, e.steps.store)
	}
}

func (e *Estimator) growTo(u, v []float32, stride, w, y0, y1 int) {
	e.kernels.grow(u, stride, w, e.coarse.u, y0, y1)
	e.kernels.grow(v, stride, w, e.coarse.v, y0, y1)
}

// grow enlarges src, a flow, to rows of w samples, twice as many or one less, bilinearly, and doubles it.
func (goKernels) grow(dst []float32, stride, w int, src *plane, y0, y1 int) {
	for y := y0; y < y1; y++ {
		// Row y lies at (y−½)/2 of src: a quarter from row near.
		near := src.row(y / 2)
		far := src.clampedRow(y/2 + 2*(y&1) - 1)
		d := dst[y*stride : y*stride+w]
		for x := range d {
			i, j := x/2, clamp(x/2+2*(x&1)-1, src.w)
			a, b := 3*near[i]+far[i], 3*near[j]+far[j]
			d[x] = (3*a + b) / 8
		}
	}
}
