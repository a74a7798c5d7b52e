//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
)

// vectorBlock is the number of elements of a vector that a goroutine handles at a time. Sums
// are over these blocks.
const vectorBlock = 1 << 14

// vector is n floats outside Go's heap.
type vector struct {
	p unsafe.Pointer
	n int
}

func (v *vector) Len() int { return v.n }

// NewVector panics if there is no memory.
func (e *Evaluator) NewVector(n int) engine.Vector {
	p, err := e.memory.alloc("a vector", 4*int64(n))
	if err != nil {
		panic(err)
	}
	return &vector{p, n}
}

// pointer returns v's memory. It panics if v has not n elements.
func (e *Evaluator) pointer(v engine.Vector, n int) *C.float {
	x := v.(*vector)
	if x.n != n {
		panic(fmt.Sprintf("cpu: a vector of %d elements where %d are needed", x.n, n))
	}
	return (*C.float)(x.p)
}

func (e *Evaluator) View(v engine.Vector, at, n int) engine.Vector {
	x := v.(*vector)
	if at < 0 || n < 0 || at+n > x.n {
		panic(fmt.Sprintf("cpu: elements %d to %d of a vector of %d", at, at+n, x.n))
	}
	return &vector{unsafe.Add(x.p, 4*at), n}
}

func (e *Evaluator) Upload(dst engine.Vector, src []float32) {
	copy(floats(unsafe.Pointer(e.pointer(dst, len(src))), len(src)), src)
}

func (e *Evaluator) Download(dst []float32, src engine.Vector) {
	copy(dst, floats(unsafe.Pointer(e.pointer(src, len(dst))), len(dst)))
}

func blocksOf(n, size int) int { return (n + size - 1) / size }

// blocks calls f in parallel with the offset and length of each block of n elements.
func (e *Evaluator) blocks(n int, f func(at, n int)) {
	parallel.For(e.threads, blocksOf(n, vectorBlock), func(_, i int) {
		f(i*vectorBlock, min(vectorBlock, n-i*vectorBlock))
	})
}

// sum returns Σ f(i) for i below n, added in order.
func (e *Evaluator) sum(n int, f func(worker, i int) float64) float64 {
	partial := e.partials(n)
	parallel.For(e.threads, n, func(worker, i int) { partial[i] = f(worker, i) })
	s := 0.0
	for _, v := range partial {
		s += v
	}
	return s
}

// partials returns memory for n sums, valid until the next call.
func (e *Evaluator) partials(n int) []float64 {
	e.partial = slices.Grow(e.partial[:0], n)[:n]
	return e.partial
}

func move(p *C.float, n int) *C.float { return at(unsafe.Pointer(p), n) }

// Dots handles all pairs block by block: a vector of several pairs is then read from cache.
func (e *Evaluator) Dots(pairs ...[2]engine.Vector) []float64 {
	n := pairs[0][0].Len()
	p := make([][2]*C.float, len(pairs))
	for i, v := range pairs {
		p[i] = [2]*C.float{e.pointer(v[0], n), e.pointer(v[1], n)}
	}
	blocks := blocksOf(n, vectorBlock)
	partial := e.partials(blocks * len(pairs))
	e.blocks(n, func(at, n int) {
		out := partial[at/vectorBlock*len(pairs):]
		for i, v := range p {
			out[i] = float64(C.nst_dot(e.k, move(v[0], at), move(v[1], at), C.int64_t(n)))
		}
	})
	dots := e.dots[:len(pairs)]
	clear(dots)
	for i, s := range partial {
		dots[i%len(pairs)] += s
	}
	return dots
}

func (e *Evaluator) Combine(y engine.Vector, sum ...engine.Multiple) {
	n := y.Len()
	py := e.pointer(y, n)
	x, by := make([]*C.float, len(sum)), make([]C.float, len(sum))
	for i, m := range sum {
		x[i], by[i] = e.pointer(m.Of, n), C.float(m.By)
	}
	e.blocks(n, func(at, n int) {
		C.nst_combine(e.k, py, &x[0], &by[0], C.int(len(x)), C.int64_t(at), C.int64_t(n))
	})
}

