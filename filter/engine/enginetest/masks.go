package enginetest

import (
	"maps"
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
)

// masks of w×h: an edge that is soft, holes here and there, one pixel, none. The
// lone pixel lies where pooling drops it if a side is odd.
func masks(w, h int) map[string][]float32 {
	soft, holes, lone := make([]float32, w*h), make([]float32, w*h), make([]float32, w*h)
	r := random(77)
	for i := range soft {
		x, y := float64(i%w)-.4*float64(w), float64(i/w)-.6*float64(h)
		soft[i] = float32(min(max(.4*float64(min(w, h))-math.Hypot(x, y), 0), 1))
		if r.Float64() < .7 {
			holes[i] = 1
		}
	}
	lone[w*h-1] = 1
	return map[string][]float32{"soft": soft, "holes": holes, "one pixel": lone, "nothing": make([]float32, w*h)}
}

// testMasks compares moments, gradients and TV under masks, whole and in tiles, then
// without one again.
func testMasks(t *testing.T, got, oracle engine.Engine) {
	for _, c := range []struct {
		network, w, h int
		memory        int64
	}{{0, 17, 23, 0}, {1, 35, 21, 0}, {2, 16, 16, 0}, {2, 70, 45, 1}, {2, 33, 64, 1}} {
		if c.w*c.h > 1000 && testing.Short() {
			continue
		}
		n := networks()[c.network]
		for _, p := range n.Poolings {
			s := engine.Spec{Network: n, Pooling: p, W: c.w, H: c.h, Taps: tapSets(n)["all"], Memory: c.memory}
			t.Run(title(s), func(t *testing.T) { testMasked(t, got, oracle, s) })
		}
	}
}

func testMasked(t *testing.T, got, oracle engine.Engine, s engine.Spec) {
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()
	x, g := smooth(t, s.Network, s.Pooling, s.W, s.H), gradients(s)
	bare := outcome(a, s, x, g)
	all := masks(s.W, s.H)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		mask := all[name]
		for _, e := range []engine.Evaluator{a, b} {
			e.SetMask(slices.Clone(mask))
		}
		compare(t, name+", no target", a, b, s, x, g)
		for _, e := range []engine.Evaluator{a, b} {
			e.Forward(upload(e, picture(1000, s.W, s.H)))
			e.SetContent(metrics(s))
		}
		compare(t, name, a, b, s, x, g)
		dx := backward(a, s, g)
		held, want := upload(a, dx), upload(b, dx)
		value, tv := a.TV(held, upload(a, x), 40), b.TV(want, upload(b, x), 40)
		nearNumber(t, name+": TV", value, tv, vectorTolerance)
		sum := download(a, held)
		near(t, name+": TV's gradient", sum, download(b, want), vectorTolerance)
		for i, v := range sum {
			if mask[i%len(mask)] == 0 && v != 0 {
				t.Fatalf("%s: the gradient at %d, which is masked, is %g", name, i, v)
			}
		}
	}
	fresh := compile(t, got, s)
	defer fresh.Close()
	fresh.SetMask(all["soft"])
	fresh.SetMask(nil)
	sameBits(t, "without the mask again", outcome(fresh, s, x, g), bare)
	ones := make([]float32, s.W*s.H)
	for i := range ones {
		ones[i] = 1
	}
	fresh.SetMask(ones)
	near(t, "a mask of ones", outcome(fresh, s, x, g), bare, networkTolerance)
}

// outcome is everything that a mask changes, before SetContent.
func outcome(e engine.Evaluator, s engine.Spec, x []float32, g []engine.Gradient) (out []float32) {
	for _, m := range e.Forward(upload(e, x)) {
		out = append(append(append(out, m.Gram...), m.Mean...), float32(m.P))
	}
	dx := upload(e, backward(e, s, g))
	out = append(out, float32(e.TV(dx, upload(e, x), 1)))
	return append(out, download(e, dx)...)
}
