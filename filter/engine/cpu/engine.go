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
	"nstfilter/filter/parallel"
	"nstfilter/weights"
)

var (
	_ engine.Engine     = (*Engine)(nil)
	_ engine.PeakFLOPS  = (*Engine)(nil)
	_ engine.Precisions = (*Engine)(nil)
	_ engine.Threads    = (*Engine)(nil)
	_ engine.Tiler      = (*Engine)(nil)
)

// Engine compiles evaluators for this processor. It keeps each network's
// transformed weights, which its evaluators share, until Close.
type Engine struct {
	isa        string
	fp32, bf16 *C.struct_kernels // bf16: nil if the processor has none
	threads    int

	mu     sync.Mutex
	memory arena
	layers map[precise][]layerWeights
}

// precise is a network at one precision, for one direction.
type precise struct {
	*weights.Network
	bf16, back bool
}

// layerWeights are the transformed weights of one convolution for one direction (see table.h).
type layerWeights struct{ u, bias unsafe.Pointer }

// New returns an engine for the best instruction set of the processor, with the given number
// of threads; 0 is runtime.GOMAXPROCS.
func New(threads int) (*Engine, error) { return NewISA(ISAs()[0], threads) }

// NewISA is New for a named instruction set: avx512, avx2, neon or plain. It fails if the
// processor lacks it; ISAs lists those it has.
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

// Threads is the number of threads it computes with.
func (e *Engine) Threads() int { return e.threads }

// HasBF16 reports whether the processor multiplies bfloat16 (AVX512-BF16).
func (e *Engine) HasBF16() bool { return e.bf16 != nil }

// kernels returns the kernels for a precision and a direction.
func (e *Engine) kernels(p engine.Precision, back bool) *C.struct_kernels {
	if p == engine.FP32 || p == engine.Mixed && !back {
		return e.fp32
	}
	if e.bf16 == nil {
		panic("cpu: this processor has no bfloat16")
	}
	return e.bf16
}

// Memory includes the transformed weights, which evaluators of one network share, but not
// vectors. For one Spec it is within Spec.Memory if tiles can be small enough; the work space
// of threads beyond the eighth is extra.
func (e *Engine) Memory(specs ...engine.Spec) (n int64) {
	type shared struct {
		*weights.Network
		engine.Precision
	}
	transformed := map[shared]int64{}
	for _, s := range specs {
		p, of := e.plan(s), shared{s.Network, s.Precision}
		n += p.bytes()
		transformed[of] = max(transformed[of], p.weightBytes())
	}
	for _, bytes := range transformed {
		n += bytes
	}
	return n
}

// Overhead counts the overlap of windows and the second forward evaluation.
func (e *Engine) Overhead(s engine.Spec) float64 {
	return float64(e.plan(s).Cost()) / float64(2*s.W*s.H)
}

// shape returns what plans need to know of the kernels.
func (e *Engine) shape(p engine.Precision) kernelShape {
	forward, backward := e.kernels(p, false), e.kernels(p, true)
	return kernelShape{int(forward.vl), int(forward.rows), [2]int{int(forward.factor_bytes), int(backward.factor_bytes)}}
}

func (e *Engine) plan(s engine.Spec) *plan {
	return newPlan(s, e.shape(s.Precision), e.threads)
}

// Close frees the transformed weights, after all evaluators are closed.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memory.close()
	clear(e.layers)
}

// transformed returns the weights of the plan's layers for one direction, made at
// first use.
func (e *Engine) transformed(p *plan, back bool) ([]layerWeights, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := e.kernels(p.spec.Precision, back)
	key := precise{p.spec.Network, k == e.bf16, back}
	have := e.layers[key]
	layers := p.windows.At(p.Columns[0], p.Rows[0]).layers
	for i := len(have); i < len(layers); i++ {
		var w layerWeights
		var err error
		l := &p.spec.Network.Layers[i]
		switch {
		case i == 0 && !back:
			w, err = e.transformFirst(l, layers[i].c, p.vl)
		case i > 0 && !back:
			w, err = e.transform(k, l, layers[i].forward, false)
		case i > 0:
			w, err = e.transform(k, l, layers[i].back, true)
		}
		if err != nil {
			return nil, err
		}
		have = append(have, w)
		e.layers[key] = have
	}
	return have[:len(layers):len(layers)], nil
}

// transformFirst arranges the first layer's weights, for both directions.
func (e *Engine) transformFirst(l *weights.Layer, out, vl int) (w layerWeights, err error) {
	if w.u, err = e.memory.alloc("the weights of "+l.Tap(), 4*int64(firstWeights*out)); err != nil {
		return w, err
	}
	u := floats(w.u, firstWeights*out)
	for i, v := range l.Weight {
		o, c, place := i/firstWeights, i/9%3, i%9
		u[(o/(2*vl)*firstWeights+place*3+c)*2*vl+o%(2*vl)] = v
	}
	w.bias, err = e.biases(l, out)
	return w, err
}

func (e *Engine) biases(l *weights.Layer, out int) (unsafe.Pointer, error) {
	b, err := e.memory.alloc("the biases of "+l.Tap(), 4*int64(out))
	if err == nil {
		copy(floats(b, out), l.Bias)
	}
	return b, err
}

func (e *Engine) transform(k *C.struct_kernels, l *weights.Layer, b winograd, back bool) (w layerWeights, err error) {
	if w.u, err = e.memory.alloc("the weights of "+l.Tap(), 36*int64(k.factor_bytes)*int64(b.in*b.out)); err != nil {
		return w, err
	}
	backward := C.int(0)
	if back {
		backward = 1
	}
	parallel.For(e.threads, b.out/(2*int(k.vl)), func(_, panel int) {
		C.nst_transform_weights(k, w.u, (*C.float)(&l.Weight[0]), C.int(l.Out), C.int(l.In),
			C.int(b.out), C.int(b.in), backward, C.int(panel))
	})
	if back {
		return w, nil
	}
	w.bias, err = e.biases(l, b.out)
	return w, err
}

// Compile panics if s is out of range: a side below engine.MinSide, taps out of
// order, layers whose shapes do not fit. It fails if there is no memory.
func (e *Engine) Compile(s engine.Spec) (engine.Evaluator, error) {
	return e.evaluator(e.plan(s))
}

func (e *Engine) evaluator(p *plan) (*Evaluator, error) {
	forward, err := e.transformed(p, false)
	if err != nil {
		return nil, err
	}
	backward, err := e.transformed(p, true)
	if err != nil {
		return nil, err
	}
	return newEvaluator(e, p, forward, backward)
}
