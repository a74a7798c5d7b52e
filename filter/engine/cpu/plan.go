//go:build cgo

package cpu

import (
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
)

// plan is what an evaluator of a Spec allocates; sizes are in float32 unless bytes are named.
type plan struct {
	spec engine.Spec
	kernelShape
	tiling.Tiles
	windows tiling.Windows[*windowPlan]
	acts    []int   // by layer: activations that are stored until Backward
	masks   []int64 // by layer, in bytes
	scratch tiling.Scratch
	workers int
	work    int // for each worker
	gram    int // float64: partial Grams
	sums    int // float64: partial sums of activations
	panels  int // a packed n×n matrix
}

// kernelShape has the kernels' floats per vector, rows of the GEMM, and bytes of an element of
// the transformed weights, forward and backward.
type kernelShape struct {
	vl, kernelRows int
	factor         [2]int
}

// windowPlan is the plan that tiles of one shape share.
type windowPlan struct {
	w, h   int // pixels
	layers []layerPlan
}

// layerPlan is one convolution with its ReLU, tap and pooling.
type layerPlan struct {
	w, h    int   // of its activation
	c       int   // padded channels of its output
	taps    []int // positions in Spec.Taps
	pooled  bool  // the next layer reads its pooled activation
	fused   bool  // pooled, and only the pooled activation is stored
	pools   int   // number of poolings before it
	core    core
	forward winograd
	back    winograd
	scratch slots
}

// slots says where in the scratch a layer's fields are, which are named as those of layer.
type slots struct{ act, pool, dact, dpool tiling.Slot }

// winograd is the blocking of one convolution.
type winograd struct {
	in, out, tiles, count, blocks int
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// firstWeights is the number of weights per output channel of the first convolution.
const firstWeights = 27

// tileLimit bounds the Winograd tiles of a block. More tiles reuse the weights more, fewer take
// less memory. Between 30 and 126 the time of VGG-19 changes by less than its noise.
const tileLimit = 84

// blocking cuts oh×ow outputs into blocks. A tile's value does not depend on its block, so
// the blocks may depend on the number of threads.
func blocking(in, out, ow, oh, rows, threads int) winograd {
	count := (ow + 3) / 4 * ((oh + 3) / 4)
	blocks := roundUp((count+tileLimit-1)/tileLimit, threads)
	tiles := min(roundUp((count+blocks-1)/blocks, rows), count)
	return winograd{in, out, tiles, count, (count + tiles - 1) / tiles}
}

func (w winograd) work(vl int) int { return 36 * (w.tiles*(w.in+w.out) + 10*vl) }

// gramBlocks is the number of partial sums of a layer's Gram matrix. It depends on sizes only,
// so that results do not depend on the number of threads.
func gramBlocks(pieces, c int) int {
	limit := 16
	if c > 256 {
		limit = 8
	}
	size := blocksOf(pieces, limit)
	return blocksOf(pieces, max(size, 1))
}

const (
	gramChunk     = 256 // positions summed in float32
	positionBlock = 84  // positions for each block of style and content gradients
)

// planTiles plans a picture cut into tiles.
func planTiles(s engine.Spec, k kernelShape, threads int, t tiling.Tiles) *plan {
	p := &plan{spec: s, kernelShape: k, workers: threads, Tiles: t,
		acts: make([]int, s.Depth()), masks: make([]int64, s.Depth())}
	p.windows = tiling.NewWindows(t, p.window)
	return p
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
		l.w, l.h, l.c = ws[i], hs[i], roundUp(s.Network.Layers[i].Out, 2*p.vl)
		l.pools, l.core = pools, coreAt(x, y, pools, l.w)
		l.pooled = i+1 < len(n.layers) && s.Network.Layers[i+1].Pooled()
		l.fused = l.pooled && len(l.taps) == 0 && i > 0
		if i == 0 {
			p.work = max(p.work, 3*(l.c+3)*(l.w+32))
		} else {
			l.forward = blocking(in, l.c, l.w, l.h, p.kernelRows, p.workers)
			l.back = blocking(l.c, in, l.w, l.h, p.kernelRows, p.workers)
			p.work = max(p.work, l.forward.work(p.vl), l.back.work(p.vl))
		}
		p.masks[i] = max(p.masks[i], int64(l.c/p.vl)*int64(l.w*l.h)*int64((p.vl+7)/8))
		for _, tap := range l.taps {
			if s.Taps[tap].Style {
				blocks := gramBlocks(l.core.pieces(gramChunk), l.c)
				p.gram = max(p.gram, blocks*l.c*l.c)
				p.sums = max(p.sums, blocks*l.c)
				p.work = max(p.work, l.c*gramChunk)
			}
			p.panels = max(p.panels, l.c*l.c)
			p.work = max(p.work, l.c*positionBlock)
		}
		if len(l.taps) > 0 || l.pooled && !l.fused {
			p.acts[i] = max(p.acts[i], l.c*l.w*l.h)
		}
		in = l.c
	}
	p.turns(n)
	return n
}

