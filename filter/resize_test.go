package filter

import (
	"math"
	"math/rand/v2"
	"testing"
)

func noise(n int, seed uint64) []float32 {
	r, out := rand.New(rand.NewPCG(seed, 1)), make([]float32, n)
	for i := range out {
		out[i] = r.Float32()
	}
	return out
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestResizeKeepsFlatAndLinear(t *testing.T) {
	for _, s := range [][4]int{{17, 23, 40, 31}, {64, 48, 16, 19}, {3, 1, 7, 5}, {100, 3, 1, 1}} {
		flat := make([]float32, 3*s[0]*s[1])
		for i := range flat {
			flat[i] = 0.3
		}
		for i, v := range resize(flat, 3, s[0], s[1], s[2], s[3], bicubic) {
			if math.Abs(float64(v)-0.3) > 1e-6 {
				t.Fatalf("%v: sample %d of a flat picture became %g", s, i, v)
			}
		}
	}
	// A ramp keeps its slope away from the border.
	ramp := make([]float32, 64)
	for i := range ramp {
		ramp[i] = float32(i)
	}
	half := resize(ramp, 1, 64, 1, 32, 1, bicubic)
	for i := 8; i < 24; i++ {
		if want := 2*float64(i) + 0.5; math.Abs(float64(half[i])-want) > 1e-4 {
			t.Errorf("half ramp at %d: %g, want %g", i, half[i], want)
		}
	}
}

func TestResizeAdjoint(t *testing.T) {
	for _, s := range [][4]int{{9, 7, 18, 13}, {20, 31, 11, 16}, {1, 5, 2, 10}} {
		x, y := noise(3*s[0]*s[1], 1), noise(3*s[2]*s[3], 2)
		a := dot(resize(x, 3, s[0], s[1], s[2], s[3], bilinear), y)
		b := dot(x, resizeAdjoint(y, 3, s[0], s[1], s[2], s[3], bilinear))
		if math.Abs(a-b) > 1e-5*math.Abs(a) {
			t.Errorf("%v: ⟨Ax, y⟩ = %g, ⟨x, Aᵀy⟩ = %g", s, a, b)
		}
	}
}

func TestPyramid(t *testing.T) {
	s := size{75, 53}
	p := newPyramid(s, pyramidLevels)
	pix, params := noise(3*s.pixels(), 3), make([]float32, p.len())
	p.split(params, pix)
	for i, v := range p.join(params) {
		if math.Abs(float64(v-pix[i])) > 1e-5 {
			t.Fatalf("sample %d: %g became %g", i, pix[i], v)
		}
	}
	dpix, dparams := noise(3*s.pixels(), 4), make([]float32, p.len())
	p.gradient(dparams, dpix)
	other := noise(p.len(), 5)
	if a, b := dot(p.join(other), dpix), dot(other, dparams); math.Abs(a-b) > 1e-5*math.Abs(a) {
		t.Errorf("⟨join p, g⟩ = %g, ⟨p, gradient g⟩ = %g", a, b)
	}
}

func TestScales(t *testing.T) {
	for _, test := range []struct {
		full size
		low  int
		want []size
	}{
		{size{512, 384}, 128, []size{{171, 128}, {241, 181}, {341, 256}, {512, 384}}},
		{size{100, 60}, 128, []size{{100, 60}}},
		{size{512, 384}, 0, []size{{512, 384}}},
	} {
		got := scales(test.full, test.low)
		if len(got) != len(test.want) {
			t.Errorf("%v: %v, want %v", test.full, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%v: %v, want %v", test.full, got, test.want)
			}
		}
	}
}

func TestMirror(t *testing.T) {
	// By hand: 1 2 3 with a margin of 4 is 3 3 2 1 | 1 2 3 | 3 2 1 1, in both directions.
	got := mirror([]float32{1, 2, 3}, 1, size{3, 1}, 4)
	want := []float32{3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1}
	for y := range 9 {
		for x, v := range want {
			if got[y*11+x] != v {
				t.Fatalf("row %d: %v, want %v", y, got[y*11:][:11], want)
			}
		}
	}
	s := size{17, 23}
	pix := noise(3*s.pixels(), 9)
	for i, v := range crop(mirror(pix, 3, s, 5), 3, s, 5) {
		if v != pix[i] {
			t.Fatalf("sample %d: %g became %g", i, pix[i], v)
		}
	}
}
