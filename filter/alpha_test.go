package filter

import (
	"math"
	"slices"
	"testing"
)

// holed is a smooth picture that is transparent in a disc and half seen beside it;
// what lies under the disc is made of seed.
func holed(w, h int, seed uint64) *Frame {
	f, under := smooth(w, h, 2), noise(3*w*h, seed)
	f.Alpha = make([]float32, w*h)
	for i := range f.Alpha {
		r := math.Hypot(float64(i%w)-0.4*float64(w), float64(i/w)-0.5*float64(h))
		f.Alpha[i] = float32(min(max((r-0.2*float64(w))/2, 0), 1))
		for p := i; f.Alpha[i] == 0 && p < len(under); p += w * h {
			f.Pix[p] = under[p]
		}
	}
	return f
}

// ways are different options to paint with.
var ways = map[string]func(*Options){
	"adam":          func(*Options) {},
	"adam pyramid":  func(o *Options) { o.Parameters = "pyramid" },
	"lbfgs":         func(o *Options) { o.Optimizer = "lbfgs" },
	"sizes":         func(o *Options) { *o = severalSizes(*o) },
	"covariance":    func(o *Options) { o.StyleLoss = "covariance" },
	"gram+moments":  func(o *Options) { o.StyleLoss = "gram+moments" },
	"shifted":       func(o *Options) { o.StyleLoss = "shifted" },
	"wasserstein":   func(o *Options) { o.StyleLoss = "wasserstein" },
	"random":        func(o *Options) { o.Init = "random" },
	"sum":           func(o *Options) { o.LossScale, o.StyleWeight, o.ContentWeight = "sum", 1e3, Numbers{1e-3} },
	"smaller":       func(o *Options) { o.Size = 31 },
	"style alone":   func(o *Options) { o.ContentLayers = nil },
	"content alone": func(o *Options) { o.StyleLayers, o.Init = nil, "random" },
}

func TestTransparentPixelsTakeNoPart(t *testing.T) {
	const w, h = 47, 38
	for name, change := range ways {
		if testing.Short() && name != "adam pyramid" {
			continue // for the time it takes
		}
		for _, later := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				o := tinyOptions()
				change(&o)
				f := newFilter(t, o, tiny(true), smooth(40, 30, 1))
				run := func(seed uint64) (content, out *Frame) {
					content = holed(w, h, seed)
					g := Guide{}
					if later {
						start := holed(w, h, seed+10)
						g = Guide{Start: start, Prior: start}
					}
					out, _ = paint(t, f, content.With(slices.Clone(content.Pix)), g)
					return content, out
				}
				var losses []float64 // of the last scale
				f.OnProgress = func(p Progress) {
					if p.Scale == p.Scales {
						losses = append(losses, p.Losses.Total)
					}
				}
				content, a := run(5)
				if last := losses[len(losses)-1]; !(last < 1.2*losses[0]) { // Adam alone goes up at first
					t.Errorf("J went from %g to %g", losses[0], last)
				}
				other, b := run(6)
				if !slices.Equal(a.Alpha, content.Alpha) {
					t.Error("alpha has changed")
				}
				moved := 0
				for p := range a.Pix {
					if content.Alpha[p%(w*h)] == 0 {
						if a.Pix[p] != content.Pix[p] || b.Pix[p] != other.Pix[p] {
							t.Fatalf("sample %d is transparent and went from %g to %g", p, content.Pix[p], a.Pix[p])
						}
						continue
					}
					if a.Pix[p] != b.Pix[p] {
						t.Fatalf("sample %d is %g or %g by what lies under alpha 0", p, a.Pix[p], b.Pix[p])
					}
					if a.Pix[p] != content.Pix[p] {
						moved++
					}
				}
				if moved < w*h {
					t.Errorf("only %d samples have moved", moved)
				}
			})
		}
	}
}

func TestTransparentAtAnotherSize(t *testing.T) {
	o := tinyOptions()
	o.Size, o.OutputSize = 31, "work"
	f := newFilter(t, o, tiny(true), smooth(40, 30, 1))
	var results [][]float32
	for seed := range uint64(2) {
		out, _, err := f.Paint(t.Context(), holed(47, 38, seed), Guide{})
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, out.Pix)
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("what lies under alpha 0 shows in a smaller picture")
	}
}

// A picture of alpha 1 and one of little alpha are painted as one without any.
func TestWhatCanBeSeenCountsInFull(t *testing.T) {
	f := newFilter(t, tinyOptions(), tiny(false), smooth(40, 30, 1))
	content := smooth(37, 29, 2)
	want, _ := paint(t, f, content, Guide{})
	for _, alpha := range []float32{1, 1. / 255} {
		content.Alpha = slices.Repeat([]float32{alpha}, 37*29)
		if got, _ := paint(t, f, content, Guide{}); !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("alpha %g changes the colours", alpha)
		}
	}
	// Nor does a mask of the frame before stay.
	paint(t, f, holed(37, 29, 1), Guide{})
	if got, _ := paint(t, f, content, Guide{}); !slices.Equal(got.Pix, want.Pix) {
		t.Error("a transparent picture changes the next")
	}
}

func TestWhollyTransparent(t *testing.T) {
	content := smooth(37, 29, 2)
	content.Alpha = make([]float32, 37*29)
	f := newFilter(t, tinyOptions(), tiny(false), smooth(40, 30, 1))
	out, report := paint(t, f, content, Guide{})
	if !slices.Equal(out.Pix, content.Pix) || report.Stopped != "transparent" || report.Iterations != 0 {
		t.Errorf("%s after %d iterations", report.Stopped, report.Iterations)
	}
	if _, err := New(tinyOptions(), f.e, f.network.Network, []*Frame{content}); err == nil {
		t.Error("a style that shows nothing was taken")
	}
	// A corner pixel, which pooling drops, is painted without a NaN.
	content.Alpha[37*29-1] = 1
	out, _ = paint(t, f, content, Guide{})
	for i, v := range out.Pix {
		if i%(37*29) != 37*29-1 && v != content.Pix[i] {
			t.Fatalf("sample %d is transparent and changed", i)
		}
	}
}

func TestTransparentStyle(t *testing.T) {
	content := smooth(37, 29, 2)
	for _, scale := range []string{"mean", "sum"} {
		run := func(style *Frame) []float32 {
			o := tinyOptions()
			o.LossScale = scale
			out, _ := paint(t, newFilter(t, o, tiny(false), style), content, Guide{})
			return out.Pix
		}
		a := run(holed(40, 30, 5))
		if !slices.Equal(a, run(holed(40, 30, 6))) {
			t.Errorf("%s: what lies under a style's alpha 0 is painted with", scale)
		}
		if opaque := holed(40, 30, 5); slices.Equal(a, run(NewFrame(40, 30).With(opaque.Pix))) {
			t.Errorf("%s: a style's alpha changes nothing", scale)
		}
	}
}

// A flat picture stays flat up to the edge of a hole with something else in it.
func TestFilled(t *testing.T) {
	f := holed(41, 23, 9)
	for i, v := range f.Alpha {
		for p := i; v > 0 && p < len(f.Pix); p += 41 * 23 {
			f.Pix[p] = 0.25
		}
	}
	for i, v := range f.Filled().Pix {
		if math.Abs(float64(v-0.25)) > 1e-6 {
			t.Fatalf("%g at %d, want 0.25", v, i)
		}
	}
	f.Alpha = nil
	if f.Filled() != f {
		t.Error("an opaque frame is copied")
	}
}
