//go:build cgo

package cpu

import (
	"fmt"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// plan says what an evaluator of a Spec allocates; sizes count float32 unless
// they say bytes.
type plan struct {
	spec    engine.Spec
	vl      int
	factor  [2]int // bytes of an element of the transformed weights, there and back
	layers  []layerPlan
	scratch [2]int
	workers int
	work    int // for each worker
	gram    int // float64: partial Grams
	sums    int // float64: partial sums of activations
	panels  int // a packed D or the like
}

// layerPlan is one convolution and what follows it up to the next.
type layerPlan struct {
	w, h    int  // of its activation
	c       int  // padded channels of its output
	tap     int  // −1: none
	pooled  bool // the next layer reads its pooled activation
	fused   bool // pooled, and only the pooled activation is stored
	forward winograd
	back    winograd
}

// winograd is the blocking of one convolution.
type winograd struct {
	in, out, tiles, count, blocks int
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// tileLimit bounds the tiles of a block. Between 30 and 126 the time of VGG-19
// changes by less than its noise; more of them reuse the weights more, fewer
// take less memory.
const tileLimit = 84

// blocking cuts oh×ow outputs into blocks. A tile's value does not depend on
// the block that it is in, so the number of threads may decide.
func blocking(in, out, ow, oh, rows, threads int) winograd {
	count := (ow + 3) / 4 * ((oh + 3) / 4)
	blocks := roundUp((count+tileLimit-1)/tileLimit, threads)
	tiles := min(roundUp((count+blocks-1)/blocks, rows), count)
	return winograd{in, out, tiles, count, (count + tiles - 1) / tiles}
}

func (w winograd) work(vl int) int { return 36 * (w.tiles*(w.in+w.out) + 10*vl) }

// gramBlocks is how the positions of a layer are shared out for its Gram.
// It depends on the sizes only, so that sums do not depend on threads.
func gramBlocks(p, c int) (size, blocks int) {
	limit := 16
	if c > 256 {
		limit = 8
	}
	size = gramChunk * ((p + gramChunk*limit - 1) / (gramChunk * limit))
	return size, (p + size - 1) / size
}

const (
	gramChunk     = 256 // positions summed in float32
	positionBlock = 84  // positions for each block of style and content gradients
)

// check panics where a Spec is out of range.
func check(s engine.Spec) {
	if s.W < engine.MinSide || s.H < engine.MinSide {
		panic(fmt.Sprintf("cpu: %d×%d is smaller than %d", s.W, s.H, engine.MinSide))
	}
	if s.Pooling != weights.AveragePooling && s.Pooling != weights.MaxPooling {
		panic(fmt.Sprintf("cpu: unknown pooling %q", s.Pooling))
	}
	last := -1
	for _, t := range s.Taps {
		if t.Layer <= last || t.Layer >= len(s.Network.Layers) {
			panic(fmt.Sprintf("cpu: tap at layer %d after %d, of %d", t.Layer, last, len(s.Network.Layers)))
		}
		last = t.Layer
	}
	if last < 0 {
		panic("cpu: no taps")
	}
	in := 3
	for i := range s.Network.Layers[:last+1] {
		l := &s.Network.Layers[i]
		if l.In != in || len(l.Weight) != l.In*l.Out*9 || len(l.Bias) != l.Out {
			panic(fmt.Sprintf("cpu: layer %d has %d → %d channels, %d weights and %d biases after %d channels",
				i, l.In, l.Out, len(l.Weight), len(l.Bias), in))
		}
		in = l.Out
	}
	if w, h := engine.Sizes(s); w[last] < 1 || h[last] < 1 {
		panic(fmt.Sprintf("cpu: nothing is left of %d×%d at layer %d", s.W, s.H, last))
	}
}

func newPlan(s engine.Spec, vl, rows, threads int, factor [2]int) *plan {
	check(s)
	p := &plan{spec: s, vl: vl, factor: factor, workers: threads}
	ws, hs := engine.Sizes(s)
	p.layers = make([]layerPlan, s.Depth())
	for i := range p.layers {
		p.layers[i].tap = -1
	}
	for i, t := range s.Taps {
		p.layers[t.Layer].tap = i
	}
	in := vl // three, and zeros
	for i := range p.layers {
		l := &p.layers[i]
		l.w, l.h, l.c = ws[i], hs[i], roundUp(s.Network.Layers[i].Out, 2*vl)
		l.pooled = i+1 < len(p.layers) && s.Network.Layers[i+1].Pooled()
		l.fused = l.pooled && l.tap < 0
		l.forward = blocking(in, l.c, l.w, l.h, rows, threads)
		l.back = blocking(l.c, in, l.w, l.h, rows, threads)
		if i == 0 {
			l.back = blocking(l.c, 2*vl, l.w+2, l.h+2, rows, threads)
		}
		p.work = max(p.work, l.forward.work(vl), l.back.work(vl))
		if l.tap >= 0 {
			t := s.Taps[l.tap]
			if t.Style {
				_, blocks := gramBlocks(l.w*l.h, l.c)
				p.gram = max(p.gram, blocks*l.c*l.c)
				p.sums = max(p.sums, blocks*l.c)
			}
			p.panels = max(p.panels, l.c*l.c)
			p.work = max(p.work, l.c*positionBlock)
		}
		in = l.c
	}
	// Two buffers take turns: forward for the packed picture and for the
	// activations that no tap keeps, backward for gradients.
	turn := 0
	use := func(n int) { p.scratch[turn] = max(p.scratch[turn], n); turn ^= 1 }
	border := vl * (s.W + 2) * (s.H + 2)
	use(border)
	for i := range p.layers {
		l := &p.layers[i]
		switch {
		case l.pooled:
			use(l.c * (l.w / 2) * (l.h / 2))
		case l.tap < 0:
			use(l.c * l.w * l.h)
		}
	}
	turn = 0
	for i := len(p.layers) - 1; i >= 0; i-- {
		l := &p.layers[i]
		switch {
		case l.fused:
			use(l.c * (l.w / 2) * (l.h / 2))
		case l.pooled:
			use(l.c * (l.w / 2) * (l.h / 2))
			use(l.c * l.w * l.h)
		default:
			use(l.c * l.w * l.h)
		}
	}
	use(border)
	return p
}

// maskBytes is the size of layer l's mask.
func (p *plan) maskBytes(l *layerPlan) int64 {
	return int64(l.c/p.vl) * int64(l.w*l.h) * int64((p.vl+7)/8)
}

// bytes is what the evaluator itself allocates.
func (p *plan) bytes() int64 {
	n := int64(p.scratch[0]+p.scratch[1]+p.workers*p.work+p.panels)*4 + int64(p.gram+p.sums)*8
	for i := range p.layers {
		l := &p.layers[i]
		n += p.maskBytes(l)
		if l.tap >= 0 {
			t := p.spec.Taps[l.tap]
			buffers := 1
			if t.Content {
				buffers = 3 // target, M·Δa
				n += int64(l.c*l.c) * 4
			}
			n += int64(buffers*l.c*l.w*l.h) * 4
		}
	}
	return n
}

// weightBytes is what the transformed weights take, both ways.
func (p *plan) weightBytes() int64 {
	n := int64(0)
	for i := range p.layers {
		l := &p.layers[i]
		n += int64(36*(p.factor[0]*l.forward.in*l.forward.out+p.factor[1]*l.back.in*l.back.out) + 4*l.c)
	}
	return n
}
