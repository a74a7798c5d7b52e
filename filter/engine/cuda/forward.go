//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

// How the kernels of pool.cu and content.cu are launched.
const (
	threads       = 256
	eight         = 8   // channels of a thread
	contentBlocks = 256 // at most, on all devices, for a sum's order is its blocks'
	spreadBlocks  = 1024
)

// SetMask panics with engine.Failure if there is no memory.
func (e *Evaluator) SetMask(mask []float32, regions ...[]float32) {
	if mask == nil && len(regions) == 0 && e.masks == nil {
		return
	}
	e.device.do(func() {
		e.dropRecording()
		for _, p := range e.masks {
			e.device.free(p)
		}
		e.masks = nil
		for i := range e.taps {
			t := &e.taps[i]
			t.share, t.positions = 0, float64(t.w*t.h)
		}
		e.weigh(nil, 0)
		if mask != nil {
			e.weigh(mask, e.keepMask(mask))
		}
		for i, share := range engine.Shares(e.plan.spec, mask, regions) {
			if share != nil {
				e.taps[i].share, e.taps[i].positions = e.keepMask(share), engine.Total(share)
			}
		}
	})
}

// keepMask copies a mask, or shares, to the device; the next SetMask frees it.
func (e *Evaluator) keepMask(m []float32) cu.DevicePtr {
	p, err := e.device.put("a mask", m)
	if err != nil {
		panic(engine.Failure{Err: err})
	}
	e.masks = append(e.masks, p)
	return p
}

func (e *Evaluator) Forward(x engine.Vector) []engine.Moments {
	px := pointer(x, 3*e.plan.spec.W*e.plan.spec.H)
	e.device.do(func() {
		e.activateAll(px)
		e.makeMoments()
		e.readMoments()
	})
	return e.results
}

// activateAll evaluates the network at the picture x and sums the taps' moments.
func (e *Evaluator) activateAll(x cu.DevicePtr) {
	e.x = x
	e.device.clear(e.sums.at, e.sums.bytes)
	e.device.clear(e.taps[0].content, 8*int64(len(e.taps)))
	for i := range e.tiles {
		e.activate(i, true)
	}
}

// makeMoments divides the sums to Gram matrices and means; contents are sums already.
func (e *Evaluator) makeMoments() {
	for i := range e.taps {
		if t := &e.taps[i]; t.Style {
			momentsKernel.spread(e.device, t.n*t.n, momentsArgs{gram: t.momentGram, mean: t.momentMean,
				sums: t.gram, means: t.means, n: t.n, c: t.c, p: t.positions})
		}
	}
}

// readMoments waits for the moments and stores them in results.
func (e *Evaluator) readMoments() {
	e.device.download(unsafe.Pointer(&e.host.moments[0]), e.moments.at, e.moments.bytes)
	for i := range e.taps {
		e.results[i].P = e.taps[i].positions
		e.results[i].Content = e.host.moments[i]
	}
}

// activate evaluates tile i at the latest x. If measure is set, it adds to the sums.
func (e *Evaluator) activate(i int, measure bool) {
	n := &e.tiles[i]
	for i := range n.layers {
		l := &n.layers[i]
		if i == 0 {
			e.plan.products.first(e.device, e.firstOf(n, e.x, l.act))
		} else {
			e.plan.products.conv(e.device, l.forward)
		}
		for _, k := range l.taps {
			t := &e.taps[k]
			if l.core.w == 0 {
				break
			}
			if t.Style && measure {
				e.plan.products.gram(e.device, gramJob{a: l.act, core: l.core, shares: t.shares(n, l),
					gram: t.gram, means: t.means, scratch: e.work})
			}
			if t.hasContent {
				e.measureContent(t, n, l, measure)
			}
		}
		if l.pooled {
			poolKernel.rows(e, blocks(l.w/2*l.c/eight, threads), l.h/2, poolArgs{dstHi: l.pool.hi, dstLo: l.pool.lo,
				srcHi: l.act.hi, srcLo: l.act.lo, w: l.w, h: l.h, c: l.c, maximum: toInt(e.plan.maximum())})
		}
	}
	e.inBuffers = i
}

// firstOf returns the job of the first convolution in a tile; x is the picture or its
// gradient, f the activation or its gradient.
func (e *Evaluator) firstOf(n *tile, x cu.DevicePtr, f field) firstJob {
	return firstJob{x, e.plan.spec.W, e.plan.spec.H, n.x, n.y, f, e.first}
}

// rows launches the kernel for the products' format by rows.
func (k kernel[A]) rows(e *Evaluator, across, down int, args A) {
	if across*down > 0 {
		k.of(e.plan.products.format()).launch(e.device, [3]int{across, down, 1}, [3]int{threads, 1, 1}, 0, args)
	}
}

