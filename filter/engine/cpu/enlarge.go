//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
)

// enlargement returns the table of weights for rows of n samples, made at first use.
func (e *Evaluator) enlargement(n int) *C.float {
	t, ok := e.enlargements[n]
	if !ok {
		stride := (n+1)/2 + 2
		t = make([]float32, 5*stride)
		for i := range n {
			taps := engine.EnlargeTaps(i, n)
			for k, weight := range taps {
				row := k
				if i%2 == 1 {
					row += 2 // for odd i the first of the three weights is 0
				}
				if weight != 0 {
					t[row*stride+i/2+1] = float32(weight)
				}
			}
		}
		if e.enlargements == nil {
			e.enlargements = make(map[int][]float32)
		}
		e.enlargements[n] = t
	}
	return (*C.float)(&t[0])
}

func (e *Evaluator) Enlarge(dst, base engine.Vector, a float64, low engine.Vector, w, h int) {
	n, m := (w+1)/2, (h+1)/2
	pd, pb, pl := e.pointer(dst, 3*w*h), e.pointer(base, 3*w*h), e.pointer(low, 3*n*m)
	tx, ty := e.enlargement(w), e.enlargement(h)
	rows := blocksOf(h, rowBlock)
	parallel.For(e.threads, 3*rows, func(_, i int) {
		plane, y0 := i/rows, i%rows*rowBlock
		C.nst_enlarge(e.k, move(pd, plane*w*h), move(pb, plane*w*h), C.float(a), move(pl, plane*n*m),
			tx, ty, C.int(h), C.int(w), C.int(y0), C.int(min(y0+rowBlock, h)))
	})
}

func (e *Evaluator) EnlargeAdjoint(dlow, d engine.Vector, w, h int) {
	n, m := (w+1)/2, (h+1)/2
	pl, pd := e.pointer(dlow, 3*n*m), e.pointer(d, 3*w*h)
	tx, ty := e.enlargement(w), e.enlargement(h)
	rows := blocksOf(m, rowBlock)
	parallel.For(e.threads, 3*rows, func(_, i int) {
		plane, k0 := i/rows, i%rows*rowBlock
		C.nst_enlarge_adjoint(e.k, move(pl, plane*n*m), move(pd, plane*w*h),
			tx, ty, C.int(h), C.int(w), C.int(k0), C.int(min(k0+rowBlock, m)))
	})
}
