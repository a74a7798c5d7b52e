//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// rowBlock is how many rows of a picture a goroutine takes at a time.
const rowBlock = 16

func (e *Evaluator) Forward(x engine.Vector) []engine.Moments {
	w, h := e.plan.spec.W, e.plan.spec.H
	px := e.pointer(x, 3*w*h)
	parallel(e.threads, blocksOf(h+2, rowBlock), func(_, i int) {
		y0 := i*rowBlock - 1
		C.nst_pack_picture(e.k, (*C.float)(e.packed), px, &e.mean[0], &e.std[0],
			C.int(h), C.int(w), C.int(y0), C.int(min(y0+rowBlock, h+1)))
	})
	for i := range e.layers {
		l := &e.layers[i]
		e.run(e.k, l.forward, l.layerPlan.forward.blocks)
		if l.pooled && !l.fused {
			e.pool(l)
		}
		if l.tap >= 0 {
			e.measure(l.tap)
		}
	}
	return e.moments
}

func (e *Evaluator) pool(l *layer) {
	vl := e.plan.vl
	parallel(e.threads, l.c/vl, func(_, b int) {
		C.nst_pool(e.k, at(l.pool, b*vl*(l.w/2)*(l.h/2)), at(l.act, b*vl*l.w*l.h),
			C.int(l.h), C.int(l.w), e.maximum())
	})
}

func (e *Evaluator) unpool(l *layer) {
	vl := e.plan.vl
	parallel(e.threads, l.c/vl, func(_, b int) {
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

// measure computes the moments of tap i.
func (e *Evaluator) measure(i int) {
	t, m := &e.taps[i], &e.moments[i]
	if t.Style {
		e.measureGram(t, m)
	}
	m.Content = 0
	if t.hasContent {
		m.Content = e.measureContent(t)
	}
}

func (e *Evaluator) measureGram(t *tap, m *engine.Moments) {
	size, blocks := gramBlocks(t.p, t.c)
	cc := t.c * t.c
	parallel(e.threads, blocks, func(_, b int) {
		C.nst_gram(e.k, (*C.double)(&e.gram[b*cc]), (*C.double)(&e.sums[b*t.c]), (*C.float)(t.act),
			C.int(t.c), C.int64_t(t.p), C.int64_t(b*size), C.int(min(size, t.p-b*size)))
	})
	n := len(m.Mean)
	p := float64(t.p)
	parallel(e.threads, blocksOf(n, rowBlock), func(_, block int) {
		for r := block * rowBlock; r < min(n, (block+1)*rowBlock); r++ {
			row := e.gram[r*t.c:]
			for b := 1; b < blocks; b++ {
				other := e.gram[b*cc+r*t.c:]
				for c := r; c < n; c++ {
					row[c] += other[c]
				}
			}
			for c := r; c < n; c++ {
				v := float32(row[c] / p)
				m.Gram[r*n+c], m.Gram[c*n+r] = v, v
			}
			for b := 1; b < blocks; b++ {
				e.sums[r] += e.sums[b*t.c+r]
			}
			m.Mean[r] = float32(e.sums[r] / p)
		}
	})
}

func (e *Evaluator) measureContent(t *tap) float64 {
	var metric *C.float
	if t.hasMetric {
		metric = (*C.float)(t.metric)
	}
	return e.sum(blocksOf(t.p, positionBlock), func(worker, b int) float64 {
		return float64(C.nst_content(e.k, (*C.float)(t.mdelta), (*C.float)(t.act), (*C.float)(t.target),
			metric, C.int(t.c), C.int64_t(t.p), C.int64_t(b*positionBlock),
			C.int(min(positionBlock, t.p-b*positionBlock)), (*C.float)(e.work[worker])))
	})
}

func (e *Evaluator) SetContent(metric [][]float32) {
	for i := range e.taps {
		t := &e.taps[i]
		if !t.Content {
			continue
		}
		copy(floats(t.target, t.c*t.p), floats(t.act, t.c*t.p))
		t.hasContent = true
		t.hasMetric = metric != nil && metric[i] != nil
		if t.hasMetric {
			e.pack(t.metric, metric[i], e.plan.spec.Network.Layers[t.Layer].Out, 1)
		}
		clear(floats(t.mdelta, t.c*t.p))
	}
}

// pack makes panels of scale·m, m (n, n).
func (e *Evaluator) pack(dst unsafe.Pointer, m []float32, n int, scale float64) {
	if len(m) != n*n {
		panic("cpu: a matrix of a tap is not channels × channels")
	}
	C.nst_pack_panels(e.k, (*C.float)(dst), (*C.float)(&m[0]), C.int(n), C.int(n), C.float(scale))
}
