package enginetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"nstfilter/filter/engine"
)

// testDescend compares a Descender with the definition; an evaluator need not be one.
func testDescend(t *testing.T, got, oracle engine.Engine) {
	ev := compile(t, got, callSpec())
	_, ok := ev.(engine.Descender)
	ev.Close()
	if !ok {
		t.Skipf("%s does not descend by itself", got.Name())
	}
	for _, c := range []struct {
		network, w, h int
		taps          string
		memory        int64
	}{
		{0, 17, 23, "all", 0}, {0, 16, 16, "style here, content there", 0}, {0, 19, 16, "content of the last", 0},
		{0, 16, 17, "before pools", 0}, {1, 17, 18, "neither", 0}, {1, 16, 16, "all", 0}, {2, 70, 45, "all", 1},
	} {
		if c.w*c.h > 1000 && testing.Short() {
			continue
		}
		n := networks()[c.network]
		for _, p := range n.Poolings {
			s := engine.Spec{Network: n, Pooling: p, W: c.w, H: c.h, Taps: tapSets(n)[c.taps], Memory: c.memory}
			t.Run(title(s)+" "+c.taps, func(t *testing.T) { testDescendOne(t, got, Descending{oracle}, s) })
		}
	}
}

// terms asks each tap of s for what target looks like, half of them under a metric.
func terms(e engine.Evaluator, s engine.Spec, target []float32) []engine.Term {
	metric, g := metrics(s), gradients(s)
	out := make([]engine.Term, len(s.Taps))
	for i, m := range e.Forward(upload(e, target)) {
		if s.Taps[i].Style {
			out[i].Target, out[i].Metric = slices.Clone(m.Gram), metric[i]
			out[i].Style = .5 + float64(i)
		}
		out[i].Content = g[i].Content
	}
	return out
}

// beside holds the weights of what a test adds to the taps' terms.
type beside struct{ tv, prior float64 }

func testDescendOne(t *testing.T, got, oracle engine.Engine, s engine.Spec) {
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()
	x := smooth(t, s.Network, s.Pooling, s.W, s.H)
	dark := picture(1000, s.W, s.H) // far from x: differences that cancel tell little
	for i := range dark {
		dark[i] /= 2
	}
	j, both := terms(b, s, dark), beside{30, 20}
	a.(engine.Descender).SetTerms(j)
	_, unread := descent(a, s, x, both, false)
	zeros := make([]float64, len(s.Taps))
	sameValues(t, "values before any were read", unread, engine.Values{Style: zeros, Content: zeros})
	run := func(what string, c ...beside) {
		t.Helper()
		for _, e := range []engine.Evaluator{a, b} {
			e.(engine.Descender).SetTerms(j)
		}
		for _, c := range c {
			compareDescents(t, fmt.Sprintf("%s, beside %+v", what, c), a, b, s, x, c)
		}
	}
	run("no target", both)
	for _, e := range []engine.Evaluator{a, b} {
		e.Forward(upload(e, dark))
		e.SetContent(metrics(s))
	}
	run("with a target", both, beside{}, beside{tv: 30}, beside{prior: 20})
	testReading(t, a, s, x)
	compare(t, "Forward after it", a, b, s, x, gradients(s))

	all := masks(s.W, s.H)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, e := range []engine.Evaluator{a, b} {
			e.SetMask(slices.Clone(all[name]))
			e.Forward(upload(e, dark))
			e.SetContent(make([][]float32, len(s.Taps)))
		}
		compareDescents(t, name, a, b, s, x, both)
	}
	for _, e := range []engine.Evaluator{a, b} {
		e.SetMask(nil)
	}
	for i := range j {
		j[i].Target, j[i].Metric, j[i].Content = nil, nil, 2*j[i].Content
	}
	run("other terms", both)
}

// descent evaluates J at x; dx held something before.
func descent(e engine.Evaluator, s engine.Spec, x []float32, c beside, read bool) ([]float32, engine.Values) {
	dx := upload(e, picture(2, s.W, s.H))
	var prior, w engine.Vector
	if c.prior > 0 {
		prior, w = upload(e, picture(11, s.W, s.H)), upload(e, picture(12, s.W, s.H)[:s.W*s.H])
	}
	v := e.(engine.Descender).Descend(dx, upload(e, x), c.tv, prior, w, c.prior, read)
	v.Style, v.Content = slices.Clone(v.Style), slices.Clone(v.Content)
	return download(e, dx), v
}

func compareDescents(t *testing.T, what string, a, b engine.Evaluator, s engine.Spec, x []float32, c beside) {
	t.Helper()
	dx, got := descent(a, s, x, c, true)
	ddx, want := descent(b, s, x, c, true)
	if len(got.Style) != len(s.Taps) || len(got.Content) != len(s.Taps) {
		t.Fatalf("%s: %d style terms and %d content terms of %d taps", what, len(got.Style), len(got.Content), len(s.Taps))
	}
	for i, tap := range s.Taps {
		at := what + ": " + s.Network.Layers[tap.Layer].Tap()
		nearNumber(t, at+" style", got.Style[i], want.Style[i], networkTolerance)
		nearNumber(t, at+" content", got.Content[i], want.Content[i], networkTolerance)
	}
	nearNumber(t, what+": TV", got.TV, want.TV, vectorTolerance)
	nearNumber(t, what+": prior", got.Prior, want.Prior, vectorTolerance)
	near(t, what+": gradient", dx, ddx, networkTolerance)
}

// testReading checks that values are those read last, the gradient always x's, and
// that the same bits come again.
func testReading(t *testing.T, e engine.Evaluator, s engine.Spec, x []float32) {
	c, other := beside{30, 20}, picture(14, s.W, s.H)
	dx, first := descent(e, s, x, c, true)
	want, second := descent(e, s, other, c, true)
	again, third := descent(e, s, x, c, true)
	sameBits(t, "gradient again", again, dx)
	sameValues(t, "values again", third, first)
	unread, held := descent(e, s, other, c, false)
	sameBits(t, "gradient without reading", unread, want)
	sameValues(t, "values that were not read", held, first)
	_, fresh := descent(e, s, other, c, true)
	sameValues(t, "values that are read at last", fresh, second)

	// As an optimiser does: the same vectors again and again, the picture another.
	moving, dmoving := upload(e, x), e.NewVector(len(x))
	for i := range 4 {
		e.(engine.Descender).Descend(dmoving, moving, c.tv, nil, nil, 0, false)
		here, _ := descent(e, s, download(e, moving), beside{tv: c.tv}, true)
		sameBits(t, fmt.Sprintf("gradient on the way, step %d", i+1), download(e, dmoving), here)
		e.(engine.Descender).Descend(dmoving, moving, c.tv, nil, nil, 0, false)
		e.(engine.Descender).Descend(dmoving, moving, c.tv, nil, nil, 0, false)
		sameBits(t, fmt.Sprintf("and once more, step %d", i+1), download(e, dmoving), here)
		e.Combine(moving, engine.Multiple{By: 1, Of: moving}, engine.Multiple{By: -.1, Of: dmoving})
	}
}

func sameValues(t *testing.T, what string, got, want engine.Values) {
	t.Helper()
	if !slices.Equal(got.Style, want.Style) || !slices.Equal(got.Content, want.Content) || got.TV != want.TV || got.Prior != want.Prior {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}
