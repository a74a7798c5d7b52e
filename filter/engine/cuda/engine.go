//go:build cuda

package cuda

import (
	"fmt"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/kernels"
	"nstfilter/weights"
)

var (
	_ engine.Engine       = (*Engine)(nil)
	_ engine.DeviceMemory = (*Engine)(nil)
	_ engine.Precisions   = (*Engine)(nil)
	_ engine.Tiler        = (*Engine)(nil)
)

// Engine compiles evaluators for one GPU. It keeps each network's packed weights, which
// its evaluators share, until Close.
type Engine struct {
	device   *device
	products products
	filters  map[direction][]filter // [0] is empty: the first convolution has its own
	firsts   map[*weights.Network]cu.DevicePtr
}

// direction is a network's weights for one direction.
type direction struct {
	*weights.Network
	back  bool
	terms int
}

// New opens a GPU by its number in Devices. isa is "tensor" for bfloat16 products on tensor
// cores (compute capability 8.0), "simt" for float32 on ordinary cores, or "auto" for tensor
// cores if the GPU has them.
func New(ordinal int, isa string) (*Engine, error) {
	if isa != "auto" && isa != "simt" && isa != "tensor" {
		return nil, fmt.Errorf("cuda:%d: no way to multiply is called %q: give auto, simt or tensor", ordinal, isa)
	}
	d, err := open(ordinal)
	if err != nil {
		return nil, err
	}
	e := &Engine{device: d, products: simt{}, filters: map[direction][]filter{}, firsts: map[*weights.Network]cu.DevicePtr{}}
	switch {
	case isa == "simt" || isa == "auto" && !d.tensorCores():
		err = d.load(kernels.Base, kernels.SIMT)
	case !d.tensorCores():
		err = fmt.Errorf("%s: no tensor cores for bfloat16: compute capability %d.%d, 8.0 is the least: choose auto or simt", d, d.Major, d.Minor)
	default:
		err = e.useTensorCores()
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) useTensorCores() error {
	t, err := newTensor(e.device.Ordinal, e.device.Info)
	if err != nil {
		return fmt.Errorf("%s: asking what its blocks may have: %w", e.device, err)
	}
	e.products = t
	if t.wgmma {
		return e.device.load(kernels.Base, kernels.Tensor, kernels.Hopper)
	}
	return e.device.load(kernels.Base, kernels.Tensor, kernels.Ampere)
}

// caught is deferred: it returns a panic with a Failure as an error.
func caught(err *error) {
	switch f := recover().(type) {
	case nil:
	case engine.Failure:
		*err = f
	default:
		panic(f)
	}
}

func (e *Engine) Name() string {
	if e.HasBF16() {
		return e.device.String() + ", tensor cores"
	}
	return e.device.String()
}

// HasBF16 reports whether the engine multiplies on tensor cores.
func (e *Engine) HasBF16() bool { return e.products.format() == "split" }

// Memory includes the packed weights, which evaluators of one network share, but not what
// NewVector, SetMask and Congruence allocate. For one Spec it is within Spec.Memory if tiles
// can be small enough.
func (e *Engine) Memory(specs ...engine.Spec) (n int64) {
	packed := map[direction]int64{}
	for _, s := range specs {
		p := newPlan(s, e.products)
		n += p.bytes()
		for _, back := range []bool{false, true} {
			of := direction{s.Network, back, p.terms(back)}
			packed[of] = max(packed[of], p.weightBytes(back))
		}
	}
	for _, bytes := range packed {
		n += bytes
	}
	return n
}

// FreeMemory returns 0 if the device is lost.
func (e *Engine) FreeMemory() int64 { return e.device.freeMemory() }

// Overhead counts the overlap of windows and the second forward evaluation.
func (e *Engine) Overhead(s engine.Spec) float64 {
	return float64(newPlan(s, e.products).Cost()) / float64(2*s.W*s.H)
}

// Compile panics if s is out of range: a side below engine.MinSide, taps out of order, or layers
// whose shapes do not fit. If there is no memory, because another program took it, for
// example, the error wraps engine.ErrMemory.
func (e *Engine) Compile(s engine.Spec) (engine.Evaluator, error) {
	ev, err := e.evaluator(newPlan(s, e.products))
	if err != nil {
		return nil, err
	}
	return ev, nil
}

func (e *Engine) evaluator(p *plan) (ev *Evaluator, err error) {
	defer caught(&err)
	e.device.do(func() {
		var first cu.DevicePtr
		var forward, backward []filter
		if first, err = e.packFirst(p.spec.Network); err != nil {
			return
		}
		if forward, err = e.pack(p, false); err != nil {
			return
		}
		if backward, err = e.pack(p, true); err != nil {
			return
		}
		ev, err = newEvaluator(e.device, p, first, forward, backward)
	})
	return ev, err
}

// pack returns the filters of the plan's layers for one direction, made at first use.
func (e *Engine) pack(p *plan, back bool) ([]filter, error) {
	key := direction{p.spec.Network, back, p.terms(back)}
	have := e.filters[key]
	if have == nil {
		have = []filter{{}}
	}
	for i := len(have); i < len(p.layers); i++ {
		f, err := e.products.filter(e.device, &p.spec.Network.Layers[i], back, key.terms)
		if err != nil {
			return nil, err
		}
		have = append(have, f)
		e.filters[key] = have
	}
	return have[:len(p.layers):len(p.layers)], nil
}

// packFirst returns the packed first convolution, made at first use.
func (e *Engine) packFirst(n *weights.Network) (cu.DevicePtr, error) {
	if p, ok := e.firsts[n]; ok {
		return p, nil
	}
	p, err := e.products.packFirst(e.device, n)
	if err == nil {
		e.firsts[n] = p
	}
	return p, err
}

// Close frees everything, after all evaluators are closed. The engine is not used again.
func (e *Engine) Close() { e.device.close() }
