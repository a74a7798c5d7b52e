//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
	"nstfilter/weights"
)

var (
	_ engine.Profiler   = (*Evaluator)(nil)
	_ engine.Evaluator  = (*Evaluator)(nil)
	_ engine.Multiplier = (*Evaluator)(nil)
)

// Evaluator holds every buffer of one Spec. Between Compile and Close it allocates only
// vectors and Congruence's matrices.
type Evaluator struct {
	*buffers
	k, back *C.struct_kernels // back: for the convolutions of Backward
	threads int
	plan    *plan
	memory  arena

	tiles     []tile
	inBuffers int      // index of the tile whose activations are in the buffers
	x         *C.float // the latest Forward's
	mask      []float32
	pairs     float64 // engine.Pairs of mask
	moments   []engine.Moments
	partial   []float64 // of any sum but Grams and their sums
	dots      [engine.MaxSum]float64
	matrices  [4]matrix
	profile   *profile // nil: not profiling

	enlargements map[int][]float32 // weights by length of row
}

// tile is one window of the picture. Tiles of one shape share their layers, and all share the
// buffers.
type tile struct {
	first *C.struct_first // separately allocated, because C reads it
	*window
}

type window struct{ layers []layer }

// layer is one convolution, forward and backward.
type layer struct {
	*layerPlan
	forward, back *C.struct_conv // separately allocated, because C reads them
	act           unsafe.Pointer // the activation; nil if only the pooled one is stored
	pool          unsafe.Pointer // the pooled activation
	dact          unsafe.Pointer // gradient of act; if fused, of pool
	dpool         unsafe.Pointer // gradient of pool, if not fused
}

// tap covers the whole picture, except mdelta.
type tap struct {
	engine.Tap
	c              int            // padded channels
	w, p           int            // width, positions
	metric         unsafe.Pointer // packed
	target, mdelta unsafe.Pointer // content target; M·Δa of the tile in the buffers
	mean           unsafe.Pointer // padded gradient
	gram, sums     []float64      // over the tiles so far
	share          []float32      // of each position; nil: 1
	hasContent     bool
	hasMetric      bool
}

func newEvaluator(eng *Engine, p *plan, forward, backward []layerWeights) (_ *Evaluator, err error) {
	e := &Evaluator{k: eng.kernels(p.spec.Precision, false), back: eng.kernels(p.spec.Precision, true), threads: eng.threads, plan: p}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	e.buffers = p.allocate(func(what string, bytes int64) (q unsafe.Pointer) {
		if err == nil {
			q, err = e.memory.alloc(what, bytes)
		}
		return q
	})
	if err != nil {
		return nil, err
	}
	e.moments = make([]engine.Moments, len(e.taps))
	for i := range e.taps {
		t, m := &e.taps[i], &e.moments[i]
		m.P = float64(t.p)
		if t.Style {
			out := p.spec.Network.Layers[t.Layer].Out
			m.Gram, m.Mean = make([]float32, out*out), make([]float32, out)
		}
	}
	wired := map[*windowPlan]*window{}
	for _, y := range p.Rows {
		for _, x := range p.Columns {
			n := p.windows.At(x, y)
			if wired[n] == nil {
				wired[n] = e.wire(n, forward, backward)
			}
			e.tiles = append(e.tiles, tile{e.first(wired[n], forward[0], C.struct_window{
				height: C.int(p.spec.H), width: C.int(p.spec.W),
				y: C.int(y.From), x: C.int(x.From), h: C.int(n.h), w: C.int(n.w)}), wired[n]})
		}
	}
	e.inBuffers = len(e.tiles) - 1
	return e, nil
}

// first returns the first convolution of one tile.
func (e *Evaluator) first(n *window, w layerWeights, area C.struct_window) *C.struct_first {
	l := &n.layers[0]
	f := &C.struct_first{act: (*C.float)(l.act), mask: l.forward.mask, dact: (*C.float)(l.dact),
		u: (*C.float)(w.u), bias: (*C.float)(w.bias), out: C.int(l.c), area: area}
	for c := range 3 {
		f.mean[c], f.std[c] = C.float(e.plan.spec.Network.Mean[c]), C.float(e.plan.spec.Network.Std[c])
	}
	return f
}

// wire sets the source and destination of every convolution.
func (e *Evaluator) wire(p *windowPlan, forward, backward []layerWeights) *window {
	n := &window{layers: make([]layer, len(p.layers))}
	maximum := e.plan.spec.Pooling == weights.MaxPooling
	var src unsafe.Pointer
	for i := range n.layers {
		l := &n.layers[i]
		l.layerPlan, l.forward, l.back = &p.layers[i], new(C.struct_conv), new(C.struct_conv)
		if l.act = e.acts[i]; l.act == nil {
			l.act = e.scratch[l.scratch.act]
		}
		l.pool, l.dact, l.dpool = e.scratch[l.scratch.pool], e.scratch[l.scratch.dact], e.scratch[l.scratch.dpool]
		f := l.forward
		f.src, f.dst, f.mask = (*C.float)(src), (*C.float)(l.act), e.masks[i]
		f.u, f.bias = forward[i].u, (*C.float)(forward[i].bias)
		f.in, f.out, f.stored = C.int(l.layerPlan.forward.in), C.int(l.c), C.int(l.c)
		f.h, f.w, f.pad = C.int(l.h), C.int(l.w), 1
		f.tiles, f.tile_count = C.int(l.layerPlan.forward.tiles), C.int(l.layerPlan.forward.count)
		f.epilogue = C.RELU
		src = l.act
		if l.fused {
			f.dst, f.epilogue = (*C.float)(l.pool), C.RELU_AVERAGE
			if maximum {
				f.epilogue = C.RELU_MAXIMUM
			}
		}
		if l.pooled {
			src = l.pool
		}
	}

	for i := range n.layers {
		l := &n.layers[i]
		b := l.back
		b.src, b.gate, b.u = (*C.float)(l.dact), l.forward.mask, backward[i].u
		b.in, b.out = C.int(l.layerPlan.back.in), C.int(l.layerPlan.back.out)
		b.h, b.w, b.pad = C.int(l.h), C.int(l.w), 1
		b.tiles, b.tile_count = C.int(l.layerPlan.back.tiles), C.int(l.layerPlan.back.count)
		b.epilogue, b.scale = C.GRADIENT, 1
		if l.fused {
			b.unpool = 1
			if !maximum {
				b.scale = 0.25
			}
		}
		if i == 0 {
			continue
		}
		b.stored = b.out
		below := &n.layers[i-1]
		b.dst = (*C.float)(below.dact)
		if below.pooled && !below.fused {
			b.dst = (*C.float)(below.dpool)
		}
	}
	return n
}

func (e *Evaluator) Close() { e.memory.close() }

// run computes every block of a convolution.
func (e *Evaluator) run(k *C.struct_kernels, c *C.struct_conv, blocks int) {
	parallel.For(e.threads, blocks, func(worker, i int) {
		C.nst_conv(k, c, C.int(i), (*C.float)(e.work[worker]))
	})
}
