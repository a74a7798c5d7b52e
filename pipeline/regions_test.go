package pipeline

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/pipeline/photo"
)

// coloured is a picture with the colour at(x, y).
func coloured(w, h int, at func(x, y int) regionColour) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range w * h {
		c := at(i%w, i/w)
		for p := range 3 {
			f.Pix[p*w*h+i] = float32(c[p])
		}
	}
	return f
}

var black, red, white = regionColour{}, regionColour{0.8, 0.1, 0.1}, regionColour{1, 1, 1}

// halves is red on the left of edge and black on its right, mixed in the column between.
func halves(edge int) func(x, _ int) regionColour {
	return func(x, _ int) regionColour {
		switch {
		case x < edge:
			return red
		case x == edge:
			return regionColour{0.4, 0.05, 0.05}
		}
		return black
	}
}

// Colours are found from dark to light, without those of edges and of a codec's noise.
func TestFlatColours(t *testing.T) {
	noisy := coloured(256, 64, func(x, y int) regionColour {
		c := halves(200)(x, y)
		if y < 20 {
			c = white
		}
		c[1] += 0.02 * math.Sin(float64(x*7+y*13))
		return c
	})
	got := flatColours(noisy)
	if len(got) != 3 || got[0].distance(black) > 0.05 || got[1].distance(red) > 0.05 || got[2].distance(white) > 0.05 {
		t.Errorf("%v, want about %v", got, []regionColour{black, red, white})
	}
}

// What lies between two colours belongs to both; the weights of each pixel have the sum 1.
func TestRegionWeights(t *testing.T) {
	f := coloured(24, 20, halves(12))
	weights := regionWeights(f, []regionColour{black, red, white})
	for i := range weights[0] {
		want := [3]float32{1, 0, 0}
		switch x := i % 24; {
		case x < 12:
			want = [3]float32{0, 1, 0}
		case x == 12:
			want = [3]float32{0.5, 0.5, 0}
		}
		for r := range want {
			if d := weights[r][i] - want[r]; d > 1e-5 || d < -1e-5 {
				t.Fatalf("pixel %d has %g of region %d, want %g", i, weights[r][i], r, want[r])
			}
		}
	}
	if one := regionWeights(f, []regionColour{red}); one[0][0] != 1 || one[0][23] != 1 {
		t.Errorf("the only region has %g and %g", one[0][0], one[0][23])
	}
}

// twoStyles is a job with a dark blue and a light yellow style, and the mask of a photo.
func twoStyles(t *testing.T) *Job {
	t.Helper()
	j := batch(t, 1, enginetest.Reference{})
	write := func(name string, f *filter.Frame) {
		if err := photo.Write(name, "", f); err != nil {
			t.Fatal(err)
		}
	}
	plain := func(r, g, b float64) func(x, y int) regionColour {
		return func(x, y int) regionColour {
			d := 0.04 * math.Sin(float64(x*x+y))
			return regionColour{r + d, g + d, b + d}
		}
	}
	write("blue.png", coloured(side, side, plain(0.1, 0.1, 0.5)))
	write("yellow.png", coloured(side, side, plain(0.9, 0.8, 0.1)))
	write("both.png", coloured(2*side, side, func(x, y int) regionColour {
		if x < side {
			return plain(0.9, 0.8, 0.1)(x, y)
		}
		return plain(0.1, 0.1, 0.5)(x, y)
	}))
	write("mask.png", coloured(40, 36, halves(20)))
	write("style-mask.png", coloured(2*side, side, halves(side))) // yellow is for red
	j.Mask = "mask.png"
	return j
}

// blueness is how much bluer than yellow columns are.
func blueness(f *filter.Frame, from, to int) (sum float64) {
	n := f.W * f.H
	for i := range n {
		if x := i % f.W; x >= from && x < to {
			sum += float64(f.Pix[2*n+i]-f.Pix[n+i]) / float64((to-from)*f.H)
		}
	}
	return sum
}

// Each region of a photo gets the colours of its style: by the order of brightness, by the masks
// of two styles, and by two parts of one.
func TestMaskOfPhoto(t *testing.T) {
	for _, c := range []struct {
		styles, masks string
		flipped       bool // the left is blue
	}{
		{"blue.png yellow.png", "", false},
		{"yellow.png blue.png", "", true},
		{"both.png", "style-mask.png", false},
	} {
		j := twoStyles(t)
		j.Style, j.StyleMask = strings.Fields(c.styles), strings.Fields(c.masks)
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, err := photo.Read("out/p0.png")
		if err != nil {
			t.Fatal(err)
		}
		left, right := blueness(f, 0, 9), blueness(f, 12, 20)
		if c.flipped {
			left, right = right, left
		}
		if left > -0.3 || right < 0.1 {
			t.Errorf("%s %s: yellow part %.2f, blue part %.2f", c.styles, c.masks, left, right)
		}
	}
}

// A mask moves along a film, in one pass and in two.
func TestMaskOfFilm(t *testing.T) {
	for _, passes := range []int{1, 2} {
		j := twoStyles(t)
		for i := range 3 {
			if err := photo.Write(fmt.Sprintf("mask-%d.png", i), "", coloured(side, side, halves(8+6*i))); err != nil {
				t.Fatal(err)
			}
		}
		styles := j.Style
		o, _, err := paintFilmOf(t, pan{frames: 3, cut: 100}, func(j *Job, _ *order, _ context.CancelFunc) {
			styles = []string{"blue.png", "yellow.png"}
			j.Style, j.Mask, j.Coherence.Passes = styles, "mask-%d.png", passes
			j.Filter.FrameIterations = 5
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range o.written {
			edge := 8 + 6*i
			if left, right := blueness(f, 0, edge-1), blueness(f, edge+3, side); left > -0.15 || right < 0.05 {
				t.Errorf("%d passes, frame %d: yellow part %.2f, blue part %.2f", passes, i, left, right)
			}
		}
	}
}

func TestMaskErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Job)
		want   string
	}{
		{func(j *Job) { j.Style = []string{"blue.png"} }, "--mask mask.png has 2 colours ([#000000 #cc1a1a]"},
		{func(j *Job) { j.StyleMask = []string{"style-mask.png"} }, "1 --style-mask for 2 --style: give one for each"},
		{func(j *Job) { j.Mask, j.StyleMask = "", []string{"style-mask.png", "style-mask.png"} }, "--style-mask without --mask"},
		{func(j *Job) { j.Style[1] = "yellow.png@2" }, "is a photo and has no time"},
		{func(j *Job) { j.StyleMask = []string{"style-mask.png", "style-mask.png"} }, "--style-mask style-mask.png is 64×32 (2.000 to 1) and the picture 32×32"},
		{func(j *Job) {
			j.Style, j.StyleMask, j.Mask = []string{"both.png"}, []string{"style-mask.png"}, "yellow.png"
		},
			"--mask yellow.png is 32×32"},
	} {
		j := twoStyles(t)
		j.Style = []string{"blue.png", "yellow.png"}
		c.change(j)
		if err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	j := twoStyles(t)
	j.Style, j.StyleMask, j.Mask = []string{"both.png"}, []string{"style-mask.png"}, "other.png"
	if err := photo.Write("other.png", "", coloured(40, 36, func(_, _ int) regionColour { return white })); err != nil {
		t.Fatal(err)
	}
	if err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "frame 0: --mask other.png has the colour #ffffff, and no region has: they are [#000000 #cc1a1a]: paint the mask in these") {
		t.Errorf("error %v, want the colour that no style has", err)
	}
}
