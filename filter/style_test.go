package filter

import (
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

func TestSharesAreABlend(t *testing.T) {
	a, b, content := smooth(40, 30, 1), smooth(30, 40, 5), smooth(37, 29, 2)
	for _, scale := range []string{"mean", "sum"} {
		o := tinyOptions()
		o.LossScale = scale
		by := newFilter(t, o, tiny(true), a, b)
		o.StyleBlendWeights = Numbers{3, 1}
		static := newFilter(t, o, tiny(true), a, b)
		s := size{37, 29}
		want, err := static.styleTargets(static.network, s, s, engine.FP32, static.shares())
		if err != nil {
			t.Fatal(err)
		}
		var got []map[string]styleTarget
		for _, shares := range [][]float64{{1, 0}, {0.5, 0.5}, {0.75, 0.25}} { // others before
			if got, err = by.styleTargets(by.network, s, s, engine.FP32, shares); err != nil {
				t.Fatal(err)
			}
		}
		for name, w := range want[0] {
			if g := got[0][name]; !slices.Equal(g.gram, w.gram) || g.lambda != w.lambda {
				t.Errorf("%s %s: shares of ¾ and ¼ ask for something else than weights of 3 and 1", scale, name)
			}
		}
		painted, _ := paint(t, static, content, Guide{})
		guided, _ := paint(t, by, content, Guide{Shares: []float64{0.75, 0.25}})
		if !slices.Equal(painted.Pix, guided.Pix) {
			t.Errorf("%s: shares of a guide paint another picture than the options' own", scale)
		}
	}
}

// The layers begin with a loss of 5 together, balanced or by their weights, whatever the
// blend and at every size.
func TestLambdas(t *testing.T) {
	s := size{37, 29}
	for _, weights := range [][2]float64{{Balanced, Balanced}, {64, 16}} {
		o := severalSizes(tinyOptions())
		o.StyleLayers[0].Weight, o.StyleLayers[1].Weight = weights[0], weights[1]
		f := newFilter(t, o, tiny(true), smooth(40, 30, 1), smooth(30, 40, 5))
		for _, shares := range [][]float64{{1, 0}, {0.3, 0.7}, {0, 1}} {
			targets, err := f.styleTargets(f.network, s, s, engine.FP32, shares)
			if err != nil {
				t.Fatal(err)
			}
			for k := range targets {
				total, parts, ratio := 0., []float64{}, 1.
				for _, l := range f.network.styleLayersAt(s, k) {
					e := energy(&l, targets[k][l.name].gram)
					total += targets[k][l.name].lambda * e
					parts = append(parts, targets[k][l.name].lambda*e)
					ratio = targets[k][l.name].lambda / ratio
				}
				if math.Abs(total-styleEnergy) > 1e-6 {
					t.Errorf("weights %v, shares %v, size %d: the layers begin with %g", weights, shares, k, total)
				}
				if weights[0] == Balanced && math.Abs(parts[0]-parts[1]) > 1e-6 || weights[0] != Balanced && math.Abs(ratio*4-1) > 1e-6 {
					t.Errorf("weights %v, shares %v, size %d: the layers begin with %v", weights, shares, k, parts)
				}
			}
		}
	}
}

// Each loss paints another picture, nearer to two blended styles than it began.
func TestStyleLossesPaint(t *testing.T) {
	painted := map[string][]float32{}
	for _, loss := range []string{"gram", "gram+means", "gram+moments", "covariance", "shifted", "wasserstein"} {
		o := severalSizes(tinyOptions())
		o.StyleLoss, o.StyleBlendWeights, o.ContentWeight, o.TVWeight = loss, Numbers{3, 1}, Numbers{0}, Numbers{0}
		f := newFilter(t, o, tiny(true), smooth(40, 30, 1), smooth(30, 40, 5))
		var style []float64
		f.OnProgress = func(p Progress) { style = append(style, p.Losses.Style) }
		frame, _ := paint(t, f, smooth(37, 29, 2), Guide{})
		if last := style[len(style)-1]; !(last > 0 && last < 0.8*style[0]) {
			t.Errorf("%s: the style loss went from %g to %g", loss, style[0], last)
		}
		for other, pix := range painted {
			if slices.Equal(pix, frame.Pix) {
				t.Errorf("%s and %s paint the same picture", loss, other)
			}
		}
		painted[loss] = frame.Pix
	}
}

// compilations counts the pictures that an engine is made ready for, by size.
type compilations struct {
	enginetest.Reference
	of map[size]int
}

func (c compilations) Compile(s engine.Spec) (engine.Evaluator, error) {
	c.of[size{s.W, s.H}]++
	return c.Reference.Compile(s)
}

func TestStylesAreLookedAtOnceAndWhenNeeded(t *testing.T) {
	e := compilations{of: map[size]int{}}
	a, b, content := smooth(40, 30, 1), smooth(30, 40, 5), smooth(37, 29, 2)
	f, err := New(tinyOptions(), e, tiny(false), []*Frame{a, b})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := size{37, 29}
	sizeOf := func(style *Frame) size {
		at := f.styleSizes(style, s)[0]
		return at.grow(f.styleMargin(at))
	}
	first, second := sizeOf(a), sizeOf(b)
	looked := func(want1, want2 int, shares ...float64) {
		t.Helper()
		paint(t, f, content, Guide{Start: content, Shares: shares})
		if e.of[first] != want1 || e.of[second] != want2 {
			t.Errorf("shares %v: the styles were looked at %d and %d times, want %d and %d", shares, e.of[first], e.of[second], want1, want2)
		}
	}
	looked(1, 0, 1, 0)
	looked(1, 1, 0.5, 0.5)
	looked(1, 1, 0.2, 0.8)
	looked(1, 1, 1, 0)
	for w := range cachedSizes + 3 {
		if _, err := f.styleTargets(f.network, s, size{20 + w, 20}, engine.FP32, []float64{0.5, 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.network.styleCaches) > cachedSizes {
		t.Errorf("styles are remembered at %d sizes", len(f.network.styleCaches))
	}
}

func TestPlanCountsStyles(t *testing.T) {
	a := smooth(40, 30, 1)
	one := newFilter(t, tinyOptions(), tiny(false), a)
	three := newFilter(t, tinyOptions(), tiny(false), a, a, a)
	p1, err := one.Plan(64, 48)
	if err != nil {
		t.Fatal(err)
	}
	p3, err := three.Plan(64, 48)
	if want := int64(2 * cachedSizes * 4 * (6*7 + 8*9)); err != nil || p3.Memory-p1.Memory != want {
		t.Errorf("two styles more take %d bytes, want %d (%v)", p3.Memory-p1.Memory, want, err)
	}
	o := tinyOptions()
	o.StyleLoss = "wasserstein"
	p, err := newFilter(t, o, tiny(false), a).Plan(64, 48)
	if want := int64(12 * 8 * (6*6 + 8*8)); err != nil || p.Memory-p1.Memory != want {
		t.Errorf("their matrices take %d bytes, want %d (%v)", p.Memory-p1.Memory, want, err)
	}
}

// A long strip is looked at with as many pixels as the picture has, whatever its sides.
func TestExtremeStyles(t *testing.T) {
	s := size{512, 340}
	usual := planOf(t, newFilter(t, tinyOptions(), tiny(false), smooth(30, 20, 1)), smooth(s.w, s.h, 2))
	for _, own := range []size{{3000, 20}, {8000, 400}, {16, 5000}} {
		style := NewFrame(own.w, own.h)
		f := newFilter(t, tinyOptions(), tiny(false), style)
		at := f.styleSizes(style, s)[0]
		if share := float64(at.pixels()) / float64(s.pixels()); share < 0.9 || share > 1.1 {
			t.Errorf("%d×%d: looked at as %d×%d", own.w, own.h, at.w, at.h)
		}
		if p := planOf(t, f, smooth(s.w, s.h, 2)); p.Memory > 2*usual.Memory {
			t.Errorf("%d×%d: %d bytes are planned, %d beside another style", own.w, own.h, p.Memory, usual.Memory)
		}
	}
}

// Several scales of a style are compared as the mean of what each asks for; one alone, however
// it is written, is what it was.
func TestStyleScalesAreAMean(t *testing.T) {
	style, s := smooth(40, 30, 1), size{37, 29}
	moments := func(scales ...float64) []map[string]styleMoments {
		o := severalSizes(tinyOptions())
		o.StyleScale = scales
		f := newFilter(t, o, tiny(true), style)
		m, err := f.styleMoments(f.network, style, s, s, engine.FP32)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, two, three, all := moments(0.5), moments(1), moments(1.5), moments(0.5, 1, 1.5)
	for k := range all {
		for name, m := range all[k] {
			for i, v := range m.gram {
				if want := (one[k][name].gram[i] + two[k][name].gram[i] + three[k][name].gram[i]) / 3; math.Abs(float64(v-want)) > 1e-6*math.Abs(float64(want))+1e-9 {
					t.Fatalf("%s/%d: Gram[%d] is %g, the mean of the scales %g", name, k, i, v, want)
				}
			}
			for i, v := range m.mean {
				if want := (one[k][name].mean[i] + two[k][name].mean[i] + three[k][name].mean[i]) / 3; math.Abs(float64(v-want)) > 1e-6*math.Abs(float64(want))+1e-9 {
					t.Fatalf("%s/%d: mean[%d] is %g, the mean of the scales %g", name, k, i, v, want)
				}
			}
			if slices.Equal(m.gram, one[k][name].gram) || slices.Equal(m.gram, two[k][name].gram) {
				t.Errorf("%s/%d: three scales ask for the same as one", name, k)
			}
		}
	}
	sum := tinyOptions()
	sum.LossScale, sum.StyleScale = "sum", Numbers{0.5, 2} // the picture's size, whatever the scales
	if f := newFilter(t, sum, tiny(true), style); !slices.Equal(f.styleSizes(style, s), []size{s}) {
		t.Errorf("sum: compared at %v", f.styleSizes(style, s))
	}
}
