//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"unsafe"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
)

// Backward starts with the last tile, whose activations are still in the buffers.
func (e *Evaluator) Backward(dx engine.Vector, g []engine.Gradient) {
	n := 3 * e.plan.spec.W * e.plan.spec.H
	pdx := e.pointer(dx, n)
	if len(g) != len(e.taps) {
		panic("cpu: not one gradient for each tap")
	}
	e.blocks(n, func(at, n int) { clear(floats(unsafe.Pointer(move(pdx, at)), n)) })
	for i := len(e.tiles) - 1; i >= 0; i-- {
		if i != e.inBuffers {
			e.activate(i, false)
		}
		e.backwardTile(&e.tiles[i], pdx, g)
	}
	if e.mask != nil {
		engine.ClearMasked(floats(unsafe.Pointer(pdx), n), e.mask)
	}
}

// backwardTile adds the gradient of a tile's core to dx.
func (e *Evaluator) backwardTile(t *tile, pdx *C.float, g []engine.Gradient) {
	last := &t.layers[len(t.layers)-1]
	e.profile.start()
	clear(floats(last.dact, last.c*last.w*last.h))
	for i := len(t.layers) - 1; i >= 0; i-- {
		l := &t.layers[i]
		if l.pooled && !l.fused {
			e.unpool(l)
		}
		e.profile.lap(i, backwardPart)
		for _, k := range l.taps {
			e.addGradient(&e.taps[k], l, &g[k], e.moments[k].P, t.offset(&e.taps[k], l))
		}
		e.profile.lap(i, lossPart)
		if i > 0 {
			e.run(e.back, l.back, l.layerPlan.back.blocks)
			e.profile.lap(i, backwardPart)
		}
	}
	t.first.dx = pdx
	e.runRows(t.first, func(y0, y1 C.int, work *C.float) { C.nst_first_back(e.k, t.first, y0, y1, work) })
	e.profile.lap(0, backwardPart)
}

// addGradient adds m·(2·D·a + dMean)/p + 2·dContent·m·M·Δa, m the shares, to the
// gradient at a tap's activation a, before its ReLU's mask, over the core of its
// layer l, whose window begins at offset.
func (e *Evaluator) addGradient(t *tap, l *layer, g *engine.Gradient, p float64, offset int) {
	var style, mean, mdelta *C.float
	n := e.plan.spec.Network.Layers[t.Layer].Out
	if (g.Gram != nil || g.Mean != nil) && !t.Style || g.Content != 0 && !t.Content {
		panic("cpu: a gradient for moments that the tap does not give")
	}
	if p == 0 {
		return
	}
	if g.Gram != nil {
		e.pack(e.panels, g.Gram, n, 2/p)
		style = (*C.float)(e.panels)
	}
	if g.Mean != nil {
		if len(g.Mean) != n {
			panic("cpu: a mean's gradient is not as long as its tap has channels")
		}
		padded := floats(t.mean, t.c)
		for c, v := range g.Mean {
			padded[c] = float32(float64(v) / p)
		}
		mean = (*C.float)(t.mean)
	}
	if g.Content != 0 && t.hasContent {
		mdelta = (*C.float)(t.mdelta)
	}
	parallel.For(e.threads, l.core.pieces(positionBlock), func(worker, i int) {
		at, n := l.core.piece(i, positionBlock, l.w)
		whole, _ := l.core.piece(i, positionBlock, t.w)
		C.nst_add_gradient(e.k, (*C.float)(l.dact), (*C.float)(l.act), t.shareAt(offset+whole), style, mean, mdelta,
			C.float(2*g.Content), C.int(t.c), C.int64_t(l.w*l.h), C.int64_t(at), C.int(n),
			(*C.float)(e.work[worker]))
	})
}
