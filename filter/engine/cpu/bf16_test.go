//go:build cgo

package cpu

import (
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// TestBF16 compares the processor's products of bfloat16 with the same rounding
// and summing done in plain vectors, which rounds sums in another order: a sum that
// lies between two bfloat16 may then go the other way in the next layer.
func TestBF16(t *testing.T) {
	const near = 2e-3
	s := engine.Spec{Network: network(7, tiny...), Pooling: weights.AveragePooling, Taps: taps(0, 2, 4, 7, 9), W: 50, H: 37, Precision: engine.BF16}
	x, y := uniform(1, 3*s.W*s.H), uniform(2, 3*s.W*s.H)
	run := func(e *Engine, s engine.Spec) (content []float64, dx []float32) {
		ev := compile(t, e, s)
		ev.Forward(upload(ev, y))
		ev.SetContent(nil)
		for _, m := range ev.Forward(upload(ev, x)) {
			content = append(content, m.Content)
		}
		d := ev.NewVector(len(x))
		ev.Backward(d, gradients(s))
		return content, download(d, ev)
	}
	wide, err := NewISA("wide", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	wantContent, wantDx := run(wide, s)
	single := s
	single.Precision = engine.FP32
	if _, dx := run(wide, single); relative(dx, wantDx) < near {
		t.Errorf("bfloat16 is float32: %.2e", relative(dx, wantDx))
	}
	for _, e := range engines(t, 2) {
		if !e.HasBF16() || e.isa == "wide" {
			continue
		}
		content, dx := run(e, s)
		if err := relative(content, wantContent); !(err <= near) {
			t.Errorf("%s: content differs by %.2e", e.isa, err)
		}
		if err := relative(dx, wantDx); !(err <= near) {
			t.Errorf("%s: gradient differs by %.2e", e.isa, err)
		}
		t.Logf("%s: content %.2e, gradient %.2e", e.isa, relative(content, wantContent), relative(dx, wantDx))
	}
}
