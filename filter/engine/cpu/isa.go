//go:build cgo

package cpu

/*
#cgo CFLAGS: -O3 -std=gnu11 -Wno-psabi
#cgo LDFLAGS: -lm
#include "table.h"

static const struct kernels *nst_kernels(int isa) {
	switch (isa) {
#if defined __x86_64__
	case 0: return &nst_avx512;
	case 1: return &nst_avx2;
#endif
	case 2: return &nst_plain;
	case 3: return &nst_wide;
	}
	return 0;
}
*/
import "C"

import (
	"fmt"

	xcpu "golang.org/x/sys/cpu"
)

// isa is an instruction set that the kernels are compiled for.
type isa struct {
	name  string
	index C.int
	have  func() bool
	auto  bool // New may choose it
}

// isas, best first.
var isas = []isa{
	{"avx512", 0, func() bool {
		x := &xcpu.X86
		return x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX2 && x.HasFMA
	}, true},
	{"avx2", 1, func() bool { return xcpu.X86.HasAVX2 && xcpu.X86.HasFMA }, true},
	{"plain", 2, func() bool { return true }, true},
	{"wide", 3, func() bool { return true }, false},
}

// kernelsFor returns the table of the named instruction set.
func kernelsFor(name string) (*C.struct_kernels, error) {
	for _, s := range isas {
		if s.name != name {
			continue
		}
		if k := C.nst_kernels(s.index); k != nil && s.have() {
			return k, nil
		}
		return nil, fmt.Errorf("cpu engine: this processor has no %s: choose avx2 or plain", name)
	}
	return nil, fmt.Errorf("cpu engine: unknown instruction set %q: choose avx512, avx2 or plain", name)
}

// best names the best instruction set that the processor has.
func best() string {
	for _, s := range isas {
		if s.auto && s.have() && C.nst_kernels(s.index) != nil {
			return s.name
		}
	}
	return "plain"
}
