//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
)

var (
	_ engine.Evaluator  = (*Evaluator)(nil)
	_ engine.Multiplier = (*Evaluator)(nil)
)

// Evaluator holds every buffer of one Spec. Between Compile and Close it allocates only
// vectors, masks and Congruence's matrices.
//
// An evaluation has five parts, all inside device.do; the second to the fourth are used only
// if J is computed on the host:
//
//	activateAll       evaluates the network and sums Gram matrices, means and content
//	makeMoments       divides the sums to moments
//	readMoments       waits for the moments and copies them to the host
//	writeGradients    copies the gradients of the moments to the device
//	backwardAll       computes the gradient of the picture
//
// EvaluateLoss instead computes dgram, dmean and tap.gradient on the device, from the sums.
type Evaluator struct {
	vectors
	*buffers
	plan  *plan
	first cu.DevicePtr // weights of the first convolution

	tiles     []tile
	inBuffers int          // index of the tile whose activations are in the buffers
	x         cu.DevicePtr // the latest picture
	results   []engine.Moments
	host      hostMemory
	masks     []cu.DevicePtr // of the picture, and the taps' shares
	all       []cu.DevicePtr // the buffers
	loss      loss
}

// hostMemory mirrors the taps' moments and gradients: results' slices point into moments.
type hostMemory struct{ moments, gradients host }

// tile is one window of the picture with its corner at x, y. Tiles of one shape share their
// layers, and all share the buffers.
type tile struct {
	x, y int
	*window
}

type window struct {
	*windowPlan
	layers []layer
}

// layer is one convolution, forward and backward. Fields in the alternating scratch are valid
// only until the scratch is used again.
type layer struct {
	*layerPlan
	act, pool     field // the activation, and pooled
	delta         field // a − target of a content tap
	dact, dpool   field // their gradients
	forward, back convolution
}

// tap covers the whole picture.
type tap struct {
	engine.Tap
	n, c  int          // channels, and padded
	w, h  int          // of the layer
	share cu.DevicePtr // of each position, float32; 0: 1
	// positions is Σ of them, Moments.P.
	positions float64

	gram, means cu.DevicePtr // float64, c×c of which only the upper triangle is used, and c: sums over the tiles so far
	content     cu.DevicePtr // float64

	momentGram, momentMean cu.DevicePtr // float32, n×n and n
	dgram, dmean           cu.DevicePtr // float32, n×n and c: gradients of the moments
	gradient               gradient

	target     field
	mdelta     field  // M·(a − target) of the tile in the buffers, as large as the window
	metric     packed // M
	hasContent bool
	hasMetric  bool
}

// gradient says which derivatives of a tap are not zero.
type gradient struct {
	gram, mean bool    // those in dgram, dmean
	content    float64 // dJ/dContent
}

// newEvaluator allocates. Inside do.
func newEvaluator(d *device, p *plan, first cu.DevicePtr, forward, backward []filter) (_ *Evaluator, err error) {
	e := &Evaluator{plan: p, first: first, results: make([]engine.Moments, len(p.spec.Taps))}
	alloc := func(what string, bytes int64) (q cu.DevicePtr) {
		if err == nil {
			q, err = d.alloc(what, bytes)
			e.all = append(e.all, q)
		}
		return q
	}
	e.vectors = vectors{device: d, w: p.spec.W, h: p.spec.H, pairs: allPairs(p.spec.W, p.spec.H)}
	e.vectors.allocate(alloc, p.spec.W, p.spec.H)
	e.buffers = p.allocate(alloc)
	if err != nil {
		for _, q := range e.all {
			d.free(q)
		}
		return nil, err
	}
	e.host = hostMemory{newHost(e.moments), newHost(e.gradients)}
	for i := range e.taps {
		if t := &e.taps[i]; t.Style {
			e.results[i].Gram = e.host.moments.floats(t.momentGram-e.moments.at, t.n*t.n)
			e.results[i].Mean = e.host.moments.floats(t.momentMean-e.moments.at, t.n)
		}
	}
	wired := map[*windowPlan]*window{}
	for _, y := range p.Rows {
		for _, x := range p.Columns {
			n := p.windows.At(x, y)
			if wired[n] == nil {
				wired[n] = e.wire(n, forward, backward)
			}
			e.tiles = append(e.tiles, tile{x.From, y.From, wired[n]})
		}
	}
	e.inBuffers = len(e.tiles) - 1
	return e, nil
}

// wire sets the source and destination of every convolution.
func (e *Evaluator) wire(p *windowPlan, forward, backward []filter) *window {
	n := &window{p, make([]layer, len(p.layers))}
	act, grad := e.plan.actPlanes, e.plan.gradPlanes
	for i := range n.layers {
		l := &n.layers[i]
		l.layerPlan = &p.layers[i]
		l.act = field{e.hi[i], e.lo[i], l.w, l.h, l.c}
		if l.act.lo == 0 {
			l.act.lo = e.scratch[l.scratch.lo]
		}
		l.delta = e.fieldIn(l.scratch.delta, act, l.c, l.w, l.h)
		l.pool = e.fieldIn(l.scratch.pool, act, l.c, l.w/2, l.h/2)
		l.dpool = e.fieldIn(l.scratch.dpool, grad, l.c, l.w/2, l.h/2)
		l.dact = e.fieldIn(l.scratch.dact, grad, l.c, l.w, l.h)
		if i > 0 {
			below := &n.layers[i-1]
			l.forward = convolution{src: below.act, dst: l.act, filter: forward[i], scratch: e.work}
			if below.pooled {
				l.forward.src = below.pool
			}
		}
	}
	for i := 1; i < len(n.layers); i++ {
		l, below := &n.layers[i], &n.layers[i-1]
		l.back = convolution{src: l.dact, dst: below.dact, filter: backward[i], scratch: e.work}
		if below.pooled {
			l.back.dst = below.dpool
		} else if len(below.taps) == 0 {
			l.back.gate = below.act.hi
		}
	}
	return n
}

// fieldIn returns a field of the given number of consecutive planes in the scratch.
func (e *Evaluator) fieldIn(s tiling.Slot, planes, c, w, h int) field {
	f := field{hi: e.scratch[s], c: c, w: w, h: h}
	if planes == 2 && s != 0 {
		f.lo = f.hi + cu.DevicePtr(e.plan.plane(c, w, h))
	}
	return f
}

// host is host memory with the layout of a range of device memory.
type host []float64

func newHost(like memory) host { return make(host, like.bytes/8) }

// floats views n float32 at an offset in bytes.
func (h host) floats(at cu.DevicePtr, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(&h[0]), at)), n)
}

func (e *Evaluator) Close() {
	d := e.device
	d.alone(func() {
		e.loss.close(d)
		e.vectors.close()
		for _, p := range append(e.all, e.masks...) {
			d.free(p)
		}
	})
}
