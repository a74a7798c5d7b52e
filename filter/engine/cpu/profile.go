//go:build cgo

package cpu

// #include "calls.h"
import "C"

import (
	"time"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"
)

// profile measures an evaluator's time by layer and part.
type profile struct {
	layers []engine.LayerTime
	last   time.Time
}

// Profile starts counting from zero, or stops counting.
func (e *Evaluator) Profile(on bool) {
	e.profile = nil
	if on {
		e.profile = &profile{layers: make([]engine.LayerTime, e.plan.spec.Depth())}
	}
}

// Times returns the times since Profile(true).
func (e *Evaluator) Times() []engine.LayerTime {
	if e.profile == nil {
		return nil
	}
	return e.profile.layers
}

func (p *profile) start() {
	if p != nil {
		p.last = time.Now()
	}
}

// lap adds the time since the latest start or lap to a part of layer i.
func (p *profile) lap(i int, part func(*engine.LayerTime) *float64) {
	if p == nil {
		return
	}
	now := time.Now()
	*part(&p.layers[i]) += now.Sub(p.last).Seconds()
	p.last = now
}

func forwardPart(t *engine.LayerTime) *float64  { return &t.Forward }
func backwardPart(t *engine.LayerTime) *float64 { return &t.Backward }
func lossPart(t *engine.LayerTime) *float64     { return &t.Loss }

// PeakFLOPS measures fused multiply-adds in registers on all threads, in float32
// operations a second.
func (e *Engine) PeakFLOPS() float64 {
	const rounds = 20
	best := 0.0
	steps := 1 << 18
	for range rounds {
		start := time.Now()
		parallel.For(e.threads, e.threads, func(_, _ int) { C.nst_peak(e.fp32, C.int64_t(steps)) })
		perStep := 2 * int(e.fp32.vl) * 2 * int(e.fp32.rows)
		best = max(best, float64(steps*perStep*e.threads)/time.Since(start).Seconds())
	}
	return best
}
