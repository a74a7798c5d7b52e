// Package gorgonia computes with Gorgonia's stock operations: New gives the
// engine. It needs nothing but Go, so it runs wherever Go does, and its
// gradient is Gorgonia's own symbolic derivative of the forward graph, so it is
// the independent autodiff that every faster engine is tested against. Speed:
// about 10 GFLOP/s on a desktop core, tens of times slower than package cpu, in
// about ten times the memory.
package gorgonia

import (
	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// Engine is the portable engine. It has no state.
type Engine struct{}

var _ engine.Engine = (*Engine)(nil)

// New returns the engine.
func New() *Engine { return &Engine{} }

// Name is "gorgonia".
func (*Engine) Name() string { return "gorgonia" }

// Memory counts what both graphs hold, which is every node: per layer the patches
// (9·In per position) forward, again and their gradient, and what is as large as
// the activation. Weights are held once, by the network.
func (e *Engine) Memory(specs ...engine.Spec) (n int64) {
	for _, s := range specs {
		n += e.memory(s)
	}
	return n
}

func (*Engine) memory(s engine.Spec) int64 {
	s.Check()
	w, h := engine.Sizes(s)
	var n int64
	for i, l := range s.Network.Layers[:s.Depth()] {
		P := int64(w[i]) * int64(h[i])
		n += P * (patchCopies*9*int64(l.In) + nodeCopies*int64(l.Out))
		if l.Pooled() && s.Pooling == weights.AveragePooling {
			n += P * patchCopies * 4 * int64(l.In)
		}
	}
	return 4*n + 10*4*3*int64(s.W)*int64(s.H)
}

// Copies that are held; TestMemory measures them.
const (
	patchCopies = 3
	nodeCopies  = 20
)

// Close does nothing: graphs belong to evaluators.
func (*Engine) Close() {}

// Compile builds the two graphs of s.
func (*Engine) Compile(s engine.Spec) (engine.Evaluator, error) {
	s.Check()
	return newEvaluator(s)
}
