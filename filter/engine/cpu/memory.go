//go:build cgo

package cpu

// #include "table.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// arena owns buffers outside Go's heap.
type arena struct {
	buffers map[unsafe.Pointer]int64
	bytes   int64
}

// allocated returns what alloc takes for bytes.
func allocated(bytes int64) int64 { return (bytes + 63) / 64 * 64 }

// alloc returns zeroed, aligned bytes that live until free or close; nil for none.
func (a *arena) alloc(what string, bytes int64) (unsafe.Pointer, error) {
	bytes = allocated(bytes)
	if bytes == 0 {
		return nil, nil
	}
	p := C.nst_alloc(C.size_t(bytes))
	if p == nil {
		return nil, fmt.Errorf("cpu engine: no memory for %s: %d MiB on top of %d MiB: choose a smaller size",
			what, bytes>>20, a.bytes>>20)
	}
	if a.buffers == nil {
		a.buffers = make(map[unsafe.Pointer]int64)
	}
	a.buffers[p] = bytes
	a.bytes += bytes
	return p, nil
}

// free frees one buffer. It panics if p is none.
func (a *arena) free(p unsafe.Pointer) {
	n, ok := a.buffers[p]
	if !ok {
		panic("cpu: freed twice, or never allocated")
	}
	delete(a.buffers, p)
	a.bytes -= n
	C.nst_free(p, C.size_t(n))
}

func (a *arena) close() {
	for p := range a.buffers {
		a.free(p)
	}
}

// floats views n float32 at p.
func floats(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

// at returns p + n float32.
func at(p unsafe.Pointer, n int) *C.float { return (*C.float)(unsafe.Add(p, 4*n)) }
