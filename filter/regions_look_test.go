//go:build cgo

package filter_test

import (
	"math"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
	"nstfilter/weights"
)

// Two regions with two styles: inside its region each style is as near, by its Gram matrices, as
// when it paints the whole picture, and it does not reach into the other region.
func TestRegionsHaveTheirStyles(t *testing.T) {
	if testing.Short() {
		t.Skip("only the engine is concurrent here, and it has tests of its own")
	}
	e, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	content := read(t, "glass")
	content = content.Resized(192, 192*content.H/content.W)
	maps := slanted(content, func(d float64) float64 { return d/4 + 0.5 })
	styles := []*filter.Frame{read(t, "night"), read(t, "mosaic")}
	paint := func(content *filter.Frame, styles ...*filter.Frame) *filter.Frame {
		o := filter.DefaultOptions()
		o.Iterations = filter.Steps{40, 20}
		f, err := filter.New(o, e, weights.Slim(), styles)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out, _, err := f.Paint(t.Context(), content, filter.Guide{})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	alone := []*filter.Frame{paint(content, styles[0]), paint(content, styles[1])}
	first, second, both := *styles[0], *styles[1], *content
	first.Regions, second.Regions, both.Regions = [][]float32{first.Everywhere(), nil}, [][]float32{nil, second.Everywhere()}, maps
	mixed := paint(&both, &first, &second)

	beside := slanted(content, func(d float64) float64 { return inside(d, 10, 34) })[1]
	besides := [][]float32{slanted(content, func(d float64) float64 { return inside(d, -34, -10) })[1], beside}
	for r, style := range styles {
		k := math.Sqrt(float64(content.W*content.H) / float64(style.W*style.H))
		target := gramsOf(t, e, style.Resized(int(k*float64(style.W)), int(k*float64(style.H))), nil)
		for _, at := range []struct {
			name string
			m    []float32
			most float64
		}{{"in its region", maps[r], 1.15}, {"beside the border", besides[r], 1.3}} {
			got, want := gramsOf(t, e, mixed, at.m), gramsOf(t, e, alone[r], at.m)
			for i, tap := range regionLayers {
				d, whole := distance(got[i], target[i]), distance(want[i], target[i])
				t.Logf("region %d, %s, %s: %.3f from its style, %.3f alone", r+1, at.name, tap, d, whole)
				if d > at.most*whole+0.02 {
					t.Errorf("region %d, %s: %s is %.3f from its style, and %.3f where that paints alone", r+1, at.name, tap, d, whole)
				}
			}
		}
	}
}

var regionLayers = []string{"relu1_1", "relu2_1", "relu3_1"}

// slanted are two maps whose border is a slanted line: that of the second is weight(d), cut to
// [0,1], d pixels right of it.
func slanted(f *filter.Frame, weight func(d float64) float64) [][]float32 {
	maps := [][]float32{f.Everywhere(), f.Everywhere()}
	for i := range maps[1] {
		d := 0.94*(float64(i%f.W)-float64(f.W)/2) + 0.34*(float64(i/f.W)-float64(f.H)/2)
		maps[1][i] = float32(min(max(weight(d), 0), 1))
		maps[0][i] = 1 - maps[1][i]
	}
	return maps
}

func inside(d, from, to float64) float64 {
	if d >= from && d < to {
		return 1
	}
	return 0
}

// gramsOf returns the Gram matrices of regionLayers in what a map shows.
func gramsOf(t *testing.T, e engine.Engine, f *filter.Frame, m []float32) (out [][]float32) {
	t.Helper()
	n := weights.Slim()
	s := engine.Spec{Network: n, Pooling: n.Pooling, W: f.W, H: f.H}
	for _, tap := range regionLayers {
		l, err := n.Layer(tap)
		if err != nil {
			t.Fatal(err)
		}
		s.Taps = append(s.Taps, engine.Tap{Layer: l, Style: true})
	}
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	x := ev.NewVector(len(f.Pix))
	ev.Upload(x, f.Pix)
	ev.SetMask(m)
	for _, moments := range ev.Forward(x) {
		out = append(out, append([]float32{}, moments.Gram...))
	}
	return out
}

// distance is ‖a − b‖/‖b‖.
func distance(a, b []float32) float64 {
	d := make([]float32, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return math.Sqrt(engine.Dot(d, d) / engine.Dot(b, b))
}
