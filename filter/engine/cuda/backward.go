//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

func (e *Evaluator) Backward(dx engine.Vector, g []engine.Gradient) {
	pdx := pointer(dx, 3*e.plan.spec.W*e.plan.spec.H)
	if len(g) != len(e.taps) {
		panic("cuda: not one gradient for each tap")
	}
	e.device.do(func() {
		e.writeGradients(g)
		e.backwardAll(pdx)
	})
}

// writeGradients copies the gradients of the moments to the device.
func (e *Evaluator) writeGradients(g []engine.Gradient) {
	some := false
	for i := range e.taps {
		t, g := &e.taps[i], &g[i]
		if (g.Gram != nil || g.Mean != nil) && !t.Style || g.Content != 0 && !t.Content {
			panic("cuda: a gradient for moments that the tap does not give")
		}
		if g.Gram != nil && len(g.Gram) != t.n*t.n || g.Mean != nil && len(g.Mean) != t.n {
			panic("cuda: a gradient that is not as large as its moment")
		}
		t.gradient = gradient{g.Gram != nil, g.Mean != nil, g.Content}
		if t.gradient.gram {
			copy(e.host.gradients.floats(t.dgram-e.gradients.at, t.n*t.n), g.Gram)
		}
		if t.gradient.mean {
			copy(e.host.gradients.floats(t.dmean-e.gradients.at, t.n), g.Mean)
		}
		some = some || t.gradient.gram || t.gradient.mean
	}
	if some {
		e.device.upload(e.gradients.at, unsafe.Pointer(&e.host.gradients[0]), e.gradients.bytes)
	}
}

// backwardAll writes the gradient of the latest picture to dx, from the gradients of the taps'
// moments. It starts with the last tile, whose activations are still in the buffers.
func (e *Evaluator) backwardAll(dx cu.DevicePtr) {
	e.device.clear(dx, 4*3*int64(e.plan.spec.W)*int64(e.plan.spec.H))
	for i := len(e.tiles) - 1; i >= 0; i-- {
		if i != e.inBuffers {
			e.activate(i, false)
		}
		e.back(&e.tiles[i], dx)
	}
	if e.mask != 0 {
		n := e.plan.spec.W * e.plan.spec.H
		clearMaskedKernel.spread(e.device, n, clearMaskedArgs{dx: dx, mask: e.mask, n: n})
	}
}

// back adds the gradient of a tile's core to dx. The kernel that writes an activation's
// gradient last applies the ReLU's mask: addTap if there is a tap, unpool, or the next
// layer's convolution, which may also add the tap's gradient.
func (e *Evaluator) back(n *tile, dx cu.DevicePtr) {
	last := &n.layers[len(n.layers)-1]
	e.device.clear(last.dact.hi, e.plan.plane(last.c, last.w, last.h))
	if last.dact.lo != 0 {
		e.device.clear(last.dact.lo, e.plan.plane(last.c, last.w, last.h))
	}
	fused := false // the layer's only tap, by the convolution above
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := &n.layers[i]
		if l.pooled {
			e.unpool(l)
		}
		for _, k := range l.taps {
			if !fused {
				j := e.tapOf(n, l, k)
				e.addDerivatives(&j, l, k, false)
				e.plan.products.addTap(e.device, j)
			}
		}
		if fused = false; i == 0 {
			break
		}
		back := l.back
		if below := &n.layers[i-1]; len(below.taps) == 1 && !below.pooled {
			if j := e.tapOf(n, below, below.taps[0]); e.plan.products.fuses(j) {
				e.addDerivatives(&j, below, below.taps[0], true)
				back.tap, fused = &j, true
			}
		}
		e.plan.products.conv(e.device, back)
	}
	e.plan.products.firstBack(e.device, e.firstOf(n, dx, n.layers[0].dact))
}

func (e *Evaluator) unpool(l *layer) {
	lo := cu.DevicePtr(0)
	if l.keepLo {
		lo = l.act.lo
	}
	unpoolKernel.rows(e, blocks((l.w+1)/2*l.c/eight, threads), (l.h+1)/2, unpoolArgs{daHi: l.dact.hi, daLo: l.dact.lo,
		dpHi: l.dpool.hi, dpLo: l.dpool.lo, aHi: l.act.hi, aLo: lo, w: l.w, h: l.h, c: l.c,
		maximum: toInt(e.plan.maximum()), gate: toInt(len(l.taps) == 0)})
}

// tapOf returns the job that adds m·(2·D·a + dMean)/p + 2·dContent·m·M·Δa, with shares m, to
// the gradient of tap k's activation a, over the core of a tile's layer l. addDerivatives
// completes it.
func (e *Evaluator) tapOf(n *tile, l *layer, k int) tapJob {
	j := tapJob{a: l.act, da: l.dact, core: l.core, shares: e.taps[k].shares(n, l)}
	if !l.keepLo {
		j.a.lo = 0
	}
	return j
}

// addDerivatives packs D, for the next layer's convolution if fused, and sets the other
// derivatives. It overwrites the D of the previous tap, whose job must have been launched.
func (e *Evaluator) addDerivatives(j *tapJob, l *layer, k int, fused bool) {
	t := &e.taps[k]
	if t.positions == 0 || l.core.w == 0 {
		return
	}
	if t.gradient.gram {
		j.d = packed{at: e.style, n: t.n, terms: e.plan.terms(true), fused: fused}
		e.plan.products.matrix(e.device, j.d, t.dgram, 2/t.positions)
	}
	if t.gradient.mean {
		j.mean, j.meanScale = t.dmean, 1/t.positions
	}
	if t.gradient.content != 0 && t.hasContent {
		j.mdelta, j.weight = field{t.mdelta.hi, t.mdelta.lo, l.w, l.h, l.c}, 2*t.gradient.content
	}
}
