package flow

import (
	"fmt"

	"nstfilter/filter"
	"nstfilter/filter/parallel"
)

// Preset is how thoroughly flow is sought. Ultrafast, Fast and Medium are those of
// OpenCV's DISOpticalFlow.
type Preset struct {
	Finest      int // level of the pyramid, of 1/2^Finest of the sides, that flow is last sought in
	Stride      int // pixels between patches of 8×8, 1 … 8
	Descent     int // iterations of gradient descent for a patch, in all
	FixedPoints int // of the variational refinement at each level; 0: none
	Relaxations int // of each fixed point's linear system

	Alpha, Delta, Gamma float32 // weights of smoothness, brightness and gradients
}

// Ultrafast does without variational refinement.
var Ultrafast = Preset{Finest: 2, Stride: 4, Descent: 12, Relaxations: 5, Alpha: 20, Delta: 5, Gamma: 10}

// Fast refines, at a quarter of the sides.
var Fast = Preset{Finest: 2, Stride: 4, Descent: 16, FixedPoints: 5, Relaxations: 5, Alpha: 20, Delta: 5, Gamma: 10}

// Medium seeks at half of the sides.
var Medium = Preset{Finest: 1, Stride: 3, Descent: 25, FixedPoints: 5, Relaxations: 5, Alpha: 20, Delta: 5, Gamma: 10}

// Fine seeks at the full size: about five times the work of Medium, and ends that
// are a quarter nearer on Middlebury's pairs.
var Fine = Preset{Finest: 0, Stride: 3, Descent: 25, FixedPoints: 5, Relaxations: 5, Alpha: 40, Delta: 5, Gamma: 10}

// Estimator estimates flow between pictures of one size. It keeps its memory, and
// the last picture's pyramid. It is for one goroutine at a time.
type Estimator struct {
	w, h    int
	preset  Preset
	crew    *parallel.Crew
	kernels kernels

	last, next        pyramid
	seen              bool // last is a picture
	levels            []*work
	forward, backward *Field

	build       building
	now, coarse *work // what the steps work on, and the level that it grows from
	out         *Field
	steps       steps
}

// New returns an estimator for pictures of w×h, which works on at most the given
// number of threads; 0 is one for each processor. Any size will do; below 8 pixels there
// is little to see.
func New(w, h int, p Preset, threads int) *Estimator {
	if w < 1 || h < 1 || p.Stride < 1 || p.Stride > patch || p.Finest < 0 {
		panic(fmt.Sprintf("flow: no estimator of %d×%d with %+v", w, h, p))
	}
	coarsest := coarsestLevel(w, h)
	p.Finest = min(p.Finest, coarsest)
	e := &Estimator{w: w, h: h, preset: p, crew: parallel.NewCrew(threads), kernels: fastest(),
		last: newPyramid(w, h, p.Finest, coarsest), next: newPyramid(w, h, p.Finest, coarsest),
		levels: make([]*work, coarsest+1), forward: NewField(w, h), backward: NewField(w, h)}
	for i := range e.levels {
		l := &e.last[i].luma
		e.levels[i] = newWork(l.w, l.h, p, i >= p.Finest)
	}
	e.bindBuilding()
	e.bindSteps()
	return e
}

// coarsestLevel leaves the longer side about four patches and the shorter at
// least one, where there is that much.
func coarsestLevel(w, h int) (n int) {
	for max(w, h) >= 6*patch && min(w, h) >= 2*patch {
		w, h = (w+1)/2, (h+1)/2
		n++
	}
	return n
}

// Next returns the flow from the frame that was given before to f and back, or
// nils for the first frame and after Reset. The fields are the estimator's: they
// change with the next call. f is not kept.
func (e *Estimator) Next(f *filter.Frame) (forward, backward *Field) {
	e.take(f)
	seen := e.seen
	e.last, e.next, e.seen = e.next, e.last, true
	if !seen {
		return nil, nil
	}
	e.estimate(e.forward, e.next, e.last)
	e.estimate(e.backward, e.last, e.next)
	return e.forward, e.backward
}

// Reset forgets the frame that was given before.
func (e *Estimator) Reset() { e.seen = false }

// Between returns the flow from a to b and back, as Next does after a; b is then
// the frame that was given before.
func (e *Estimator) Between(a, b *filter.Frame) (forward, backward *Field) {
	e.take(a)
	e.last, e.next, e.seen = e.next, e.last, true
	return e.Next(b)
}

// Forward is Between without the way back.
func (e *Estimator) Forward(a, b *filter.Frame) *Field {
	e.take(a)
	e.last, e.next = e.next, e.last
	e.take(b)
	e.last, e.next, e.seen = e.next, e.last, true
	e.estimate(e.forward, e.next, e.last)
	return e.forward
}

func (e *Estimator) take(f *filter.Frame) {
	if f.W != e.w || f.H != e.h {
		panic(fmt.Sprintf("flow: a frame of %d×%d for an estimator of %d×%d", f.W, f.H, e.w, e.h))
	}
	e.buildPyramid(e.next, f)
}
