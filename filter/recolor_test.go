package filter

import (
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
)

// near compares every number of two pictures' colours.
func sameColours(t *testing.T, what string, got, want colours, tolerance float64) {
	t.Helper()
	for i := range 3 {
		for j := range 3 {
			if math.Abs(got.mean[i]-want.mean[i]) > tolerance || math.Abs(got.covariance(i, j)-want.covariance(i, j)) > tolerance {
				t.Fatalf("%s: %+v, want %+v", what, got, want)
			}
		}
	}
}

func TestRecolour(t *testing.T) {
	dull := func(f *Frame) []float32 { // so that nothing is clipped
		pix := slices.Clone(f.Pix)
		for i, v := range pix {
			pix[i] = 0.4 + 0.2*v
		}
		return pix
	}
	from, to := dull(smooth(40, 30, 1)), coloursOf(dull(smooth(50, 20, 7)), nil)
	pix := slices.Clone(from)
	recolour(0, pix, coloursOf(from, nil), to)
	sameColours(t, "recoloured", coloursOf(pix, nil), to, 1e-4)

	same := slices.Clone(from)
	recolour(0, same, coloursOf(from, nil), coloursOf(from, nil))
	for i, v := range same {
		if math.Abs(float64(v-from[i])) > 1e-4 {
			t.Fatalf("its own colours take sample %d from %g to %g", i, from[i], v)
		}
	}

	flat := slices.Repeat([]float32{0.3}, 3*40*30)
	recolour(0, flat, coloursOf(flat, nil), to)
	for i, v := range flat {
		if want := to.mean[i/(40*30)]; math.Abs(float64(v)-want) > 1e-3 {
			t.Fatalf("a flat picture becomes %g at %d, want %g", v, i, want)
		}
	}

	grey := NewFrame(40, 30)
	for i := range grey.Pix {
		grey.Pix[i] = from[i%(40*30)]
	}
	recolour(0, grey.Pix, coloursOf(grey.Pix, nil), to)
	if c := coloursOf(grey.Pix, nil); c.covariance(0, 1) == c.covariance(0, 0) {
		t.Error("a grey picture stays grey")
	}
}

// What is transparent has no colours.
func TestColoursOfWhatIsSeen(t *testing.T) {
	mask := make([]float32, 40*30)
	a, b := smooth(40, 30, 1), smooth(40, 30, 1)
	for i := range mask {
		mask[i] = float32(i % 2)
		if mask[i] == 0 {
			b.Pix[i] = 1
		}
	}
	sameColours(t, "under a mask", coloursOf(a.Pix, mask), coloursOf(b.Pix, mask), 1e-12)
}

// A painted picture has the mean colour and the contrast of the styles, by their shares.
func TestResultHasTheColoursOfTheStyle(t *testing.T) {
	o := severalSizes(tinyOptions())
	content := smooth(37, 29, 2)
	f := newFilter(t, o, tiny(true), smooth(40, 30, 1), smooth(30, 40, 5))
	for _, shares := range [][]float64{{1, 0}, {0.3, 0.7}} {
		for _, g := range []Guide{{Shares: shares}, {Shares: shares, Start: content}} {
			out, _ := paint(t, f, content, g)
			want := f.styleColours(0, shares, func(s *Frame) size { return f.styleSizes(s, size{37, 29})[0] })
			sameColours(t, "painted", coloursOf(out.Pix, nil), want, 0.02) // a few samples are clipped
		}
	}
	f.o.NoStyleColors = true
	out, _ := paint(t, f, content, Guide{Start: content, Shares: []float64{1, 0}})
	if got, want := coloursOf(out.Pix, nil).mean[0], coloursOf(smooth(40, 30, 1).Pix, nil).mean[0]; math.Abs(got-want) < 0.02 {
		t.Errorf("without a match the mean is %g too", got)
	}
}

// Content and style of one flat colour are a perfect start, and stay so.
func TestFlatStaysFlat(t *testing.T) {
	flat := NewFrame(64, 48)
	for i := range flat.Pix {
		flat.Pix[i] = 0.2 + 0.2*float32(i/(64*48))
	}
	o := DefaultOptions()
	o.StyleLayers, o.ContentLayers, o.MinSize = LayerWeights{{"relu1_1", 1}, {"relu2_1", 1}}, LayerWeights{{"relu2_2", 1}}, engine.MinSide
	out, _ := paint(t, newFilter(t, o, tiny(true), flat), flat, Guide{})
	for i, v := range out.Pix {
		if math.Abs(float64(v-flat.Pix[i])) > 1./255 {
			t.Fatalf("sample %d went from %g to %g", i, flat.Pix[i], v)
		}
	}
}
