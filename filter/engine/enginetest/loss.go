package enginetest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
)

// testLoss compares a LossEvaluator with the definition; an evaluator need not be one.
func testLoss(t *testing.T, got, oracle engine.Engine) {
	ev := compile(t, got, callSpec())
	_, ok := ev.(engine.LossEvaluator)
	ev.Close()
	if !ok {
		t.Skipf("%s does not evaluate J by itself", got.Name())
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
			t.Run(title(s)+" "+c.taps, func(t *testing.T) { testLossOne(t, got, WithLoss{oracle}, s) })
		}
	}
}

// terms makes the moments of the picture target the targets of all taps, of every second one
// with a metric.
func terms(e engine.Evaluator, s engine.Spec, target []float32) []engine.Term {
	metric, g := metrics(s), gradients(s)
	out := make([]engine.Term, len(s.Taps))
	for i, m := range e.Forward(upload(e, target)) {
		if s.Taps[i].Style {
			out[i].Target, out[i].Metric = slices.Clone(m.Gram), metric[i]
			out[i].Style = .5 + float64(i)
			if i%2 == 0 {
				out[i].TargetMean, out[i].Mean = slices.Clone(m.Mean), 1+float64(i)
			}
		}
		out[i].Content = g[i].Content
	}
	return out
}

// beside holds the weights of the picture terms of a test.
type beside struct{ tv, gamut, prior float64 }

func testLossOne(t *testing.T, got, oracle engine.Engine, s engine.Spec) {
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()
	x := smooth(t, s.Network, s.Pooling, s.W, s.H)
	dark := picture(1000, s.W, s.H) // far from x: differences that cancel tell little
	for i := range dark {
		dark[i] /= 2
	}
	j, all := terms(b, s, dark), beside{30, 10, 20}
	a.(engine.LossEvaluator).SetTerms(j)
	run := func(what string, c ...beside) {
		t.Helper()
		for _, e := range []engine.Evaluator{a, b} {
			e.(engine.LossEvaluator).SetTerms(j)
		}
		for _, c := range c {
			compareLosses(t, fmt.Sprintf("%s, beside %+v", what, c), a, b, s, x, c)
		}
	}
	run("no target", all)
	for _, e := range []engine.Evaluator{a, b} {
		e.Forward(upload(e, dark))
		e.SetContent(metrics(s))
	}
	run("with a target", all, beside{}, beside{tv: 30}, beside{gamut: 10}, beside{prior: 20})
	testReading(t, a, s, x)
	compare(t, "Forward after it", a, b, s, x, gradients(s))

	covers := masks(s.W, s.H)
	for _, name := range slices.Sorted(maps.Keys(covers)) {
		for _, e := range []engine.Evaluator{a, b} {
			e.SetMask(slices.Clone(covers[name]))
			e.Forward(upload(e, dark))
			e.SetContent(make([][]float32, len(s.Taps)))
		}
		compareLosses(t, name, a, b, s, x, all)
	}
	for _, e := range []engine.Evaluator{a, b} {
		e.SetMask(nil)
	}
	for i := range j {
		j[i].Target, j[i].TargetMean, j[i].Metric, j[i].Content = nil, nil, nil, 2*j[i].Content
	}
	run("other terms", all)
	for _, e := range []engine.Evaluator{a, b} { // what is left is of the picture alone
		e.(engine.LossEvaluator).SetTerms(make([]engine.Term, len(s.Taps)))
	}
	wide := picture(15, s.W, s.H)
	for i, v := range wide {
		wide[i] = 3*v - 1
	}
	compareLosses(t, "no terms", a, b, s, wide, all)
}

// lossAt evaluates J at x, with a dx that is not zero before.
func lossAt(e engine.Evaluator, s engine.Spec, x []float32, c beside) ([]float32, engine.Values) {
	dx := upload(e, picture(2, s.W, s.H))
	p := engine.PictureTerms{TV: c.tv, Gamut: c.gamut, PriorWeight: c.prior}
	if c.prior > 0 {
		p.Prior, p.W = upload(e, picture(11, s.W, s.H)), upload(e, picture(12, s.W, s.H)[:s.W*s.H])
	}
	d := e.(engine.LossEvaluator)
	d.EvaluateLoss(dx, upload(e, x), p)
	v := d.Values()
	v.Style, v.Mean, v.Compared, v.Content = slices.Clone(v.Style), slices.Clone(v.Mean), slices.Clone(v.Compared), slices.Clone(v.Content)
	return download(e, dx), v
}

