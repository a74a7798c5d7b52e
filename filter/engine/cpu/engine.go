//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

var (
	_ engine.Engine = (*Engine)(nil)
	_ engine.Mixed  = (*Engine)(nil)
)

// Engine compiles evaluators for this processor. It keeps each network's
// transformed weights, which its evaluators share, until Close.
type Engine struct {
	isa        string
	fp32, bf16 *C.struct_kernels // bf16: nil where the processor has none
	threads    int

	mu     sync.Mutex
	memory arena
	layers map[precise][]layerWeights
}

// precise is a network at one precision.
type precise struct {
	*weights.Network
	bf16 bool
}

// layerWeights are one convolution's, transformed (see table.h).
type layerWeights struct{ forward, back, bias unsafe.Pointer }

// New returns an engine for the best instruction set that the processor has,
// with the given number of threads, 0 for runtime.GOMAXPROCS.
func New(threads int) (*Engine, error) { return NewISA(best(), threads) }

// NewISA is New with the instruction set named: avx512, avx2 or plain. It fails
// if the processor lacks it.
func NewISA(isa string, threads int) (*Engine, error) {
	if threads < 0 {
		return nil, fmt.Errorf("cpu engine: %d threads: give a positive number, or 0 for all", threads)
	}
	fp32, bf16, err := kernelsFor(isa)
	if err != nil {
		return nil, err
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Engine{isa: isa, fp32: fp32, bf16: bf16, threads: threads, layers: make(map[precise][]layerWeights)}, nil
}

func (e *Engine) Name() string {
	if e.threads == 1 {
		return fmt.Sprintf("cpu %s, 1 thread", e.isa)
	}
	return fmt.Sprintf("cpu %s, %d threads", e.isa, e.threads)
}

// HasBF16 reports whether the processor multiplies bfloat16 (AVX512-BF16).
func (e *Engine) HasBF16() bool { return e.bf16 != nil }

// kernels are those for a Spec.
func (e *Engine) kernels(s engine.Spec) *C.struct_kernels {
	if !s.BF16 {
		return e.fp32
	}
	if e.bf16 == nil {
		panic("cpu: this processor has no bfloat16")
	}
	return e.bf16
}

// Memory counts the transformed weights, though evaluators share them, and not
// what NewVector allocates.
func (e *Engine) Memory(s engine.Spec) int64 {
	p := e.plan(s)
	return p.bytes() + p.weightBytes()
}

func (e *Engine) plan(s engine.Spec) *plan {
	k := e.kernels(s)
	return newPlan(s, int(k.vl), int(k.rows), int(k.factor_bytes), e.threads)
}

// Close frees the transformed weights, after all evaluators are closed.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memory.close()
	clear(e.layers)
}

// transformed returns the weights of the plan's layers, made at first use.
func (e *Engine) transformed(p *plan) ([]layerWeights, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := precise{p.spec.Network, p.spec.BF16}
	have := e.layers[key]
	for i := len(have); i < len(p.layers); i++ {
		w, err := e.transform(p, i)
		if err != nil {
			return nil, err
		}
		have = append(have, w)
		e.layers[key] = have
	}
	return have[:len(p.layers):len(p.layers)], nil
}

func (e *Engine) transform(p *plan, i int) (w layerWeights, err error) {
	k, l := e.kernels(p.spec), &p.spec.Network.Layers[i]
	one := func(backward int, b winograd) unsafe.Pointer {
		if err != nil {
			return nil
		}
		var u unsafe.Pointer
		u, err = e.memory.alloc("the weights of "+l.Tap(), 36*int64(k.factor_bytes)*int64(b.in*b.out))
		if err != nil {
			return nil
		}
		parallel(e.threads, b.out/(2*p.vl), func(_, panel int) {
			C.nst_transform_weights(k, u, (*C.float)(&l.Weight[0]),
				C.int(l.Out), C.int(l.In), C.int(b.out), C.int(b.in), C.int(backward), C.int(panel))
		})
		return u
	}
	w.forward, w.back = one(0, p.layers[i].forward), one(1, p.layers[i].back)
	if err != nil {
		return w, err
	}
	if w.bias, err = e.memory.alloc("the biases of "+l.Tap(), 4*int64(p.layers[i].c)); err != nil {
		return w, err
	}
	copy(floats(w.bias, p.layers[i].c), l.Bias)
	return w, nil
}

// Compile panics if s is out of range: a side below engine.MinSide, taps out of
// order, layers whose shapes do not fit. It fails if there is no memory.
func (e *Engine) Compile(s engine.Spec) (engine.Evaluator, error) {
	p := e.plan(s)
	w, err := e.transformed(p)
	if err != nil {
		return nil, err
	}
	return newEvaluator(e, p, w)
}