// turns gives a window's layers their scratch: forward for activations that are not stored,
// backward for gradients.
func (p *plan) turns(n *windowPlan) {
	p.scratch.Begin()
	for i := range n.layers {
		switch l := &n.layers[i]; {
		case l.pooled:
			l.scratch.pool = p.scratch.Take(l.pooledBytes())
		case len(l.taps) == 0:
			l.scratch.act = p.scratch.Take(l.bytes())
		}
	}
	p.scratch.Begin()
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := &n.layers[i]
		if l.fused {
			l.scratch.dact = p.scratch.Take(l.pooledBytes())
			continue
		}
		if l.pooled {
			l.scratch.dpool = p.scratch.Take(l.pooledBytes())
		}
		l.scratch.dact = p.scratch.Take(l.bytes())
	}
}

func (l *layerPlan) bytes() int64       { return 4 * int64(l.c*l.w*l.h) }
func (l *layerPlan) pooledBytes() int64 { return 4 * int64(l.c*(l.w/2)*(l.h/2)) }

// buffers are an evaluator's memory, shared by windows of all shapes.
type buffers struct {
	scratch     [3]unsafe.Pointer // by tiling.Slot
	masks, acts []unsafe.Pointer  // by layer; acts: nil if not stored
	work        []unsafe.Pointer  // for each worker
	panels      unsafe.Pointer    // a packed D
	gram, sums  []float64         // partial Grams and sums
	taps        []tap
}

// allocate returns buffers from alloc, which may only count bytes and return nil.
func (p *plan) allocate(alloc func(what string, bytes int64) unsafe.Pointer) *buffers {
	b := &buffers{taps: make([]tap, len(p.spec.Taps))}
	for i, bytes := range p.scratch.Bytes {
		b.scratch[i] = alloc("activations and gradients", bytes)
	}
	for range p.workers {
		b.work = append(b.work, alloc("a thread's work space", 4*int64(p.work)))
	}
	b.panels = alloc("style gradients", 4*int64(p.panels))
	doubles := func(what string, n int) []float64 {
		q := (*float64)(alloc(what, 8*int64(n)))
		if q == nil {
			return nil
		}
		return unsafe.Slice(q, n)
	}
	b.gram, b.sums = doubles("partial Gram matrices", p.gram), doubles("partial Gram matrices", p.sums)
	for i := range p.acts {
		b.masks = append(b.masks, alloc("masks", p.masks[i]))
		b.acts = append(b.acts, alloc("activations", 4*int64(p.acts[i])))
	}
	ws, hs := engine.Sizes(p.spec)
	for i, s := range p.spec.Taps {
		t := &b.taps[i]
		*t = tap{Tap: s, c: roundUp(p.spec.Network.Layers[s.Layer].Out, 2*p.vl), w: ws[s.Layer], p: ws[s.Layer] * hs[s.Layer]}
		if s.Style {
			t.mean = alloc("style gradients", 4*int64(t.c))
			t.gram, t.sums = doubles("Gram matrices", t.c*t.c), doubles("Gram matrices", t.c)
		}
		if s.Content {
			t.target = alloc("content targets", 4*int64(t.c*t.p))
			t.mdelta = alloc("content differences", 4*int64(p.acts[s.Layer]))
			t.metric = alloc("a metric", 4*int64(t.c*t.c))
		}
	}
	return b
}

// bytes is what the evaluator allocates, without weights.
func (p *plan) bytes() (n int64) {
	p.allocate(func(_ string, bytes int64) unsafe.Pointer {
		n += allocated(bytes)
		return nil
	})
	return n
}

// weightBytes is the size of the transformed weights of both directions.
func (p *plan) weightBytes() (n int64) {
	in := 0
	for i := range p.acts {
		out := roundUp(p.spec.Network.Layers[i].Out, 2*p.vl)
		if i == 0 {
			n += allocated(4 * int64(firstWeights*out))
		} else {
			n += 36 * int64(p.factor[0]*in*out+p.factor[1]*out*in)
		}
		n += allocated(4 * int64(out)) // biases
		in = out
	}
	return n
}
