//go:build cuda

package cuda

import (
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

var _ engine.LossEvaluator = (*Evaluator)(nil)

// loss is J on the device: its terms and the values of the latest evaluation.
type loss struct {
	room    cu.DevicePtr // the allocation that holds terms and values
	terms   []term
	values  cu.DevicePtr // float64, numbered by the constants below
	squares squares      // scratch for gradients

	recorder recorder
	latest   lossArgs // of the latest EvaluateLoss
}

// The positions of the values of an evaluation with k taps: contents, traces and norms of
// means by tap, then the terms of the picture.
func contentValue(_, tap int) int { return tap }
func traceValue(k, tap int) int   { return k + tap }
func normValue(k, tap int) int    { return 2*k + tap }
func tvValue(k int) int           { return 3 * k }
func gamutValue(k int) int        { return 3*k + 1 }
func priorValue(k int) int        { return 3*k + 2 }
func valueCount(k int) int        { return 3*k + 3 }

// term is an engine.Term.
type term struct {
	target, metric, mean          cu.DevicePtr // float32: n×n in rows, n×n, n
	hasTarget, hasMetric, hasMean bool         // whether they are set
	style, weight, content        float64      // weight: of the mean
}

// place sets every term's part of the room and returns the size of the room.
func (j *loss) place(taps []tap) int64 {
	room := memory{at: j.room}
	j.terms = make([]term, len(taps))
	j.values = room.take(8 * valueCount(len(taps)))
	for i := range taps {
		if t := &taps[i]; t.Style {
			j.terms[i].target, j.terms[i].metric, j.terms[i].mean = room.take(4*t.n*t.n), room.take(4*t.n*t.n), room.take(4*t.n)
		}
	}
	return room.bytes
}

// allocate allocates what SetTerms needs.
func (j *loss) allocate(alloc alloc, taps []tap) {
	j.squares.allocate(alloc, widest(taps))
	j.room = alloc("targets of style", j.place(taps))
	j.place(taps)
}

// widest is the most channels of a tap with style.
func widest(taps []tap) (n int) {
	for i := range taps {
		if taps[i].Style {
			n = max(n, taps[i].n)
		}
	}
	return n
}

// SetTerms panics with engine.Failure if there is no memory, and if a term has a Comparison.
func (e *Evaluator) SetTerms(terms []engine.Term) {
	if len(terms) != len(e.taps) {
		panic("cuda: not one term for each tap")
	}
	if slices.ContainsFunc(terms, func(t engine.Term) bool { return t.Compare != nil }) {
		panic("cuda: a comparison, which runs on the host")
	}
	e.device.do(func() {
		e.makeRoom()
		for i, from := range terms {
			t, to := &e.taps[i], &e.loss.terms[i]
			if (from.Target != nil || from.TargetMean != nil) && !t.Style || from.Content != 0 && !t.Content {
				panic("cuda: a term of moments that the tap does not give")
			}
			next := term{to.target, to.metric, to.mean, from.Target != nil, from.Metric != nil, from.TargetMean != nil, from.Style, from.Mean, from.Content}
			if *to != next {
				e.dropRecording()
				*to = next
			}
			e.keep32(to.target, from.Target, t.n*t.n)
			e.keep32(to.metric, from.Metric, t.n*t.n)
			e.keep32(to.mean, from.TargetMean, t.n)
		}
	})
}

// makeRoom allocates for the terms, unless it has.
func (e *Evaluator) makeRoom() {
	if j := &e.loss; j.room == 0 {
		j.squares.close(e.device) // of a call that failed
		j.allocate(e.device.mustAlloc, e.taps)
	}
}

// close frees it. Inside alone.
func (j *loss) close(d *device) {
	j.recorder.drop(d)
	j.squares.close(d)
	d.free(j.room)
	*j = loss{}
}

// keep32 copies n numbers of a term to the device, unless m is nil.
func (e *Evaluator) keep32(dst cu.DevicePtr, m []float32, n int) {
	if m == nil {
		return
	}
	if len(m) != n {
		panic("cuda: a term that is not as large as its tap's moments")
	}
	e.device.upload(dst, unsafe.Pointer(&m[0]), 4*int64(len(m)))
}

func (e *Evaluator) EvaluateLoss(dx, x engine.Vector, p engine.PictureTerms) {
	n := e.w * e.h
	j := lossArgs{dx: pointer(dx, 3*n), x: pointer(x, 3*n), tv: p.TV, gamut: p.Gamut, priorWeight: p.PriorWeight}
	if p.Prior != nil {
		j.prior, j.w = pointer(p.Prior, 3*n), pointer(p.W, n)
	}
	e.device.do(func() { e.loss.recorder.do(e.device, j, e.launchLoss) })
	e.loss.latest = j
}

// launchLoss launches the kernels of EvaluateLoss.
func (e *Evaluator) launchLoss(j lossArgs) {
	k := len(e.taps)
	e.activateAll(j.x)
	for i := range e.taps {
		e.termGradient(i)
	}
	e.backwardAll(j.dx)
	if j.tv != 0 {
		e.tv(j.dx, j.x, j.tv, e.value(tvValue(k)))
	}
	if j.gamut != 0 {
		e.gamut(j.dx, j.x, j.gamut, e.value(gamutValue(k)))
	}
	if j.prior != 0 {
		e.prior(j.dx, j.x, j.prior, j.w, j.priorWeight, e.value(priorValue(k)))
	}
	e.device.copy(e.value(contentValue(k, 0)), e.taps[0].content, 8*int64(k))
}

// dropRecording must be called before a change to anything that recorded launches read.
func (e *Evaluator) dropRecording() {
	e.loss.recorder.drop(e.device)
}

// value returns where a value is stored.
func (e *Evaluator) value(i int) cu.DevicePtr { return e.loss.values + cu.DevicePtr(8*i) }

// termGradient computes a term and its gradient with respect to the moments, from the tap's
// sums.
func (e *Evaluator) termGradient(i int) {
	t, j, k := &e.taps[i], &e.loss.terms[i], len(e.taps)
	t.gradient = gradient{gram: j.hasTarget, mean: j.hasMean, content: j.content}
	scale, n := 0., t.n // 0 if all shares are 0
	if t.positions > 0 {
		scale = 1 / t.positions
	}
	metric := j.metric
	if !j.hasMetric {
		metric = 0
	}
	if j.hasMean {
		meanGradientKernel.launch(e.device, [3]int{1, 1, 1}, [3]int{vectorThreads, 1, 1}, 0,
			meanGradientArgs{grad: t.dmean, target: j.mean, metric: metric, means: t.means, n: n,
				scale: scale, weight: j.weight, value: e.value(normValue(k, i))})
	}
	if !j.hasTarget {
		return
	}
	delta, half, product := e.loss.squares.at[0], e.loss.squares.at[1], e.loss.squares.at[2]
	styleDeltaKernel.elements(e.device, n*n,
		styleDeltaArgs{delta: delta, target: j.target, gram: t.gram, n: n, pitch: t.c, scale: scale})
	if j.hasMetric {
		e.device.product(half, delta, metric, n)
		e.device.product(product, metric, half, n)
	} else {
		product = delta
	}
	styleGradientKernel.elements(e.device, n*n,
		styleGradientArgs{grad: t.dgram, product: product, delta: delta, n: n, scale: -j.style, partial: e.partial})
	e.addUp(1, vectorGrid(n*n), 1, e.value(traceValue(k, i)))
}

// Values returns 0 for terms that are not set.
func (e *Evaluator) Values() engine.Values {
	k, j := len(e.taps), e.loss.latest
	all := make([]float64, valueCount(k))
	e.device.do(func() { e.device.download(unsafe.Pointer(&all[0]), e.loss.values, 8*int64(len(all))) })
	for i := range e.taps {
		if !e.loss.terms[i].hasTarget {
			all[traceValue(k, i)] = 0
		}
		if !e.loss.terms[i].hasMean {
			all[normValue(k, i)] = 0
		}
	}
	v := engine.Values{Content: all[:k], Style: all[k : 2*k], Mean: all[2*k : 3*k], Compared: make([]float64, k)}
	if j.tv != 0 {
		v.TV = all[tvValue(k)]
	}
	if j.gamut != 0 {
		v.Gamut = all[gamutValue(k)]
	}
	if j.prior != 0 {
		v.Prior = all[priorValue(k)]
	}
	return v
}
