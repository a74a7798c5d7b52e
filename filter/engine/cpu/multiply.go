//go:build cgo

package cpu

// #include "calls.h"
import "C"

import "unsafe"

// matrix is a buffer of Multiply's, kept for the next call.
type matrix struct {
	p unsafe.Pointer
	n int
}

// grow returns m's memory, made big enough for n floats.
func (e *Evaluator) grow(m *matrix, n int) *C.float {
	if m.n < n {
		if m.p != nil {
			e.memory.free(m.p)
		}
		p, err := e.memory.alloc("a matrix", 4*int64(n))
		if err != nil {
			panic(err)
		}
		*m = matrix{p, n}
	}
	return (*C.float)(m.p)
}

// Multiply panics if there is no memory.
func (e *Evaluator) Multiply(dst, a, b []float32, n int) {
	if n < 1 || len(dst) != n*n || len(a) != n*n || len(b) != n*n {
		panic("cpu: matrices that are not n×n")
	}
	vl, padded := e.plan.vl, roundUp(n, 2*e.plan.vl)
	u := e.grow(&e.matrices[0], padded*padded)
	v, m := e.grow(&e.matrices[1], n*padded), e.grow(&e.matrices[2], n*padded)
	C.nst_pack_panels(e.k, u, (*C.float)(&b[0]), C.int(n), C.int(n), 1)
	C.nst_pack_rows(e.k, v, (*C.float)(&a[0]), C.int(n), C.int(n))
	step := C.int64_t(n * vl)
	parallel(e.threads, blocksOf(n, positionBlock), func(_, i int) {
		row := i * positionBlock
		rows := C.int(min(positionBlock, n-row))
		C.nst_gemm(e.k, u, move(v, row*vl), move(m, row*vl), C.int(padded), C.int(padded), rows, step, step, 0)
		C.nst_unpack_rows(e.k, (*C.float)(&dst[0]), m, C.int(n), C.int(n), C.int(row), rows)
	})
}