func (e *Evaluator) Adam(x, m, v, mean, dx engine.Vector, s engine.AdamStep) {
	n := x.Len()
	px, pm, pv, pdx := e.pointer(x, n), e.pointer(m, n), e.pointer(v, n), e.pointer(dx, n)
	var pmean *C.float
	if mean != nil {
		pmean = e.pointer(mean, n)
	}
	c := C.struct_adam{
		rate: C.float(s.Rate), beta1: C.float(s.Beta1), beta2: C.float(s.Beta2), epsilon: C.float(s.Epsilon),
		gain1: C.float(1 - s.Beta1), gain2: C.float(1 - s.Beta2),
		correct1: C.float(1 / (1 - math.Pow(s.Beta1, float64(s.T)))),
		correct2: C.float(1 / (1 - math.Pow(s.Beta2, float64(s.T)))),
		average:  C.float(s.Average),
	}
	if s.Clamp {
		c.clamp = 1
	}
	e.blocks(n, func(at, n int) {
		q := pmean
		if q != nil {
			q = move(q, at)
		}
		C.nst_adam(e.k, move(px, at), move(pm, at), move(pv, at), q, move(pdx, at), &c, C.int64_t(n))
	})
}

func (e *Evaluator) TV(dx, x engine.Vector, weight float64) float64 {
	w, h := e.plan.spec.W, e.plan.spec.H
	pdx, px := e.pointer(dx, 3*w*h), e.pointer(x, 3*w*h)
	if e.mask != nil {
		return e.maskedTV(pdx, px, weight)
	}
	pairs := float64(3 * (h*(w-1) + (h-1)*w))
	rows := blocksOf(h, rowBlock)
	return e.sum(3*rows, func(_, i int) float64 {
		plane, y0 := i/rows*w*h, i%rows*rowBlock
		return float64(C.nst_tv(e.k, move(pdx, plane), move(px, plane), C.int(h), C.int(w),
			C.int(y0), C.int(min(y0+rowBlock, h)), C.float(weight/pairs)))
	}) / pairs
}

func (e *Evaluator) maskedTV(pdx, px *C.float, weight float64) float64 {
	if e.pairs == 0 {
		return 0
	}
	w, h, pairs := e.plan.spec.W, e.plan.spec.H, 3*e.pairs
	rows := blocksOf(h, rowBlock)
	return e.sum(3*rows, func(_, i int) float64 {
		plane, y0 := i/rows*w*h, i%rows*rowBlock
		return float64(C.nst_tv_masked(e.k, move(pdx, plane), move(px, plane), (*C.float)(&e.mask[0]), C.int(h), C.int(w),
			C.int(y0), C.int(min(y0+rowBlock, h)), C.float(weight/pairs)))
	}) / pairs
}

func (e *Evaluator) Gamut(dx, x engine.Vector, weight float64) float64 {
	n := 3 * e.plan.spec.W * e.plan.spec.H
	pdx, px := e.pointer(dx, n), e.pointer(x, n)
	return e.sum(blocksOf(n, vectorBlock), func(_, i int) float64 {
		at := i * vectorBlock
		return float64(C.nst_gamut(e.k, move(pdx, at), move(px, at), C.float(2*weight/float64(n)), C.int64_t(min(vectorBlock, n-at))))
	}) / float64(n)
}

func (e *Evaluator) Prior(dx, x, prior, w engine.Vector, weight float64) float64 {
	p := e.plan.spec.W * e.plan.spec.H
	pdx, px, pp, pw := e.pointer(dx, 3*p), e.pointer(x, 3*p), e.pointer(prior, 3*p), e.pointer(w, p)
	per := blocksOf(p, vectorBlock)
	return e.sum(3*per, func(_, i int) float64 {
		plane, at := i/per*p, i%per*vectorBlock
		return float64(C.nst_prior(e.k, move(pdx, plane+at), move(px, plane+at), move(pp, plane+at),
			move(pw, at), C.float(2*weight/float64(p)), C.int64_t(min(vectorBlock, p-at))))
	}) / float64(p)
}
