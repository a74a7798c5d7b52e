//go:build cuda

package cuda

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/driver"
	"nstfilter/filter/engine/enginetest"
)

// needGPU skips a test where there is no GPU, and fails it where there should be one:
// with the test driver.
func needGPU(t *testing.T) {
	t.Helper()
	err := driver.Err()
	switch {
	case err != nil && os.Getenv("NSTFILTER_LIBCUDA") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
}

func newEngine(t *testing.T, isa string) *Engine {
	t.Helper()
	needGPU(t)
	e, err := New(0, isa)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func compile(t *testing.T, e *Engine, s engine.Spec) engine.Evaluator {
	t.Helper()
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestSIMT(t *testing.T) { enginetest.Run(t, newEngine(t, "simt"), enginetest.Reference{}) }

func TestTensor(t *testing.T) { enginetest.Run(t, newEngine(t, "tensor"), enginetest.Reference{}) }

// Mixed is float32 there and nearly so back, BF16 nearly so both ways.
func TestPrecisions(t *testing.T) {
	e := newEngine(t, "tensor")
	s := slimSpec(33, 20)
	r := rand.New(rand.NewPCG(1, 1))
	picture := make([]float32, 3*s.W*s.H)
	for i := range picture {
		picture[i] = r.Float32()
	}
	run := func(p engine.Precision) (moments, dx []float32) {
		s.Precision = p
		ev := compile(t, e, s)
		defer ev.Close()
		x, d := ev.NewVector(len(picture)), ev.NewVector(len(picture))
		ev.Upload(x, picture)
		g := make([]engine.Gradient, len(s.Taps))
		for i, m := range ev.Forward(x) {
			moments = append(append(moments, m.Gram...), m.Mean...)
			g[i] = engine.Gradient{Gram: slices.Clone(m.Gram), Mean: slices.Clone(m.Mean)}
		}
		dx = make([]float32, len(picture))
		ev.Backward(d, g)
		ev.Download(dx, d)
		return moments, dx
	}
	moments, dx := run(engine.FP32)
	mixedMoments, mixed := run(engine.Mixed)
	halfMoments, half := run(engine.BF16)
	if !slices.Equal(mixedMoments, moments) {
		t.Errorf("mixed: moments differ by %.1e", relative(mixedMoments, moments))
	}
	for what, v := range map[string]float64{"mixed: gradient": relative(mixed, dx),
		"BF16: moments": relative(halfMoments, moments), "BF16: gradient": relative(half, dx)} {
		if !(v > 1e-5 && v < 1e-2) {
			t.Errorf("%s differs by %.1e from float32's", what, v)
		}
	}
}

// relative is ‖a − b‖/‖b‖.
func relative(a, b []float32) float64 {
	var d, n float64
	for i := range b {
		d += math.Pow(float64(a[i]-b[i]), 2)
		n += math.Pow(float64(b[i]), 2)
	}
	return math.Sqrt(d / n)
}
