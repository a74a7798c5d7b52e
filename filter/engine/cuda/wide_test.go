//go:build cuda

package cuda

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// wide is a network with layers of all widths for which tensor cores have kernels of
// their own, its weights after He et al. 2015.
func wide() *weights.Network {
	r := rand.New(rand.NewPCG(3, 1))
	n := &weights.Network{Std: [3]float32{0.25, 0.25, 0.25}, Mean: [3]float32{0.5, 0.5, 0.5}, Pooling: weights.AveragePooling}
	in := 3
	for b, block := range [][]int{{32, 32}, {64, 64}, {96, 96}, {128, 128}, {192, 256}} {
		for i, out := range block {
			l := weights.Layer{Block: b + 1, Index: i + 1, In: in, Out: out, Weight: make([]float32, 9*in*out), Bias: make([]float32, out)}
			for k := range l.Weight {
				l.Weight[k] = float32(math.Sqrt(2/float64(9*in)) * r.NormFloat64())
			}
			n.Layers, in = append(n.Layers, l), out
		}
	}
	return n
}

// TestWide compares tensor cores, of both kinds on the test driver, with ordinary ones:
// with taps that the convolution above adds, and with one that shares its picture with
// another tile.
func TestWide(t *testing.T) {
	s := engine.Spec{Network: wide(), Pooling: weights.AveragePooling, W: 40, H: 33}
	for i := range s.Network.Layers {
		s.Taps = append(s.Taps, engine.Tap{Layer: i, Style: i%2 == 0, Content: i%4 == 2})
	}
	r := rand.New(rand.NewPCG(5, 1))
	pictures := [2][]float32{make([]float32, 3*s.W*s.H), make([]float32, 3*s.W*s.H)}
	for i := range 2 * len(pictures[0]) {
		pictures[i%2][i/2] = r.Float32()
	}
	run := func(e *Engine) (moments, dx []float32) {
		ev := compile(t, e, s)
		defer ev.Close()
		x, d := ev.NewVector(len(pictures[0])), ev.NewVector(len(pictures[0]))
		ev.Upload(x, pictures[0])
		ev.Forward(x)
		ev.SetContent(nil)
		ev.Upload(x, pictures[1])
		g := make([]engine.Gradient, len(s.Taps))
		for i, m := range ev.Forward(x) {
			moments = append(append(append(moments, m.Gram...), m.Mean...), float32(m.Content))
			if s.Taps[i].Style {
				g[i] = engine.Gradient{Gram: slices.Clone(m.Gram), Mean: slices.Clone(m.Mean)}
			}
			if s.Taps[i].Content {
				g[i].Content = 1 / m.P
			}
		}
		ev.Backward(d, g)
		dx = make([]float32, len(pictures[0]))
		ev.Download(dx, d)
		return moments, dx
	}
	moments, dx := run(newEngine(t, "simt"))
	for _, cc := range []string{"80", "90"} {
		t.Setenv("FAKE_CUDA_CC", cc)
		e := newEngine(t, "tensor")
		for _, s.Memory = range []int64{0, 1} {
			gotMoments, got := run(e)
			if v := relative(gotMoments, moments); !(v < 1e-5) {
				t.Errorf("compute capability %s, memory %d: moments differ by %.1e", cc, s.Memory, v)
			}
			if v := relative(got, dx); !(v < 1e-4) {
				t.Errorf("compute capability %s, memory %d: the gradient differs by %.1e", cc, s.Memory, v)
			}
		}
		s.Memory = 0
	}
}