func compareLosses(t *testing.T, what string, a, b engine.Evaluator, s engine.Spec, x []float32, c beside) {
	t.Helper()
	dx, got := lossAt(a, s, x, c)
	ddx, want := lossAt(b, s, x, c)
	if n := len(s.Taps); len(got.Style) != n || len(got.Mean) != n || len(got.Compared) != n || len(got.Content) != n {
		t.Fatalf("%s: %d style terms, %d of means, %d compared and %d of content, of %d taps", what, len(got.Style), len(got.Mean), len(got.Compared), len(got.Content), n)
	}
	for i, tap := range s.Taps {
		at := what + ": " + s.Network.Layers[tap.Layer].Tap()
		nearNumber(t, at+" style", got.Style[i], want.Style[i], networkTolerance)
		nearNumber(t, at+" mean", got.Mean[i], want.Mean[i], networkTolerance)
		nearNumber(t, at+" content", got.Content[i], want.Content[i], networkTolerance)
	}
	nearNumber(t, what+": TV", got.TV, want.TV, vectorTolerance)
	nearNumber(t, what+": gamut", got.Gamut, want.Gamut, vectorTolerance)
	nearNumber(t, what+": prior", got.Prior, want.Prior, vectorTolerance)
	near(t, what+": gradient", dx, ddx, networkTolerance)
}

// testReading checks that evaluating again gives the same bits, and that Values returns the
// values of the latest picture each time.
func testReading(t *testing.T, e engine.Evaluator, s engine.Spec, x []float32) {
	c, other := beside{30, 10, 20}, picture(14, s.W, s.H)
	dx, first := lossAt(e, s, x, c)
	lossAt(e, s, other, c)
	again, third := lossAt(e, s, x, c)
	sameBits(t, "gradient again", again, dx)
	sameValues(t, "values again", third, first)
	sameValues(t, "values read twice", e.(engine.LossEvaluator).Values(), first)

	// An optimiser uses the same vectors for every picture.
	d, p := e.(engine.LossEvaluator), engine.PictureTerms{TV: c.tv}
	moving, dmoving := upload(e, x), e.NewVector(len(x))
	for i := range 4 {
		d.EvaluateLoss(dmoving, moving, p)
		here, want := lossAt(e, s, download(e, moving), beside{tv: c.tv})
		sameBits(t, fmt.Sprintf("gradient on the way, step %d", i+1), download(e, dmoving), here)
		d.EvaluateLoss(dmoving, moving, p)
		d.EvaluateLoss(dmoving, moving, p)
		sameBits(t, fmt.Sprintf("and once more, step %d", i+1), download(e, dmoving), here)
		sameValues(t, fmt.Sprintf("values, step %d", i+1), d.Values(), want)
		small := .02 * math.Sqrt(float64(len(x))/e.Dots([2]engine.Vector{dmoving, dmoving})[0])
		e.Combine(moving, engine.Multiple{By: 1, Of: moving}, engine.Multiple{By: -small, Of: dmoving})
	}
}

func sameValues(t *testing.T, what string, got, want engine.Values) {
	t.Helper()
	if !slices.Equal(got.Style, want.Style) || !slices.Equal(got.Mean, want.Mean) || !slices.Equal(got.Compared, want.Compared) ||
		!slices.Equal(got.Content, want.Content) ||
		got.TV != want.TV || got.Gamut != want.Gamut || got.Prior != want.Prior {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// WithLoss is an engine whose evaluators are LossEvaluators.
type WithLoss struct{ engine.Engine }

// Compile adds engine.LossEvaluatorOf to the evaluator.
func (e WithLoss) Compile(s engine.Spec) (engine.Evaluator, error) {
	ev, err := e.Engine.Compile(s)
	if err != nil {
		return nil, err
	}
	return struct {
		engine.Evaluator
		engine.LossEvaluator
	}{ev, engine.LossEvaluatorOf(ev, nil)}, nil
}
