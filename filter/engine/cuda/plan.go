//go:build cuda

package cuda

import (
	"slices"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
	"nstfilter/weights"
)

// plan is what an evaluator of a Spec allocates. Sizes are in bytes.
type plan struct {
	spec engine.Spec
	numbers
	products products
	tiling.Tiles
	windows tiling.Windows[*windowPlan]
	layers  []int64 // by layer: a plane of its activation
	scratch tiling.Scratch
	work    int64 // the products' scratch
}

// numbers is the representation of fields.
type numbers struct {
	size                  int64 // bytes of an element of a plane
	actPlanes, gradPlanes int   // planes of an activation, and of a gradient
}

// terms returns the number of plane products that make a product, forward or backward.
func (n numbers) terms(back bool) int {
	planes := n.actPlanes
	if back {
		planes = n.gradPlanes
	}
	if planes == 2 {
		return 3
	}
	return 1
}

// numbersFor panics if the precision needs bfloat16 and p has none.
func numbersFor(p products, precision engine.Precision) numbers {
	switch {
	case p.format() == "f32" && precision != engine.FP32:
		panic("cuda: no bfloat16 on ordinary cores")
	case p.format() == "f32":
		return numbers{4, 1, 1}
	case precision == engine.FP32:
		return numbers{2, 2, 2}
	case precision == engine.Mixed:
		return numbers{2, 2, 1}
	}
	return numbers{2, 1, 1}
}

// windowPlan is the plan that tiles of one shape share.
type windowPlan struct {
	w, h   int // pixels
	layers []layerPlan
}

// layerPlan is one convolution with its ReLU, tap and pooling.
type layerPlan struct {
	w, h, c int   // of its activation
	taps    []int // positions in Spec.Taps
	pooled  bool  // the next layer reads its pooled activation
	keepLo  bool  // the activation's lo plane is stored until Backward
	pools   int   // number of poolings before it
	core    rect
	scratch slots
}

// slots says where in the scratch a layer's fields are, which are named as those of layer.
type slots struct{ lo, delta, pool, dact, dpool tiling.Slot }

// aligned rounds up to the alignment of planes: kernels read 16 bytes at a time, and tensor
// cores rows of 128.
func aligned(bytes int64) int64 { return (bytes + 255) / 256 * 256 }

// newPlan chooses the tiles of least cost within s.Memory, or the smallest if none fits.
func newPlan(s engine.Spec, p products) *plan {
	s.Check()
	n := numbersFor(p, s.Precision)
	return planTiles(s, p, n, tiling.Best(s, p.align(), func(t tiling.Tiles) bool {
		return s.Memory <= 0 || planTiles(s, p, n, t).memory() <= s.Memory
	}))
}

// planTiles plans a picture cut into tiles.
func planTiles(s engine.Spec, p products, n numbers, t tiling.Tiles) *plan {
	l := &plan{spec: s, numbers: n, products: p, Tiles: t, layers: make([]int64, s.Depth())}
	l.windows = tiling.NewWindows(t, l.window)
	return l
}

// window plans one shape of tile and enlarges p's sizes for it.
func (p *plan) window(x, y tiling.Span) *windowPlan {
	s := p.spec
	s.W, s.H = x.To, y.To
	n := &windowPlan{w: s.W, h: s.H, layers: make([]layerPlan, s.Depth())}
	ws, hs := engine.Sizes(s)
	taps := s.TapsOf()
	in, pools := 0, 0
	for i := range n.layers {
		l := &n.layers[i]
		l.taps = taps[i]
		if s.Network.Layers[i].Pooled() {
			pools++
		}
		l.w, l.h, l.c, l.pools = ws[i], hs[i], padded(s.Network.Layers[i].Out), pools
		core := tiling.CoreAt(x, y, pools)
		l.core = rect{core.X, core.Y, core.W, core.H}
		l.pooled = i+1 < len(n.layers) && s.Network.Layers[i+1].Pooled()
		l.keepLo = p.actPlanes == 2 && p.readsLo(l)
		p.layers[i] = max(p.layers[i], p.plane(l.c, l.w, l.h))
		if i > 0 {
			p.work = max(p.work, p.products.convScratch(in, l.c, l.w, l.h, p.terms(false)),
				p.products.convScratch(l.c, in, l.w, l.h, p.terms(true)))
		}
		if slices.ContainsFunc(l.taps, func(i int) bool { return s.Taps[i].Style }) {
			p.work = max(p.work, p.products.gramScratch(l.c, l.core, p.terms(false)))
		}
		in = l.c
	}
	p.turns(n)
	return n
}

// readsLo reports whether anything reads an activation's lo plane after the next layer's
// convolution. If nothing does, only the hi plane is stored, as the ReLU's gate.
func (p *plan) readsLo(l *layerPlan) bool {
	for _, i := range l.taps {
		t := p.spec.Taps[i]
		if t.Content || t.Style && p.gradPlanes == 2 {
			return true
		}
	}
	return l.pooled && p.maximum()
}

// turns gives a window's layers their scratch: forward for what is not stored, backward for
// gradients.
func (p *plan) turns(n *windowPlan) {
	act, grad := int64(p.actPlanes), int64(p.gradPlanes)
	p.scratch.Begin()
	for i := range n.layers {
		l := &n.layers[i]
		plane, pooled := p.plane(l.c, l.w, l.h), p.plane(l.c, l.w/2, l.h/2)
		if p.actPlanes == 2 && !l.keepLo {
			l.scratch.lo = p.scratch.Take(plane)
		}
		if slices.ContainsFunc(l.taps, func(i int) bool { return p.spec.Taps[i].Content }) {
			l.scratch.delta = p.scratch.Borrow(act * plane)
		}
		if l.pooled {
			l.scratch.pool = p.scratch.Take(act * pooled)
		}
	}
	p.scratch.Begin()
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := &n.layers[i]
		if l.pooled {
			l.scratch.dpool = p.scratch.Take(grad * p.plane(l.c, l.w/2, l.h/2))
		}
		l.scratch.dact = p.scratch.Take(grad * p.plane(l.c, l.w, l.h))
	}
}

// maximum reports whether pooling is max pooling.
func (p *plan) maximum() bool { return p.spec.Pooling == weights.MaxPooling }

// plane returns the size of a plane in bytes.
func (p *plan) plane(c, w, h int) int64 { return aligned(p.size * int64(c) * int64(w) * int64(h)) }

// memory is the size of an evaluator with its weights.
func (p *plan) memory() int64 { return p.bytes() + p.weightBytes(false) + p.weightBytes(true) }

// bytes is the size of an evaluator, SetTerms included, without weights.
func (p *plan) bytes() (n int64) {
	count := func(_ string, bytes int64) cu.DevicePtr {
		n += bytes
		return 0
	}
	new(vectors).allocate(count, p.spec.W, p.spec.H)
	new(loss).allocate(count, p.allocate(count).taps)
	return n
}

// weightBytes is the size of one direction's packed weights. Those of the first convolution
// serve both directions and count as forward.
func (p *plan) weightBytes(back bool) (n int64) {
	if !back {
		n = p.products.firstBytes(&p.spec.Network.Layers[0])
	}
	for i := 1; i < len(p.layers); i++ {
		n += p.products.filterBytes(&p.spec.Network.Layers[i], back, p.terms(back))
	}
	return n
}
