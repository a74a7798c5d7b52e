package enginetest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

func testNetworks(t *testing.T, got, oracle engine.Engine) {
	for _, n := range networks() {
		for _, p := range n.Poolings {
			for _, size := range sizes {
				if size[0] > 32 && testing.Short() {
					continue
				}
				s := engine.Spec{Network: n, Pooling: p, W: size[0], H: size[1]}
				t.Run(title(s), func(t *testing.T) {
					x := smooth(t, n, p, s.W, s.H)
					sets := tapSets(n)
					for _, name := range slices.Sorted(maps.Keys(sets)) {
						if s.W*s.H > 500 && name != "all" {
							continue // for the time it takes
						}
						s.Taps = sets[name]
						t.Run(name, func(t *testing.T) { testOne(t, got, oracle, s, x) })
					}
				})
			}
		}
	}
}

// testOne compares moments and gradients before a content target, with one, and
// with one under a metric.
func testOne(t *testing.T, got, oracle engine.Engine, s engine.Spec, x []float32) {
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()
	g := gradients(s)
	target := picture(1000, s.W, s.H)
	compare(t, "no target", a, b, s, x, g)
	for _, m := range []struct {
		name   string
		metric [][]float32
	}{{"identity", make([][]float32, len(s.Taps))}, {"metric", metrics(s)}} {
		for _, e := range []engine.Evaluator{a, b} {
			e.Forward(upload(e, target))
			e.SetContent(m.metric)
		}
		compare(t, m.name, a, b, s, x, g)
	}
}

// compare runs both evaluators at x, forward and backward.
func compare(t *testing.T, what string, a, b engine.Evaluator, s engine.Spec, x []float32, g []engine.Gradient) {
	t.Helper()
	got, want := a.Forward(upload(a, x)), b.Forward(upload(b, x))
	for i, tap := range s.Taps {
		at := fmt.Sprintf("%s: %s", what, s.Network.Layers[tap.Layer].Tap())
		nearNumber(t, at+" positions", got[i].P, want[i].P, vectorTolerance)
		if !tap.Style && (got[i].Gram != nil || got[i].Mean != nil) {
			t.Errorf("%s: has a Gram matrix that was not asked for", at)
		}
		near(t, at+" Gram", got[i].Gram, want[i].Gram, networkTolerance)
		near(t, at+" mean", got[i].Mean, want[i].Mean, networkTolerance)
		nearNumber(t, at+" content", got[i].Content, want[i].Content, networkTolerance)
	}
	near(t, what+": gradient", backward(a, s, g), backward(b, s, g), networkTolerance)
}

// backward starts from a vector that is not zero: Backward writes, it does not add.
func backward(e engine.Evaluator, s engine.Spec, g []engine.Gradient) []float32 {
	dx := upload(e, picture(2, s.W, s.H))
	e.Backward(dx, g)
	return download(e, dx)
}

func callSpec() engine.Spec {
	n := networks()[0]
	taps := []engine.Tap{{Layer: 0, Style: true}, {Layer: 2, Style: true, Content: true}, {Layer: 4, Content: true}}
	return engine.Spec{Network: n, Pooling: weights.AveragePooling, Taps: taps, W: 19, H: 16}
}

// testCalls makes calls in orders that the filter may.
func testCalls(t *testing.T, got, oracle engine.Engine) {
	s := callSpec()
	if got.Memory(s) <= 0 {
		t.Errorf("Memory is %d", got.Memory(s))
	}
	x := smooth(t, s.Network, s.Pooling, s.W, s.H)
	g := gradients(s)
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()

	content := func(seed uint64, metric [][]float32) {
		for _, e := range []engine.Evaluator{a, b} {
			e.Forward(upload(e, picture(seed, s.W, s.H)))
			e.SetContent(metric)
		}
	}
	identity := make([][]float32, len(s.Taps))
	content(5, metrics(s))
	content(6, identity)
	compare(t, "second target", a, b, s, x, g)

	m := a.Forward(upload(a, picture(6, s.W, s.H)))
	for i := range m {
		if m[i].Content != 0 {
			t.Errorf("tap %d: content at the target itself is %g", i, m[i].Content)
		}
	}

	partial := func(what string, change func(*engine.Gradient)) {
		h := slices.Clone(g)
		for i := range h {
			change(&h[i])
		}
		compare(t, what, a, b, s, x, h)
	}
	partial("no Gram", func(g *engine.Gradient) { g.Gram = nil })
	partial("no mean", func(g *engine.Gradient) { g.Mean = nil })
	partial("no content", func(g *engine.Gradient) { g.Content = 0 })
	partial("content alone", func(g *engine.Gradient) { g.Gram, g.Mean = nil, nil })

	for i, v := range backward(a, s, make([]engine.Gradient, len(s.Taps))) {
		if v != 0 {
			t.Fatalf("Backward of nothing: %g at %d", v, i)
		}
	}
	compare(t, "after nothing", a, b, s, x, g)
}

// testNotANumber checks that a picture of NaNs, as from a broken frame, does not panic and does
// not influence later pictures.
func testNotANumber(t *testing.T, e engine.Engine) {
	for _, p := range []weights.Pooling{weights.AveragePooling, weights.MaxPooling} {
		s := callSpec()
		s.Pooling = p
		a := compile(t, e, s)
		defer a.Close()
		x, g := picture(8, s.W, s.H), gradients(s)
		for i := range g {
			g[i].Content = 0
		}
		want := outcome(a, s, x, g)
		broken := slices.Clone(x)
		for i := range broken {
			broken[i] = float32(math.NaN())
		}
		outcome(a, s, broken, g)
		sameBits(t, title(s)+", after NaNs", outcome(a, s, x, g), want)
	}
}

// testMemory sets a limit of one byte: a Tiler then works in tiles, with the same moments and
// gradients.
func testMemory(t *testing.T, got, oracle engine.Engine) {
	n := networks()[2]
	for _, p := range n.Poolings {
		for _, size := range [][2]int{{70, 45}, {33, 64}, {24, 19}} {
			if size[0] > 32 && testing.Short() {
				continue
			}
			s := engine.Spec{Network: n, Pooling: p, W: size[0], H: size[1], Taps: tapSets(n)["all"], Memory: 1}
			t.Run(title(s), func(t *testing.T) { testOne(t, got, oracle, s, smooth(t, n, p, s.W, s.H)) })
		}
	}
}