// spread launches a kernel whose threads share n elements.
func (k kernel[A]) spread(d *device, n int, args A) {
	k.launch(d, [3]int{min(blocks(n, threads), spreadBlocks), 1, 1}, [3]int{threads, 1, 1}, 0, args)
}

// origin returns the position in a layer at which a tile begins.
func (l *layer) origin(n *tile) (x, y int) { return n.x >> l.pools, n.y >> l.pools }

// shares returns the tap's shares in the core of a tile's layer l.
func (t *tap) shares(n *tile, l *layer) shares {
	if t.share == 0 {
		return shares{}
	}
	x, y := l.origin(n)
	return shares{t.share + cu.DevicePtr(4*((y+l.core.y)*t.w+x+l.core.x)), t.w}
}

// measureContent computes M·(a − target) over the core of a tile's layer l. If measure is set,
// it adds the product with a − target to the tap's sum.
func (e *Evaluator) measureContent(t *tap, n *tile, l *layer, measure bool) {
	mdelta := field{t.mdelta.hi, t.mdelta.lo, l.w, l.h, l.c}
	delta := l.delta
	if !t.hasMetric {
		delta = mdelta
	}
	x, y := l.origin(n)
	core := l.core
	contentDeltaKernel.rows(e, blocks(core.w*l.c/eight, threads), core.h, contentDeltaArgs{dHi: delta.hi, dLo: delta.lo,
		aHi: l.act.hi, aLo: l.act.lo, tHi: t.target.hi, tLo: t.target.lo, w: l.w, c: l.c,
		x: core.x, y: core.y, coreW: core.w, targetW: t.w, targetX: x + core.x, targetY: y + core.y})
	if t.hasMetric {
		e.plan.products.multiply(e.device, t.metric, delta, mdelta, core)
	}
	if !measure {
		return
	}
	s := t.shares(n, l)
	parts := min(contentBlocks, blocks(core.w*core.h*l.c/eight, threads))
	contentSumKernel.rows(e, parts, 1, contentSumArgs{dHi: delta.hi, dLo: delta.lo, mdHi: mdelta.hi, mdLo: mdelta.lo,
		share: s.at, pitch: s.pitch, w: l.w, c: l.c, x: core.x, y: core.y, coreW: core.w, coreH: core.h, partial: e.contents})
	addPartialsKernel.each(e.device, 1, addPartialsArgs{sum: t.content, partial: e.contents, n: parts})
}

func (e *Evaluator) SetContent(metric [][]float32) {
	hasMetric := func(i int) bool { return metric != nil && metric[i] != nil }
	e.device.do(func() {
		for i := range e.taps {
			if t := &e.taps[i]; t.Content && (!t.hasContent || t.hasMetric != hasMetric(i)) {
				e.dropRecording()
			}
		}
		for i := len(e.tiles) - 1; i >= 0; i-- {
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
			e.device.clear(t.mdelta.hi, e.plan.layers[t.Layer])
			if t.mdelta.lo != 0 {
				e.device.clear(t.mdelta.lo, e.plan.layers[t.Layer])
			}
			t.hasContent, t.hasMetric = true, hasMetric(i)
			if t.hasMetric {
				e.setMetric(t, metric[i])
			}
		}
	})
}

func (e *Evaluator) setMetric(t *tap, m []float32) {
	if len(m) != t.n*t.n {
		panic("cuda: a metric that is not channels × channels")
	}
	e.device.upload(e.metric, unsafe.Pointer(&m[0]), 4*int64(len(m)))
	e.plan.products.matrix(e.device, t.metric, e.metric, 1)
}

// storeTarget copies the activation of a tile's core to the tap's content target.
func (e *Evaluator) storeTarget(t *tap, n *tile) {
	l := &n.layers[t.Layer]
	x, y := l.origin(n)
	row := int(e.plan.size) * l.c // bytes of a position
	for _, plane := range [][2]cu.DevicePtr{{t.target.hi, l.act.hi}, {t.target.lo, l.act.lo}} {
		if plane[0] == 0 || l.core.w == 0 {
			continue
		}
		copyRowsKernel.launch(e.device, [3]int{blocks(l.core.w*row/16, threads), l.core.h, 1}, [3]int{threads, 1, 1}, 0,
			copyRowsArgs{dst: plane[0] + cu.DevicePtr(((y+l.core.y)*t.w+x+l.core.x)*row),
				src: plane[1] + cu.DevicePtr((l.core.y*l.w+l.core.x)*row),
				n:   l.core.w * row / 16, dstPitch: t.w * row / 16, srcPitch: l.w * row / 16})
	}
}
