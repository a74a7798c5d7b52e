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
	case 1: return &nst_avx512_bf16;
	case 2: return &nst_avx2;
#elif defined __aarch64__
	case 6: return &nst_neon;
#endif
	case 3: return &nst_plain;
	case 4: return &nst_wide;
	case 5: return &nst_wide_bf16;
	}
	return 0;
}
*/
import "C"

import (
	"fmt"
	"strings"

	xcpu "golang.org/x/sys/cpu"
)

// isa is an instruction set that the kernels are compiled for.
type isa struct {
	name  string
	index C.int
	have  func() bool
	auto  bool // New may choose it

	bf16     C.int // index with products of bfloat16
	haveBF16 func() bool
}

func always() bool { return true }
func never() bool  { return false }

// isas, best first.
var isas = []isa{
	{"avx512", 0, func() bool {
		x := &xcpu.X86
		return x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX2 && x.HasFMA
	}, true, 1, func() bool { return xcpu.X86.HasAVX512BF16 }},
	{"avx2", 2, func() bool { return xcpu.X86.HasAVX2 && xcpu.X86.HasFMA }, true, 0, never},
	{"neon", 6, always, true, 0, never},
	{"plain", 3, always, true, 0, never},
	{"wide", 4, always, false, 5, always},
}

// kernelsFor returns the kernels of the named instruction set for float32 and for bfloat16;
// bf16 is nil if the processor lacks it.
func kernelsFor(name string) (fp32, bf16 *C.struct_kernels, err error) {
	for _, s := range isas {
		if s.name != name {
			continue
		}
		if !s.available() {
			return nil, nil, fmt.Errorf("this processor has no %s: choose %s", name, strings.Join(ISAs(), " or "))
		}
		if s.haveBF16() {
			bf16 = C.nst_kernels(s.bf16)
		}
		return C.nst_kernels(s.index), bf16, nil
	}
	return nil, nil, fmt.Errorf("unknown instruction set %q: choose %s", name, strings.Join(ISAs(), " or "))
}

// available reports whether the processor has s and the kernels are compiled for it.
func (s *isa) available() bool { return s.have() && C.nst_kernels(s.index) != nil }

// ISAs lists the instruction sets that this processor has, best first.
func ISAs() []string {
	var names []string
	for _, s := range isas {
		if s.auto && s.available() {
			names = append(names, s.name)
		}
	}
	return names
}
