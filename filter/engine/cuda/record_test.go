//go:build cuda

package cuda

import (
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/driver"
	"nstfilter/weights"
)

// twoBlocks is a small made-up network.
func twoBlocks() *weights.Network {
	n := &weights.Network{Name: "two blocks", Std: [3]float32{1, 1, 1}, Pooling: weights.AveragePooling}
	for i, l := range [][4]int{{1, 1, 3, 8}, {1, 2, 8, 8}, {2, 1, 8, 16}} {
		w := make([]float32, 9*l[2]*l[3])
		for k := range w {
			w[k] = float32(math.Sin(float64(7*k+i))) / 8
		}
		n.Layers = append(n.Layers, weights.Layer{Block: l[0], Index: l[1], In: l[2], Out: l[3], Weight: w, Bias: make([]float32, l[3])})
	}
	return n
}

// newLossEvaluator has terms of every kind, and x to begin at.
func newLossEvaluator(t *testing.T, e *Engine) (ev *Evaluator, x engine.Vector) {
	n := twoBlocks()
	s := engine.Spec{Network: n, Pooling: n.Pooling, W: 18, H: 17,
		Taps: []engine.Tap{{Layer: 0, Style: true}, {Layer: 2, Style: true, Content: true}}}
	made, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	ev = made.(*Evaluator)
	pix := make([]float32, 3*s.W*s.H)
	for i := range pix {
		pix[i] = float32(.5 + .5*math.Sin(float64(i)))
	}
	x = ev.NewVector(len(pix))
	ev.Upload(x, pix)
	aimAt(ev, x)
	slices.Reverse(pix)
	ev.Upload(x, pix)
	return ev, x
}

// aimAt makes the picture x both style and content.
func aimAt(ev *Evaluator, x engine.Vector) {
	var terms []engine.Term
	for _, m := range ev.Forward(x) {
		terms = append(terms, engine.Term{Target: slices.Clone(m.Gram), Style: 1})
	}
	terms[1].Content = 1e-3
	ev.SetContent(nil)
	ev.SetTerms(terms)
}

// What comes again is recorded, until it would be another.
func TestDescendIsRecorded(t *testing.T) {
	ev, x := newLossEvaluator(t, newEngine(t, "simt"))
	if !driver.HasGraphs() {
		t.Skip("this driver cannot")
	}
	dx := ev.NewVector(x.Len())
	recorded := func(want bool, what string) {
		t.Helper()
		if got := ev.loss.recorder.graph != nil; got != want {
			t.Errorf("%s: recorded is %t", what, got)
		}
	}
	descend := func() { ev.EvaluateLoss(dx, x, engine.PictureTerms{TV: 1}) }
	again := func() { descend(); descend() }
	descend()
	recorded(false, "the first time")
	descend()
	recorded(true, "the second time")
	ev.EvaluateLoss(dx, x, engine.PictureTerms{TV: 2})
	recorded(false, "another weight")
	again()
	recorded(true, "again")
	ev.SetMask(make([]float32, 18*17))
	recorded(false, "another mask")
	again()
	ev.SetTerms(make([]engine.Term, 2))
	recorded(false, "other terms")
	again()
	ev.SetTerms(make([]engine.Term, 2))
	recorded(true, "the same terms")
	ev.Forward(x)
	recorded(true, "after Forward")
	ev.SetContent(nil)
	recorded(true, "another target")
	ev.SetContent([][]float32{nil, make([]float32, 16*16)})
	recorded(false, "a metric")
	again()
	if v := ev.Values(); v.TV != 0 || v.Style[0] != 0 || v.Content[1] != 0 {
		t.Errorf("without a pixel that counts: %+v", v)
	}
}

// A recording goes by the targets and Grams that are there when it is launched.
func TestRecordedDescentFollowsTargets(t *testing.T) {
	e := newEngine(t, "simt")
	ev, x := newLossEvaluator(t, e)
	other, y := newLossEvaluator(t, e)
	dx, dy := ev.NewVector(x.Len()), other.NewVector(x.Len())
	descent := func(ev *Evaluator, dx, x engine.Vector, times int) []float32 {
		for range times {
			ev.EvaluateLoss(dx, x, engine.PictureTerms{TV: 1})
		}
		out := make([]float32, x.Len())
		ev.Download(out, dx)
		return out
	}
	before := descent(ev, dx, x, 3)
	aimAt(ev, ev.NewVector(x.Len()))
	if driver.HasGraphs() && ev.loss.recorder.graph == nil {
		t.Error("what was recorded is forgotten")
	}
	aimAt(other, other.NewVector(x.Len()))
	want := descent(other, dy, y, 1)
	if slices.Equal(want, before) {
		t.Fatal("the targets change nothing")
	}
	if got := descent(ev, dx, x, 1); !slices.Equal(got, want) {
		t.Error("a recorded descent is another")
	}
}

// Comparisons run on the host, from moments: nothing is recorded, and the device refuses them.
func TestComparisonsAreNotRecorded(t *testing.T) {
	ev, x := newLossEvaluator(t, newEngine(t, "simt"))
	terms := make([]engine.Term, 2)
	if engine.LossEvaluatorOf(ev, terms) != engine.LossEvaluator(ev) {
		t.Error("terms without a comparison run on the host")
	}
	m := ev.Forward(x)[1]
	terms[1] = engine.Term{Compare: engine.CompareCovariances(make([]float32, len(m.Gram)), make([]float32, len(m.Mean)), nil), Compared: 1}
	j := engine.LossEvaluatorOf(ev, terms)
	j.SetTerms(terms)
	dx := ev.NewVector(x.Len())
	for range 3 {
		j.EvaluateLoss(dx, x, engine.PictureTerms{})
	}
	if ev.loss.recorder.graph != nil || j.Values().Compared[1] == 0 {
		t.Errorf("recorded: %t; %+v", ev.loss.recorder.graph != nil, j.Values())
	}
	defer func() {
		if recover() == nil {
			t.Error("the device takes a comparison")
		}
	}()
	ev.SetTerms(terms)
}

// What SetTerms allocates was counted.
func TestTermsAreCounted(t *testing.T) {
	e := newEngine(t, "simt")
	n := twoBlocks()
	s := engine.Spec{Network: n, Pooling: n.Pooling, W: 18, H: 17, Taps: []engine.Tap{{Layer: 2, Style: true}}}
	before := e.device.bytes
	made, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	ev := made.(*Evaluator)
	ev.SetTerms([]engine.Term{{Target: make([]float32, 16*16), Metric: make([]float32, 16*16)}})
	if got, want := e.device.bytes-before, e.Memory(s); got != want {
		t.Errorf("%d bytes, counted %d", got, want)
	}
}
