//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"unsafe"

	"nstfilter/filter/parallel"
)

// matrix is a buffer of Congruence, reused by the next call.
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

// Congruence panics if there is no memory. It computes the second product only on and above
// the diagonal, by panels.
func (e *Evaluator) Congruence(dst, m, d []float32, n int) {
	if n < 1 || len(dst) != n*n || len(m) != n*n || len(d) != n*n {
		panic("cpu: matrices that are not n×n")
	}
	vl, panel := e.plan.vl, 2*e.plan.vl
	padded := roundUp(n, panel)
	um, ud := e.grow(&e.matrices[0], padded*padded), e.grow(&e.matrices[1], padded*padded)
	rows, md := e.grow(&e.matrices[2], n*padded), e.grow(&e.matrices[3], n*padded)
	C.nst_pack_panels(e.k, um, (*C.float)(&m[0]), C.int(n), C.int(n), 1)
	C.nst_pack_panels(e.k, ud, (*C.float)(&d[0]), C.int(n), C.int(n), 1)
	C.nst_pack_rows(e.k, rows, (*C.float)(&m[0]), C.int(n), C.int(n))
	block := roundUp(48, int(e.k.rows))
	// dst = left·u, for one block of rows beginning at row, and columns from column on.
	gemm := func(dst, left, u *C.float, row, column int) {
		C.nst_gemm(e.k, move(u, column*padded), move(left, row*vl), move(dst, column*n+row*vl), C.int(padded),
			C.int(padded-column), C.int(min(block, n-row)), C.int64_t(n*vl), C.int64_t(n*vl), 0)
	}
	parallel.For(e.threads, blocksOf(n, block), func(_, i int) { gemm(md, rows, ud, i*block, 0) })
	parallel.For(e.threads, blocksOf(n, block), func(_, i int) {
		row := i * block
		gemm(rows, md, um, row, row/panel*panel)
		C.nst_unpack_rows(e.k, (*C.float)(&dst[0]), rows, C.int(n), C.int(n), C.int(row), C.int(min(block, n-row)))
	})
	mirrorUpper(dst, n)
}

// mirrorUpper copies the upper triangle to the lower one, in squares that fit the L1 cache.
func mirrorUpper(m []float32, n int) {
	const side = 16
	for i := 0; i < n; i += side {
		for j := i; j < n; j += side {
			for r := i; r < min(i+side, n); r++ {
				for c := max(j, r+1); c < min(j+side, n); c++ {
					m[c*n+r] = m[r*n+c]
				}
			}
		}
	}
}
