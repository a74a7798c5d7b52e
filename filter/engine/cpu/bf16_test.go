//go:build cgo

package cpu

import (
	"fmt"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// TestBF16 compares the processor's products of bfloat16 with the same rounding and
// summing done in plain vectors, which rounds sums in another order. A sum that lies
// between two bfloat16 may then go the other way in the next layer, and more of them
// in each that follows: gradients of one such layer are alike, those of many are as far
// from float32's.
func TestBF16(t *testing.T) {
	x, y := uniform(1, 3*50*37), uniform(2, 3*50*37)
	run := func(e *Engine, blocks int, p engine.Precision) (content []float64, dx []float32) {
		s := engine.Spec{Network: network(7, tiny[:blocks]...), Pooling: weights.AveragePooling, W: 50, H: 37, Precision: p}
		for _, tap := range taps(0, 1, 2, 4, 7, 9) {
			if tap.Layer < len(s.Network.Layers) {
				s.Taps = append(s.Taps, tap)
			}
		}
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
	for _, c := range []struct {
		blocks    int
		precision engine.Precision
		near      float64 // between gradients
	}{
		{1, engine.Mixed, 3e-3}, {1, engine.BF16, 3e-3}, {len(tiny), engine.Mixed, .03}, {len(tiny), engine.BF16, .03},
	} {
		_, single := run(wide, c.blocks, engine.FP32)
		wantContent, want := run(wide, c.blocks, c.precision)
		off := relative(want, single)
		if off < 5e-3 {
			t.Errorf("%d blocks, precision %v: bfloat16 is float32: %.2e", c.blocks, c.precision, off)
		}
		for _, e := range engines(t, 2) {
			if !e.HasBF16() || e.isa == "wide" {
				continue
			}
			content, dx := run(e, c.blocks, c.precision)
			what := fmt.Sprintf("%s, %d blocks, precision %v", e.isa, c.blocks, c.precision)
			if err := relative(content, wantContent); !(err <= 1e-4) {
				t.Errorf("%s: content differs by %.2e", what, err)
			}
			if err := relative(dx, want); !(err <= c.near) {
				t.Errorf("%s: gradient differs by %.2e", what, err)
			}
			if own := relative(dx, single); !(own <= 1.1*off) {
				t.Errorf("%s: gradient is %.2e from float32's, in plain vectors %.2e", what, own, off)
			}
			t.Logf("%s: content %.2e, gradient %.2e, from float32 %.2e and %.2e", what, relative(content, wantContent), relative(dx, want), relative(dx, single), off)
		}
	}
}
