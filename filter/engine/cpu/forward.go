//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"slices"
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
	"nstfilter/weights"
)

// rowBlock is how many rows of a picture or of a matrix a goroutine handles at a time.
const rowBlock = 16

func (e *Evaluator) SetMask(mask []float32, regions ...[]float32) {
	e.mask, e.pairs = slices.Clone(mask), 0
	if mask != nil {
		e.pairs = engine.Pairs(e.mask, e.plan.spec.W, e.plan.spec.H)
	}
	for i, share := range engine.Shares(e.plan.spec, mask, regions) {
		t := &e.taps[i]
		t.share, e.moments[i].P = slices.Clone(share), float64(t.p)
		if share != nil {
			e.moments[i].P = engine.Total(share)
		}
	}
}

// shareAt points to the share of a position of the whole layer; nil if all are 1.
func (t *tap) shareAt(position int) *C.float {
	if t.share == nil {
		return nil
	}
	return (*C.float)(&t.share[position])
}

func (e *Evaluator) Forward(x engine.Vector) []engine.Moments {
	e.x = e.pointer(x, 3*e.plan.spec.W*e.plan.spec.H)
	for i := range e.taps {
		clear(e.taps[i].gram)
		clear(e.taps[i].sums)
		e.moments[i].Content = 0
	}
	for i := range e.tiles {
		e.activate(i, true)
	}
	for i := range e.taps {
		if e.taps[i].Style {
			e.finish(&e.taps[i], &e.moments[i])
		}
	}
	return e.moments
}

// activate evaluates tile i at the latest x. If measure is set, it adds to the moments.
func (e *Evaluator) activate(i int, measure bool) {
	t := &e.tiles[i]
	t.first.x = e.x
	e.profile.start()
	for i := range t.layers {
		l := &t.layers[i]
		if i == 0 {
			e.runRows(t.first, func(y0, y1 C.int, work *C.float) { C.nst_first_forward(e.k, t.first, y0, y1, work) })
		} else {
			e.run(e.k, l.forward, l.layerPlan.forward.blocks)
		}
		if l.pooled && !l.fused {
			e.pool(l)
		}
		e.profile.lap(i, forwardPart)
		for _, k := range l.taps {
			tap := &e.taps[k]
			if tap.Style && measure {
				e.addGram(tap, l, t.offset(tap, l))
			}
			if tap.hasContent {
				content := e.measureContent(tap, l, t.offset(tap, l))
				if measure {
					e.moments[k].Content += content
				}
			}
		}
		e.profile.lap(i, lossPart)
	}
	e.inBuffers = i
}

// runRows computes the rows of a first convolution, in blocks.
func (e *Evaluator) runRows(f *C.struct_first, rows func(y0, y1 C.int, work *C.float)) {
	parallel.For(e.threads, blocksOf(int(f.area.h), rowBlock), func(worker, i int) {
		y0 := C.int(i * rowBlock)
		rows(y0, min(y0+rowBlock, f.area.h), (*C.float)(e.work[worker]))
	})
}

// offset is the position in the whole layer at which the window begins.
func (t *tile) offset(tap *tap, l *layer) int {
	return int(t.first.area.y)>>l.pools*tap.w + int(t.first.area.x)>>l.pools
}

func (e *Evaluator) pool(l *layer) {
	vl := e.plan.vl
	parallel.For(e.threads, l.c/vl, func(_, b int) {
		C.nst_pool(e.k, at(l.pool, b*vl*(l.w/2)*(l.h/2)), at(l.act, b*vl*l.w*l.h),
			C.int(l.h), C.int(l.w), e.maximum())
	})
}

func (e *Evaluator) unpool(l *layer) {
	vl := e.plan.vl
	parallel.For(e.threads, l.c/vl, func(_, b int) {
		C.nst_unpool(e.k, at(l.dact, b*vl*l.w*l.h), at(l.dpool, b*vl*(l.w/2)*(l.h/2)),
			at(l.act, b*vl*l.w*l.h), C.int(l.h), C.int(l.w), e.maximum())
	})
}

func (e *Evaluator) maximum() C.int {
	if e.plan.spec.Pooling == weights.MaxPooling {
		return 1
	}
	return 0
}

