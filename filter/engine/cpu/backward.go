//go:build cgo

package cpu

// #include "calls.h"
import "C"

import "nstfilter/filter/engine"

func (e *Evaluator) Backward(dx engine.Vector, g []engine.Gradient) {
	w, h := e.plan.spec.W, e.plan.spec.H
	pdx := e.pointer(dx, 3*w*h)
	if len(g) != len(e.taps) {
		panic("cpu: not one gradient for each tap")
	}
	last := &e.layers[len(e.layers)-1]
	clear(floats(e.dlast, last.c*last.w*last.h))
	for i := len(e.layers) - 1; i >= 0; i-- {
		l := &e.layers[i]
		if l.pooled && !l.fused {
			e.unpool(l)
		}
		if l.tap >= 0 {
			e.addGradient(&e.taps[l.tap], &g[l.tap])
		}
		e.run(e.back, l.back, l.layerPlan.back.blocks)
	}
	parallel(e.threads, blocksOf(h, rowBlock), func(_, i int) {
		C.nst_unpack_gradient(e.k, pdx, (*C.float)(e.border), &e.std[0],
			C.int(h), C.int(w), C.int(i*rowBlock), C.int(min((i+1)*rowBlock, h)))
	})
}

// addGradient adds 2·D·a/P + dMean/P + 2·dContent·M·Δa to the gradient at a
// tap's activation a, before its ReLU's mask.
func (e *Evaluator) addGradient(t *tap, g *engine.Gradient) {
	var style, mean, mdelta *C.float
	n := e.plan.spec.Network.Layers[t.Layer].Out
	if (g.Gram != nil || g.Mean != nil) && !t.Style || g.Content != 0 && !t.Content {
		panic("cpu: a gradient for moments that the tap does not give")
	}
	if g.Gram != nil {
		e.pack(e.panels, g.Gram, n, 2/float64(t.p))
		style = (*C.float)(e.panels)
	}
	if g.Mean != nil {
		if len(g.Mean) != n {
			panic("cpu: a mean's gradient is not as long as its tap has channels")
		}
		padded := floats(t.mean, t.c)
		for c, v := range g.Mean {
			padded[c] = float32(float64(v) / float64(t.p))
		}
		mean = (*C.float)(t.mean)
	}
	if g.Content != 0 && t.hasContent {
		mdelta = (*C.float)(t.mdelta)
	}
	parallel(e.threads, blocksOf(t.p, positionBlock), func(worker, b int) {
		C.nst_add_gradient(e.k, (*C.float)(t.dact), (*C.float)(t.act), style, mean, mdelta,
			C.float(2*g.Content), C.int(t.c), C.int64_t(t.p), C.int64_t(b*positionBlock),
			C.int(min(positionBlock, t.p-b*positionBlock)), (*C.float)(e.work[worker]))
	})
}
