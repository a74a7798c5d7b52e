//go:build cuda

package cuda

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// The first convolution on tensor cores is what it is on ordinary ones, with any number
// of channels, over several patches.
func TestFirst(t *testing.T) {
	simt, tensor := newEngine(t, "simt"), newEngine(t, "tensor")
	for _, out := range []int{5, 64, 70} {
		r := rand.New(rand.NewPCG(1, uint64(out)))
		normal := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
			return v
		}
		n := &weights.Network{Mean: [3]float32{0.5, 0.4, 0.3}, Std: [3]float32{0.2, 0.3, 0.4},
			Poolings: []weights.Pooling{weights.AveragePooling},
			Layers:   []weights.Layer{{Block: 1, Index: 1, In: 3, Out: out, Weight: normal(27 * out), Bias: normal(out)}}}
		s := engine.Spec{Network: n, Pooling: weights.AveragePooling, W: 43, H: 21, Taps: []engine.Tap{{Layer: 0, Style: true}}}
		picture := normal(3 * s.W * s.H)
		run := func(e *Engine) (moments, dx []float32) {
			ev := compile(t, e, s)
			defer ev.Close()
			x, d := ev.NewVector(len(picture)), ev.NewVector(len(picture))
			ev.Upload(x, picture)
			m := ev.Forward(x)[0]
			moments = append(slices.Clone(m.Gram), m.Mean...)
			ev.Backward(d, []engine.Gradient{{Gram: slices.Clone(m.Gram), Mean: slices.Clone(m.Mean)}})
			dx = make([]float32, len(picture))
			ev.Download(dx, d)
			return moments, dx
		}
		moments, dx := run(simt)
		for _, c := range []struct {
			precision engine.Precision
			tolerance float64 // of dx: gradients of 16 bits of mantissa, or 8
		}{{engine.FP32, 2e-5}, {engine.BF16, 1e-2}} {
			s.Precision = c.precision
			gotMoments, got := run(tensor)
			what := fmt.Sprintf("%d channels, precision %v", out, c.precision)
			if v := relative(gotMoments, moments); c.precision == engine.FP32 && v > 3e-6 {
				t.Errorf("%s: moments differ by %.1e", what, v)
			}
			if v := relative(got, dx); !(v < c.tolerance) {
				t.Errorf("%s: the gradient differs by %.1e", what, v)
			}
		}
	}
}
