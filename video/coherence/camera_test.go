package coherence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nstfilter/video/flow"
)

func TestFitCamera(t *testing.T) {
	const w, h = 160, 120
	want := camera{3, 0.01, -0.02, -1.5, 0.02, 0.005}
	f := cameraFlow(newPool(2), &want, w, h)
	confidence := make([]float32, w*h)
	for i := range confidence {
		confidence[i] = 1
		x, y := i%w, i/w
		switch {
		case x > 100: // something else, three eighths of the picture
			f.U[i], f.V[i] = 9, 4
		case y < 20:
			f.U[i], confidence[i] = 100, 0
		case x < 8:
			f.U[i] = 2 * flow.Unknown
		}
	}
	c := fitCamera(f, confidence)
	if c == nil {
		t.Fatal("no camera")
	}
	for _, p := range [][2]float64{{0, 0}, {w, 0}, {0, h}, {w, h}} {
		u, v := c.at(p[0], p[1])
		wu, wv := want.at(p[0], p[1])
		if math.Hypot(u-wu, v-wv) > 0.1 {
			t.Errorf("at %v: %.3f, %.3f, want %.3f, %.3f", p, u, v, wu, wv)
		}
	}
}

func TestFitCameraOfNone(t *testing.T) {
	const w, h = 64, 48
	f := flow.NewField(w, h)
	if c := fitCamera(f, make([]float32, w*h)); c != nil {
		t.Errorf("%v though confidence is 0", *c)
	}
	confidence := make([]float32, w*h)
	for i := range confidence { // each pixel goes its own way
		confidence[i] = 1
		f.U[i], f.V[i] = float32(40*math.Sin(float64(i*i))), float32(40*math.Cos(float64(3*i*i)))
	}
	if c := fitCamera(f, confidence); c != nil {
		t.Errorf("%v though nothing moves together", *c)
	}
}

func TestCameraCompose(t *testing.T) {
	a, b := &camera{3, 0.01, -0.02, -1.5, 0.02, 0.005}, &camera{-2, 0.03, 0.01, 4, -0.01, 0.02}
	x, y := 37.0, 51.0
	u, v := a.at(x, y)
	bu, bv := b.at(x+u, y+v)
	gu, gv := a.compose(b).at(x, y)
	if math.Abs(gu-u-bu) > 1e-9 || math.Abs(gv-v-bv) > 1e-9 {
		t.Errorf("%g, %g, want %g, %g", gu, gv, u+bu, v+bv)
	}
	if a.compose(nil) != nil || (*camera)(nil).compose(a) != nil {
		t.Error("a camera that is not known leads somewhere")
	}
}

func TestMedian(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 40; n++ {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(r.IntN(n)) // some are equal
		}
		sorted := slices.Sorted(slices.Values(v))
		if got := median(v); got != sorted[n/2] {
			t.Errorf("%g of %v", got, sorted)
		}
	}
}
