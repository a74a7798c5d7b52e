package filter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/weights"
)

func noise(n int, seed uint64) []float32 {
	r, out := rand.New(rand.NewPCG(seed, 1)), make([]float32, n)
	for i := range out {
		out[i] = r.Float32()
	}
	return out
}

func TestResizeKeepsFlatAndLinear(t *testing.T) {
	for _, s := range [][4]int{{17, 23, 40, 31}, {64, 48, 16, 19}, {3, 1, 7, 5}, {100, 3, 1, 1}} {
		flat := make([]float32, 3*s[0]*s[1])
		for i := range flat {
			flat[i] = 0.3
		}
		for i, v := range resize(0, flat, 3, s[0], s[1], s[2], s[3], bicubic) {
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
	half := resize(0, ramp, 1, 64, 1, 32, 1, bicubic)
	for i := 8; i < 24; i++ {
		if want := 2*float64(i) + 0.5; math.Abs(float64(half[i])-want) > 1e-4 {
			t.Errorf("half ramp at %d: %g, want %g", i, half[i], want)
		}
	}
}

func TestPyramid(t *testing.T) {
	s := size{75, 53}
	p := newPyramid(s, pyramidLevels)
	l := weights.Layer{Block: 1, Index: 1, In: 3, Out: 1, Weight: make([]float32, 27), Bias: make([]float32, 1)}
	ev, err := enginetest.Reference{}.Compile(engine.Spec{Network: &weights.Network{Layers: []weights.Layer{l}}, Taps: []engine.Tap{{}}, W: s.w, H: s.h})
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	vector := func(v []float32) engine.Vector {
		x := ev.NewVector(len(v))
		ev.Upload(x, v)
		return x
	}
	pix, params, x := noise(3*s.pixels(), 3), ev.NewVector(p.len()), ev.NewVector(3*s.pixels())
	scratch := p.views(ev, ev.NewVector(p.len()))
	p.split(0, ev, p.views(ev, params), pix)
	p.join(ev, x, p.views(ev, params), scratch)
	got := make([]float32, len(pix))
	ev.Download(got, x)
	for i, v := range got {
		if math.Abs(float64(v-pix[i])) > 1e-5 {
			t.Fatalf("sample %d: %g became %g", i, pix[i], v)
		}
	}
	// Levels hold what the coarser ones lack.
	low := resize(0, pix, 3, s.w, s.h, p.sizes[1].w, p.sizes[1].h, bilinear)
	first := make([]float32, len(pix))
	ev.Download(first, p.views(ev, params)[0])
	for i, v := range resize(0, low, 3, p.sizes[1].w, p.sizes[1].h, s.w, s.h, bilinear) {
		if math.Abs(float64(first[i]-(pix[i]-v))) > 1e-5 {
			t.Fatalf("level 0 at %d: %g, want %g", i, first[i], pix[i]-v)
		}
	}

	dpix := vector(noise(3*s.pixels(), 4))
	dparams, other := ev.NewVector(p.len()), vector(noise(p.len(), 5))
	ev.Combine(p.views(ev, dparams)[0], engine.Multiple{By: 1, Of: dpix})
	p.gradient(ev, p.views(ev, dparams))
	p.join(ev, x, p.views(ev, other), scratch)
	if d := ev.Dots([2]engine.Vector{x, dpix}, [2]engine.Vector{other, dparams}); math.Abs(d[0]-d[1]) > 1e-5*math.Abs(d[0]) {
		t.Errorf("⟨join p, g⟩ = %g, ⟨p, gradient g⟩ = %g", d[0], d[1])
	}
}

func TestScales(t *testing.T) {
	for _, test := range []struct {
		full size
		low  int
		want []size
	}{
		{size{512, 384}, 128, []size{{171, 128}, {296, 222}, {512, 384}}},
		{size{200, 150}, 128, []size{{200, 150}}}, // no step worth taking
		{size{2000, 3000}, 128, []size{{128, 192}, {222, 333}, {384, 577}, {666, 999}, {1154, 1731}, {2000, 3000}}},
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
	got := mirror(0, []float32{1, 2, 3}, 1, size{3, 1}, 4)
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
	for i, v := range crop(mirror(0, pix, 3, s, 5), 3, s, 5) {
		if v != pix[i] {
			t.Fatalf("sample %d: %g became %g", i, pix[i], v)
		}
	}
}

func TestSurround(t *testing.T) {
	const m = 3
	for _, s := range []size{{5, 4}, {16, 9}} {
		grown := noise(3*s.grow(m).pixels(), 1)
		around := marginDifference(0, grown, s, m)
		if want := 3 * (s.grow(m).pixels() - s.pixels()); len(around) != want {
			t.Fatalf("%d samples around, want %d", len(around), want)
		}
		again := mirrorWith(0, crop(slices.Clone(grown), 3, s, m), s, m, around)
		for i, v := range again {
			if math.Abs(float64(v-grown[i])) > 1e-6 {
				t.Fatalf("%v: sample %d is %g, was %g", s, i, v, grown[i])
			}
		}
	}
}