// addGram adds the core of a tap's layer l, whose window begins at offset, to the
// tap's sums.
func (e *Evaluator) addGram(t *tap, l *layer, offset int) {
	pieces := l.core.pieces(gramChunk)
	blocks := gramBlocks(pieces, t.c)
	size := blocksOf(pieces, max(blocks, 1))
	cc := t.c * t.c
	parallel.For(e.threads, blocks, func(worker, b int) {
		gram, sums := e.gram[b*cc:][:cc], e.sums[b*t.c:][:t.c]
		clear(gram)
		clear(sums)
		for i := b * size; i < min((b+1)*size, pieces); i++ {
			at, n := l.core.piece(i, gramChunk, l.w)
			whole, _ := l.core.piece(i, gramChunk, t.w)
			C.nst_gram(e.k, (*C.double)(&gram[0]), (*C.double)(&sums[0]), (*C.float)(l.act), t.shareAt(offset+whole),
				C.int(t.c), C.int64_t(l.w*l.h), C.int64_t(at), C.int(n), (*C.float)(e.work[worker]))
		}
	})
	parallel.For(e.threads, blocksOf(t.c, rowBlock), func(_, block int) {
		for r := block * rowBlock; r < min(t.c, (block+1)*rowBlock); r++ {
			for b := range blocks {
				for c := r; c < t.c; c++ {
					t.gram[r*t.c+c] += e.gram[b*cc+r*t.c+c]
				}
				t.sums[r] += e.sums[b*t.c+r]
			}
		}
	})
}

// finish divides a tap's sums to moments.
func (e *Evaluator) finish(t *tap, m *engine.Moments) {
	n := len(m.Mean)
	if m.P == 0 {
		clear(m.Gram)
		clear(m.Mean)
		return
	}
	parallel.For(e.threads, blocksOf(n, rowBlock), func(_, block int) {
		for r := block * rowBlock; r < min(n, (block+1)*rowBlock); r++ {
			for c := r; c < n; c++ {
				v := float32(t.gram[r*t.c+c] / m.P)
				m.Gram[r*n+c], m.Gram[c*n+r] = v, v
			}
			m.Mean[r] = float32(t.sums[r] / m.P)
		}
	})
}

// measureContent computes M·Δa over the core of a tap's layer l, whose window
// begins at offset, and its product with Δa.
func (e *Evaluator) measureContent(t *tap, l *layer, offset int) float64 {
	var metric *C.float
	if t.hasMetric {
		metric = (*C.float)(t.metric)
	}
	return e.sum(l.core.pieces(positionBlock), func(worker, i int) float64 {
		at, n := l.core.piece(i, positionBlock, l.w)
		whole, _ := l.core.piece(i, positionBlock, t.w)
		return float64(C.nst_content(e.k, (*C.float)(t.mdelta), (*C.float)(l.act), t.shareAt(offset+whole),
			(*C.float)(t.target), metric, C.int(t.c), C.int64_t(l.w*l.h), C.int64_t(at), C.int(n),
			C.int64_t(t.p), C.int64_t(offset+whole), (*C.float)(e.work[worker])))
	})
}

func (e *Evaluator) SetContent(metric [][]float32) {
	last := len(e.tiles) - 1
	for i := last; i >= 0; i-- {
		if i != e.inBuffers {
			e.activate(i, false)
		}
		for k := range e.taps {
			if t := &e.taps[k]; t.Content {
				e.storeTarget(t, &e.tiles[i])
			}
		}
	}
	for i := range e.taps {
		t := &e.taps[i]
		if !t.Content {
			continue
		}
		t.hasContent = true
		t.hasMetric = metric != nil && metric[i] != nil
		if t.hasMetric {
			e.pack(t.metric, metric[i], e.plan.spec.Network.Layers[t.Layer].Out, 1)
		}
		clear(floats(t.mdelta, e.plan.acts[t.Layer]))
	}
}

// storeTarget copies the activation of a tile's core to the tap's content target.
func (e *Evaluator) storeTarget(t *tap, from *tile) {
	l, vl := &from.layers[t.Layer], e.plan.vl
	target, act := floats(t.target, t.c*t.p), floats(l.act, t.c*l.w*l.h)
	offset := from.offset(t, l)
	for b := range t.c / vl {
		for i := range l.core.H {
			at, n := l.core.piece(i, l.core.W, l.w)
			whole, _ := l.core.piece(i, l.core.W, t.w)
			copy(target[(b*t.p+offset+whole)*vl:], act[(b*l.w*l.h+at)*vl:][:n*vl])
		}
	}
}

// pack writes scale·m, m (n, n), in panels.
func (e *Evaluator) pack(dst unsafe.Pointer, m []float32, n int, scale float64) {
	if len(m) != n*n {
		panic("cpu: a matrix of a tap is not channels × channels")
	}
	C.nst_pack_panels(e.k, (*C.float)(dst), (*C.float)(&m[0]), C.int(n), C.int(n), C.float(scale))
}
