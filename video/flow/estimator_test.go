package flow

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"nstfilter/filter"
)

// along is the exact flow from texture(w, h, still) to texture(w, h, m), whose
// inverse is given.
func along(w, h int, inverse motion) *Field {
	f := NewField(w, h)
	for i := range f.U {
		x, y := float64(i%w)-float64(w-1)/2, float64(i/w)-float64(h-1)/2
		tx, ty := inverse(x, y)
		f.U[i], f.V[i] = float32(tx-x), float32(ty-y)
	}
	return f
}

func shift(u, v float64) motion {
	return func(x, y float64) (float64, float64) { return x - u, y - v }
}

func turn(angle, zoom float64) motion {
	s, c := math.Sincos(angle)
	return func(x, y float64) (float64, float64) { return (c*x + s*y) / zoom, (c*y - s*x) / zoom }
}

// endPointError is the mean distance between the ends of two flows, at least edge
// pixels from the border.
func endPointError(f, truth *Field, edge int) float64 {
	var sum float64
	n := 0
	for y := edge; y < f.H-edge; y++ {
		for x := edge; x < f.W-edge; x++ {
			u, v, _ := f.At(x, y)
			tu, tv, _ := truth.At(x, y)
			sum += math.Hypot(float64(u-tu), float64(v-tv))
			n++
		}
	}
	return sum / float64(n)
}

func TestKnownMotions(t *testing.T) {
	const w, h = 161, 122
	for _, c := range []struct {
		name           string
		moved, inverse motion
	}{
		{"right", shift(3, 0), shift(-3, 0)},
		{"up, by parts of a pixel", shift(0.3, -1.6), shift(-0.3, 1.6)},
		{"far", shift(-11.5, 7.25), shift(11.5, -7.25)},
		{"turn", turn(0.05, 1), turn(-0.05, 1)},
		{"zoom", turn(0, 1.05), turn(0, 1/1.05)},
	} {
		a, b := texture(w, h, still), texture(w, h, c.moved)
		truth, back := along(w, h, c.inverse), along(w, h, c.moved)
		for i, p := range []Preset{Medium, Fast, Ultrafast} {
			bound := [...]float64{0.08, 0.25, 0.4}[i] // pixels; half, quarter and quarter of the size
			f, g := New(w, h, p, 2).Between(a, b)
			there, here := endPointError(f, truth, 16), endPointError(g, back, 16)
			if t.Logf("%s, preset %d: %.4f and %.4f pixels", c.name, i, there, here); there > bound || here > bound {
				t.Errorf("%s, preset %d: off by %.3f and %.3f pixels", c.name, i, there, here)
			}
		}
	}
}

var awkward = [][2]int{{1, 1}, {1, 40}, {7, 5}, {8, 8}, {16, 16}, {15, 17}, {33, 9}, {1000, 9}, {3, 300}, {97, 64}}

func TestAwkwardSizes(t *testing.T) {
	for _, s := range awkward {
		w, h := s[0], s[1]
		a, b := texture(w, h, still), texture(w, h, shift(0.5, 0.5))
		for _, p := range []Preset{Medium, Fast, {Finest: 0, Stride: 8, Descent: 4, FixedPoints: 1, Relaxations: 2, Alpha: 20, Delta: 5, Gamma: 10}} {
			e := New(w, h, p, 3)
			f, g := e.Between(a, b)
			finite(t, fmt.Sprint(s), f)
			finite(t, fmt.Sprint(s), g)
			if f, _ = e.Between(a, a); slices.Max(f.U) > 1e-3 || slices.Min(f.V) < -1e-3 {
				t.Errorf("%v: the same picture moves by up to %v", s, slices.Max(f.U))
			}
		}
	}
}

func finite(t *testing.T, what string, f *Field) {
	t.Helper()
	for i, u := range f.U {
		if v := f.V[i]; !(abs(u) < 1e3 && abs(v) < 1e3) {
			t.Fatalf("%s: (%v, %v) at %d, %d", what, u, v, i%f.W, i/f.W)
		}
	}
}

func TestConstantPictures(t *testing.T) {
	a, b := filter.NewFrame(70, 50), filter.NewFrame(70, 50)
	for i := range b.Pix {
		b.Pix[i] = 1
	}
	f, g := New(70, 50, Medium, 2).Between(a, b)
	for _, p := range [][]float32{f.U, f.V, g.U, g.V} {
		for i, x := range p {
			if x != 0 {
				t.Fatalf("%v at %d", x, i)
			}
		}
	}
}

func TestNextIsBetween(t *testing.T) {
	const w, h = 90, 61
	frames := []*filter.Frame{texture(w, h, still), texture(w, h, shift(1, 2)), texture(w, h, shift(3, 2))}
	e, other := New(w, h, Fast, 2), New(w, h, Fast, 1)
	for i, f := range frames {
		forward, backward := e.Next(f)
		if i == 0 {
			if forward != nil || backward != nil {
				t.Fatal("flow from nowhere")
			}
			continue
		}
		u, v := other.Between(frames[i-1], f)
		sameField(t, "forward", forward, u)
		sameField(t, "backward", backward, v)
		sameField(t, "alone", New(w, h, Fast, 1).Forward(frames[i-1], f), u)
	}
	e.Reset()
	if f, g := e.Next(frames[0]); f != nil || g != nil {
		t.Error("flow after Reset")
	}
}

func sameField(t *testing.T, what string, f, g *Field) {
	t.Helper()
	if !slices.Equal(f.U, g.U) || !slices.Equal(f.V, g.V) {
		t.Errorf("%s: not the same bits", what)
	}
}

func TestThreads(t *testing.T) {
	const w, h = 203, 131
	a, b := texture(w, h, still), texture(w, h, turn(0.1, 1.02))
	for _, p := range []Preset{Medium, Fast, Ultrafast} {
		f, g := New(w, h, p, 1).Between(a, b)
		for threads := 2; threads <= 4; threads++ {
			u, v := New(w, h, p, threads).Between(a, b)
			sameField(t, fmt.Sprint(threads), f, u)
			sameField(t, fmt.Sprint(threads), g, v)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	a, b := texture(64, 48, still), texture(64, 48, shift(1, 1))
	e := New(64, 48, Medium, 2)
	e.Next(a)
	if n := testing.AllocsPerRun(10, func() {
		e.Next(b)
		e.Next(a)
	}); n >= 1 {
		t.Errorf("%v allocations for two frames", n)
	}
}

func BenchmarkNext(b *testing.B) {
	const w, h = 640, 360
	x, y := texture(w, h, still), texture(w, h, shift(3, 2))
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads, " threads"), func(b *testing.B) {
			e := New(w, h, Medium, threads)
			e.Next(x)
			for b.Loop() {
				e.Next(y)
				e.Next(x)
			}
		})
	}
}
