//go:build cuda

package cuda

import (
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// slimSpec taps three layers of the network that is built in.
func slimSpec(w, h int) engine.Spec {
	return engine.Spec{Network: weights.Slim(), Pooling: weights.AveragePooling, W: w, H: h,
		Taps: []engine.Tap{{Layer: 0, Style: true}, {Layer: 2, Style: true, Content: true}, {Layer: 4, Content: true}}}
}

// With less memory an evaluator takes less, and longer.
func TestPlansWithinMemory(t *testing.T) {
	for _, p := range []products{simt{}, &tensor{}} {
		s := slimSpec(1500, 1001)
		whole := newPlan(s, p)
		if whole.Cost() != 2*s.W*s.H {
			t.Errorf("%s: without a limit an iteration costs %d for %d pixels", p.format(), whole.Cost(), s.W*s.H)
		}
		last := whole
		for _, share := range []float64{0.8, 0.5, 0.3} {
			s.Memory = int64(share * float64(whole.memory()))
			n := newPlan(s, p)
			if m := n.memory(); m > s.Memory || float64(m) < 0.5*float64(s.Memory) {
				t.Errorf("%s: %d bytes within %d", p.format(), m, s.Memory)
			}
			if n.Cost() <= last.Cost() {
				t.Errorf("%s: costs %d, %d with more memory", p.format(), n.Cost(), last.Cost())
			}
			last = n
		}
		s.Memory = 1
		if m := newPlan(s, p).memory(); m <= 1 {
			t.Errorf("%s: all fits in %d bytes", p.format(), m)
		}
	}
}

// Bfloat16 takes half of float32's memory, and what is only a gate takes half of a value.
func TestPlansOfPrecisions(t *testing.T) {
	s := slimSpec(640, 480)
	s.Taps = []engine.Tap{{Layer: 4, Style: true}}
	memory := func(p products, precision engine.Precision) int64 {
		s.Precision = precision
		return newPlan(s, p).memory()
	}
	simple, full := memory(simt{}, engine.FP32), memory(&tensor{}, engine.FP32)
	mixed, half := memory(&tensor{}, engine.Mixed), memory(&tensor{}, engine.BF16)
	if !(simple > full && full >= mixed && mixed > half && 2*half < simple+simple/10) {
		t.Errorf("%d bytes on ordinary cores, on tensor cores %d for float32, %d mixed and %d for bfloat16", simple, full, mixed, half)
	}
}
