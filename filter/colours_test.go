package filter

import (
	"math"
	"slices"
	"testing"
)

func TestInColoursOf(t *testing.T) {
	painted, original := smooth(64, 48, 1), smooth(64, 48, 5)
	out := painted.InColoursOf(original)
	reduced := 0
	const mixing = 0.03 // with grey changes lightness and hue a little
	for p := range 64 * 48 {
		l, a, b := colourAt(out.Pix, p).OkLab()
		want, _, _ := colourAt(painted.Pix, p).OkLab()
		_, wantA, wantB := colourAt(original.Pix, p).OkLab()
		if math.Abs(l-want) > mixing {
			t.Fatalf("pixel %d has lightness %g, want %g", p, l, want)
		}
		chroma, most := math.Hypot(a, b), math.Hypot(wantA, wantB)
		if chroma > most+0.004 {
			t.Fatalf("pixel %d has chroma %g, the original %g", p, chroma, most)
		}
		most, turned := most-0.004, 0.05
		if chroma < most {
			reduced++
			turned = 0.4
		}
		if chroma > 0.02 {
			if turn := math.Abs(math.Remainder(math.Atan2(b, a)-math.Atan2(wantB, wantA), 2*math.Pi)); turn > turned {
				t.Fatalf("pixel %d has another hue, by %g", p, turn)
			}
		}
	}
	if reduced == 0 {
		t.Error("no colour lost chroma: the case is not tested")
	}
	same := original.InColoursOf(original)
	for i, v := range same.Pix {
		if math.Abs(float64(v-original.Pix[i])) > 1./255 {
			t.Fatalf("its own colours take sample %d from %g to %g", i, original.Pix[i], v)
		}
	}
}

// A ramp of light in one hue has no steps, in and out of what sRGB can show.
func TestInColoursOfHasNoBands(t *testing.T) {
	const n = 2048
	ramp, blue := NewFrame(n, 1), NewFrame(n, 1)
	for x := range n {
		for p := range 3 {
			ramp.Pix[p*n+x] = float32(x) / (n - 1)
		}
		blue.Pix[2*n+x] = 1
	}
	out := ramp.InColoursOf(blue)
	for i := range out.Pix {
		if i%n > 0 && math.Abs(float64(out.Pix[i]-out.Pix[i-1])) > 2.5/255 {
			t.Fatalf("a step from %g to %g at sample %d", out.Pix[i-1], out.Pix[i], i%n)
		}
	}
}

func TestColorMatch(t *testing.T) {
	photo := smooth(60, 40, 5)
	for i, v := range photo.Pix {
		photo.Pix[i] = 0.35 + 0.25*v // so that nothing is clipped
	}
	style := smooth(40, 30, 1)
	for _, match := range []string{"mean-covariance", "histogram"} {
		o := tinyOptions()
		o.ColorMatch = match
		f := newFilter(t, o, tiny(true), style)
		f.takeColours(photo)
		got := f.fitStyle(style, size{40, 30})
		if match == "mean-covariance" {
			sameColours(t, match, coloursOf(got, nil), coloursOf(photo.Pix, nil), 1e-3)
			continue
		}
		a, b := quantiles(oklab(0, got), nil), quantiles(oklab(0, photo.Pix), nil)
		for i := range a {
			for k := range a[i] {
				if math.Abs(float64(a[i][k]-b[i][k])) > 0.02 {
					t.Fatalf("quantile %d of plane %d is %g, want %g", k, i, a[i][k], b[i][k])
				}
			}
		}
	}
}

// Each photo of a batch has its own colours, and a film that goes on has those that it had.
func TestColorMatchOfSeveral(t *testing.T) {
	o := tinyOptions()
	o.ColorMatch = "histogram"
	style, a, b := smooth(40, 30, 1), smooth(37, 29, 2), smooth(37, 29, 8)
	f := newFilter(t, o, tiny(true), style)
	first, _ := paint(t, f, a, Guide{})
	colours := f.PhotoColours()
	later, _ := paint(t, f, b, Guide{Start: first})
	second, _ := paint(t, f, b, Guide{})
	alone, _ := paint(t, newFilter(t, o, tiny(true), style), b, Guide{})
	if !slices.Equal(second.Pix, alone.Pix) {
		t.Error("the second photo has the first one's colours")
	}
	g := newFilter(t, o, tiny(true), style)
	g.SetPhotoColours(colours)
	again, _ := paint(t, g, b, Guide{Start: first})
	if !slices.Equal(again.Pix, later.Pix) {
		t.Error("a film that goes on has other colours")
	}
}
