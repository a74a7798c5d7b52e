// Package gorgonia computes with Gorgonia's stock operations; New returns the engine. It is
// pure Go and runs wherever Go does. Its gradient is Gorgonia's symbolic derivative of the
// forward graph: faster engines are tested against this independent autodiff. It reaches
// about 10 GFLOP/s on a desktop core, tens of times less than package cpu, and takes about
// ten times the memory.
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

// Memory counts every node of both graphs: per layer the patches (9·In per position) of both
// forward passes and their gradient, and all nodes of the activation's size. The network
// holds the weights, once.
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

// The numbers of copies in memory; TestMemory measures them.
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
