package filter

import (
	"math"
	"slices"
	"testing"

	"nstfilter/weights"
)

func TestReaches(t *testing.T) {
	n, want := weights.Slim(), map[string]int{"relu1_1": 3, "relu1_2": 5, "relu2_1": 10, "relu3_1": 24, "relu4_1": 60, "relu4_2": 76, "relu5_1": 132}
	for i, r := range receptiveFields(n) {
		if w := want[n.Layers[i].Tap()]; w > 0 && r != w {
			t.Errorf("%s sees %d pixels, want %d", n.Layers[i].Tap(), r, w)
		}
	}
}

func TestLayersBySize(t *testing.T) {
	o := DefaultOptions()
	o.LayerReach = 0.4
	f := newFilter(t, o, weights.Slim(), smooth(40, 30, 1))
	names := func(layers []layer) (out []string) {
		for _, l := range layers {
			name := l.name
			if l.Content {
				name += " content"
			}
			out = append(out, name)
		}
		return out
	}
	for _, c := range []struct {
		s    size
		k    int
		want []string
	}{
		{size{512, 384}, 0, []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2 content"}},
		{size{512, 384}, 1, []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1"}},
		{size{512, 384}, 2, []string{"relu1_1", "relu2_1", "relu3_1"}},
		{size{171, 128}, 0, []string{"relu1_1", "relu2_1", "relu3_1", "relu4_2 content"}},
		{size{171, 128}, 2, []string{"relu1_1", "relu2_1"}},
		{size{16, 16}, 0, []string{"relu1_1", "relu4_2 content"}},
	} {
		if got := names(f.network.layersAt(c.s, c.k)); !slices.Equal(got, c.want) {
			t.Errorf("%v halved %d times: %v, want %v", c.s, c.k, got, c.want)
		}
	}
	if got := f.network.compared(size{171, 128}); !slices.Equal(got, []size{{203, 160}, {102, 80}, {51, 40}}) {
		t.Errorf("compared at %v", got)
	}
	if got := f.network.compared(size{20, 20}); len(got) != 2 {
		t.Errorf("compared at %v, though of half of it the margin alone is large enough for the network", got)
	}
}

// What layers add to the style loss is the style loss, at all sizes together.
func TestLayersAddUp(t *testing.T) {
	o := severalSizes(tinyOptions())
	f := newFilter(t, o, tiny(true), smooth(40, 30, 1))
	f.ByLayer = true
	for _, g := range []Guide{{}, {Start: smooth(96, 80, 3)}} {
		_, report := paint(t, f, smooth(96, 80, 2), g)
		sum := 0.0
		for _, v := range report.Losses.Layers {
			sum += v
		}
		if l := report.Losses; math.Abs(sum-l.Style) > 1e-9*l.Style || len(l.Layers) != 6 || l.Layers["relu2_1/4"] == 0 {
			t.Errorf("layers %v make %g, the style loss is %g", l.Layers, sum, l.Style)
		}
		if l := report.Losses; math.Abs(l.Content+l.Style+l.TV+l.Gamut+l.Prior-l.Total) > 1e-9*l.Total {
			t.Errorf("%+v do not add up", l)
		}
	}
}

// A style is as large as the picture, whatever its shape.
func TestStyleSize(t *testing.T) {
	f := newFilter(t, DefaultOptions(), weights.Slim(), smooth(40, 30, 1))
	s := size{512, 384}
	for _, own := range []size{{1024, 640}, {640, 1024}, {3000, 20}, {20, 8000}} {
		at := f.styleSizes(&Frame{W: own.w, H: own.h}, s)[0]
		if r := float64(at.pixels()) / float64(s.pixels()); r < 0.97 || r > 1.03 {
			t.Errorf("a style of %v is %v beside a picture of %v", own, at, s)
		}
		for grown, k := at.grow(f.styleMargin(at)), 0; k < len(f.o.StyleSizes); grown, k = grown.half(), k+1 {
			if min(grown.w, grown.h) < 16 {
				t.Errorf("a style of %v halved %d times is %v", own, k, grown)
			}
		}
	}
}
