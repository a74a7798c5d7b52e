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

var _ engine.Engine = (*Engine)(nil)

// Engine compiles evaluators for this processor. It keeps each network's
// transformed weights, which its evaluators share, until Close.
type Engine struct {
	isa     string
	k       *C.struct_kernels
	threads int

	mu     sync.Mutex
	memory arena
	layers map[*weights.Network][]layerWeights
}

// layerWeights are one convolution's, transformed: [36][out/2VL][in][2VL].
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
	k, err := kernelsFor(isa)
	if err != nil {
		return nil, err
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Engine{isa: isa, k: k, threads: threads, layers: make(map[*weights.Network][]layerWeights)}, nil
}

func (e *Engine) Name() string {
	if e.threads == 1 {
		return fmt.Sprintf("cpu %s, 1 thread", e.isa)
	}
	return fmt.Sprintf("cpu %s, %d threads", e.isa, e.threads)
}

// Memory counts the transformed weights, though evaluators share them, and not
// what NewVector allocates. It is within s.Memory wherever a tile can be small
// enough; above eight threads their work space comes on top.
func (e *Engine) Memory(s engine.Spec) int64 {
	p := e.plan(s)
	return p.bytes() + p.weightBytes()
}

// Overhead counts windows that overlap and those evaluated forward twice.
func (e *Engine) Overhead(s engine.Spec) float64 {
	return float64(e.plan(s).cost()) / float64(2*s.W*s.H)
}

func (e *Engine) plan(s engine.Spec) *plan {
	return newPlan(s, int(e.k.vl), int(e.k.rows), e.threads)
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
	have := e.layers[p.spec.Network]
	layers := p.at(p.columns[0], p.rows[0]).layers
	for i := len(have); i < len(layers); i++ {
		w, err := e.transform(&p.spec.Network.Layers[i], &layers[i])
		if err != nil {
			return nil, err
		}
		have = append(have, w)
		e.layers[p.spec.Network] = have
	}
	return have[:len(layers):len(layers)], nil
}

func (e *Engine) transform(l *weights.Layer, p *layerPlan) (w layerWeights, err error) {
	one := func(backward int, b winograd) unsafe.Pointer {
		if err != nil {
			return nil
		}
		var u unsafe.Pointer
		u, err = e.memory.alloc("the weights of "+l.Tap(), 36*4*int64(b.in*b.out))
		if err != nil {
			return nil
		}
		parallel(e.threads, b.out/(2*int(e.k.vl)), func(_, panel int) {
			C.nst_transform_weights(e.k, (*C.float)(u), (*C.float)(&l.Weight[0]),
				C.int(l.Out), C.int(l.In), C.int(b.out), C.int(b.in), C.int(backward), C.int(panel))
		})
		return u
	}
	w.forward, w.back = one(0, p.forward), one(1, p.back)
	if err != nil {
		return w, err
	}
	if w.bias, err = e.memory.alloc("the biases of "+l.Tap(), 4*int64(p.c)); err != nil {
		return w, err
	}
	copy(floats(w.bias, p.c), l.Bias)
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
