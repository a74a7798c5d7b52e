package filter

import (
	"slices"
	"testing"
)

// Strength 0 keeps the samples to the bit, 1 gives the painting's, between is mixed. Film is left
// to Blended, at the painted size too.
func TestStrength(t *testing.T) {
	const w, h = 40, 30
	f := newFilter(t, tinyOptions(), tiny(true), smooth(40, 30, 1))
	content := smooth(w, h, 2)
	content.Strength = make([]float32, w*h)
	for i := range content.Strength {
		content.Strength[i] = []float32{0, 0.5, 1, 1}[i%w/10]
	}
	out, _ := paint(t, f, content, Guide{})
	f.Film = true
	whole, _ := paint(t, f, content, Guide{Start: content})
	if blended := content.Blended(whole); slices.Equal(whole.Pix, blended.Pix) {
		t.Error("a frame of a film is blended before it is kept")
	} else if small := content.Blended(whole.Resized(w/2, h/2)); small.W != w/2 || small.Pix[0] != content.Resized(w/2, h/2).Pix[0] {
		t.Errorf("%d wide, first sample %g, want that of the reduced picture", small.W, small.Pix[0])
	} else {
		for i, v := range blended.Pix {
			a, b := content.Pix[i], whole.Pix[i]
			if want := []float32{a, (a + b) / 2, b, b}[i%w/10]; v < want-1e-6 || v > want+1e-6 || i%w < 10 && v != a {
				t.Fatalf("sample %d is %g, between %g and %g", i, v, a, b)
			}
		}
	}
	painted := 0
	for i, v := range out.Pix {
		switch {
		case i%w < 10 && v != content.Pix[i]:
			t.Fatalf("sample %d of strength 0 is %g, was %g", i, v, content.Pix[i])
		case i%w >= 20 && v != content.Pix[i]:
			painted++
		}
	}
	if painted < 3*20*h*9/10 {
		t.Errorf("%d samples of strength 1 are painted, want nearly all", painted)
	}
}

// What is not painted does not spend the style's colours: half a picture gets about the mean that
// all of it would, though the other half is dark.
func TestUnpaintedCountsLittle(t *testing.T) {
	const w, h = 40, 30
	style := smooth(40, 30, 1)
	f := newFilter(t, tinyOptions(), tiny(true), style)
	content := NewFrame(w, h)
	content.Strength = make([]float32, w*h)
	for i := range content.Pix {
		content.Pix[i] = 0.05 + 0.02*float32(i%7)
		if i%w >= w/2 {
			content.Pix[i] += 0.6
			content.Strength[i%(w*h)] = 1
		}
	}
	off := func(strength []float32) (sum float64) {
		c := *content
		c.Strength = strength
		f.Film = true // all of the painting, not blended
		out, _ := paint(t, f, &c, Guide{})
		right := make([]float32, w*h)
		copy(right, content.Strength)
		got, want := coloursOf(out.Pix, right), coloursOf(style.Pix, nil)
		for p := range got.mean {
			sum += (got.mean[p] - want.mean[p]) * (got.mean[p] - want.mean[p])
		}
		return sum
	}
	if with, without := off(content.Strength), off(nil); with > 0.6*without {
		t.Errorf("the painted half is off the style's mean by %.3g, and by %.3g without a map: want at most 0.6 of it", with, without)
	}
}
