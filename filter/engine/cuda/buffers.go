//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

// buffers are an evaluator's memory, shared by windows of all shapes.
type buffers struct {
	hi, lo    []cu.DevicePtr  // by layer: the activations' planes; lo is 0 if it is not stored
	scratch   [3]cu.DevicePtr // by tiling.Slot
	work      cu.DevicePtr    // the products' scratch
	style     cu.DevicePtr    // a packed dJ/dGram
	metric    cu.DevicePtr    // a metric before packing, float32
	contents  cu.DevicePtr    // float64, contentBlocks: partial sums
	sums      memory          // of all taps' Gram matrices and means, float64
	moments   memory          // of all taps: contents, float64, then Gram matrices and means, float32
	gradients memory          // of the moments, float32
	taps      []tap
}

// memory is a range of device memory.
type memory struct {
	at    cu.DevicePtr
	bytes int64
}

// take appends bytes to m and returns where they begin: at a multiple of 16, because kernels
// read 16 bytes at a time.
func (m *memory) take(bytes int) cu.DevicePtr {
	p := m.at + cu.DevicePtr(m.bytes)
	m.bytes += int64(blocks(bytes, 16) * 16)
	return p
}

// alloc is device.alloc, or only counts bytes and returns 0.
type alloc func(what string, bytes int64) cu.DevicePtr

func (p *plan) allocate(alloc alloc) *buffers {
	b := &buffers{hi: make([]cu.DevicePtr, len(p.layers)), lo: make([]cu.DevicePtr, len(p.layers))}
	for i, bytes := range p.scratch.Bytes {
		b.scratch[i] = alloc("activations and gradients", bytes)
	}
	layers := p.windows.At(p.Columns[0], p.Rows[0]).layers
	for i, bytes := range p.layers {
		b.hi[i] = alloc("activations", bytes)
		if layers[i].keepLo {
			b.lo[i] = alloc("activations", bytes)
		}
	}
	b.work = alloc("scratch of products", p.work)
	b.taps = make([]tap, len(p.spec.Taps))
	ws, hs := engine.Sizes(p.spec)
	var style, metric int64
	for i, s := range p.spec.Taps {
		n := p.spec.Network.Layers[s.Layer].Out
		t := &b.taps[i]
		*t = tap{Tap: s, n: n, c: padded(n), w: ws[s.Layer], h: hs[s.Layer], positions: float64(ws[s.Layer] * hs[s.Layer])}
		if s.Style {
			style = max(style, p.products.matrixBytes(n, p.terms(true)))
		}
		if s.Content {
			metric = max(metric, 4*int64(n*n))
			t.target = p.planes("content targets", alloc, p.plane(t.c, t.w, t.h), t.c, t.w, t.h)
			t.mdelta = p.planes("content differences", alloc, p.layers[s.Layer], 0, 0, 0)
			t.metric = packed{at: alloc("a metric", p.products.matrixBytes(n, p.terms(false))), n: n, terms: p.terms(false)}
		}
	}
	b.style = alloc("style gradients", style)
	if metric > 0 {
		b.metric = alloc("a metric", metric)
		b.contents = alloc("partial sums of content", 8*contentBlocks)
	}
	b.place() // to count
	for _, m := range []*memory{&b.sums, &b.moments, &b.gradients} {
		*m = memory{alloc("moments", m.bytes), 0}
	}
	b.place()
	return b
}

// planes allocates a field with as many planes as an activation.
func (p *plan) planes(what string, alloc alloc, bytes int64, c, w, h int) field {
	f := field{c: c, w: w, h: h, hi: alloc(what, bytes)}
	if p.actPlanes == 2 {
		f.lo = alloc(what, bytes)
	}
	return f
}

// place sets every tap's part of sums, moments and gradients.
func (b *buffers) place() {
	contents := b.moments.take(8 * len(b.taps))
	for i := range b.taps {
		t := &b.taps[i]
		t.content = contents + cu.DevicePtr(8*i)
		if !t.Style {
			continue
		}
		t.gram, t.means = b.sums.take(8*t.c*t.c), b.sums.take(8*t.c)
		t.momentGram, t.momentMean = b.moments.take(4*t.n*t.n), b.moments.take(4*t.n)
		t.dgram, t.dmean = b.gradients.take(4*t.n*t.n), b.gradients.take(4*t.c)
	}
}
