package filter

import (
	"math"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter/engine"
)

// halves are the maps of a left and a right half with a soft border that is not straight.
func halves(w, h int) [][]float32 {
	left, right := make([]float32, w*h), make([]float32, w*h)
	for i := range left {
		d := float64(i%w) - 0.5*float64(w) + 2*math.Sin(0.3*float64(i/w))
		right[i] = float32(min(max(d/4+0.5, 0), 1))
		left[i] = 1 - right[i]
	}
	return [][]float32{left, right}
}

// in returns a picture with maps.
func in(f *Frame, maps ...[]float32) *Frame {
	g := *f
	g.Regions = maps
	return &g
}

// only returns a style for region r of two, from 1.
func only(f *Frame, r int) *Frame {
	maps := make([][]float32, 2)
	maps[r-1] = f.Everywhere()
	return in(f, maps...)
}

// One region that is all of the picture is painted as a picture without regions, and so is one
// that two regions of one style share.
func TestRegionsOfOneStyle(t *testing.T) {
	content, style := smooth(37, 29, 2), smooth(40, 30, 1)
	for name, change := range ways {
		if testing.Short() && name != "sizes" {
			continue // for the time it takes
		}
		if name == "style alone" || name == "content alone" || name == "sum" {
			continue
		}
		o := tinyOptions()
		change(&o)
		want, plain := paint(t, newFilter(t, o, tiny(true), style), content, Guide{})
		one, report := paint(t, newFilter(t, o, tiny(true), in(style, style.Everywhere())), in(content, content.Everywhere()), Guide{})
		near(t, name+": one region", one, want, 50)
		check(t, name+": J of one region", report.Losses.Total, plain.Losses.Total)
		two, _ := paint(t, newFilter(t, o, tiny(true), only(style, 1), only(style, 2)), in(content, halves(37, 29)...), Guide{})
		near(t, name+": two regions of one style", two, want, 25)
	}
}

// near reports a result that is less than so many dB from another.
func near(t *testing.T, what string, got, want *Frame, least float64) {
	t.Helper()
	sum := 0.
	for i, v := range want.Pix {
		sum += math.Pow(float64(got.Pix[i]-v), 2)
	}
	if psnr := -10 * math.Log10(sum/float64(len(want.Pix))); !(psnr >= least) {
		t.Errorf("%s: %.1f dB, at least %g wanted", what, psnr, least)
	}
}

// A style's region has the moments of what its map shows, and a blend in a region those of the
// styles that are for it, by their shares.
func TestTargetsByRegion(t *testing.T) {
	s, a, b, c := size{37, 29}, smooth(40, 30, 1), smooth(30, 40, 5), smooth(34, 34, 7)
	maps := halves(40, 30)
	left := in(a, maps[0], nil)
	f := newFilter(t, severalSizes(tinyOptions()), tiny(true), left, only(b, 1), only(c, 2))
	targets, err := f.styleTargets(f.network, s, s, engine.FP32, []float64{0.3, 0.1, 0.6})
	if err != nil {
		t.Fatal(err)
	}
	of := func(style *Frame, map0 []float32) []map[string]styleTarget {
		g := newFilter(t, severalSizes(tinyOptions()), tiny(true), style)
		if map0 != nil {
			g = newFilter(t, severalSizes(tinyOptions()), tiny(true), in(style, map0))
		}
		out, err := g.styleTargets(g.network, s, s, engine.FP32, []float64{1})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first, second, third := of(a, maps[0]), of(b, nil), of(c, nil)
	for k := range targets {
		for _, name := range []string{"relu1_1", "relu2_1"} {
			for i, v := range targets[k][name+" in region 1"].gram {
				want := 0.75*first[k][name+" in region 1"].gram[i] + 0.25*second[k][name].gram[i]
				check(t, name+" of the blend", float64(v), float64(want))
			}
			two := targets[k][name+" in region 2"]
			if want := third[k][name]; !slices.Equal(two.gram, want.gram) || two.lambda != want.lambda {
				t.Errorf("%s, size %d: the region of one style has another target than the style alone", name, k)
			}
		}
	}
}

// A picture of two flat halves gives each of two regions the moments of its half.
func TestPartsOfOneStyle(t *testing.T) {
	flat := func(w, h int, v float32) *Frame {
		f := NewFrame(w, h)
		for i := range f.Pix {
			f.Pix[i] = v
		}
		return f
	}
	style := flat(80, 60, 0.1)
	maps := halves(80, 60)
	for i := range style.Pix {
		style.Pix[i] += 0.8 * maps[1][i%(80*60)]
	}
	s := size{74, 58}
	for _, scale := range []string{"mean", "sum"} {
		o := tinyOptions()
		o.LossScale = scale
		targetsOf := func(style *Frame) map[string]styleTarget {
			f := newFilter(t, o, tiny(false), style)
			targets, err := f.styleTargets(f.network, s, s, engine.FP32, []float64{1})
			if err != nil {
				t.Fatal(err)
			}
			return targets[0]
		}
		dark, light, got := targetsOf(flat(80, 60, 0.1)), targetsOf(flat(80, 60, 0.9)), targetsOf(in(style, maps...))
		for _, name := range []string{"relu1_1", "relu2_1"} {
			for r, halves := range [][2]map[string]styleTarget{{dark, light}, {light, dark}} {
				mean := got[name+" in region "+string(rune('1'+r))].mean
				own, other := apart(mean, halves[0][name].mean), apart(mean, halves[1][name].mean)
				if own > other/5 {
					t.Errorf("%s %s: region %d is %.2g from the mean of its half, and %.2g from that of the other", scale, name, r+1, own, other)
				}
			}
		}
	}
}

// apart is ‖a − b‖.
func apart(a, b []float32) float64 {
	sum := 0.
	for i := range a {
		sum += math.Pow(float64(a[i]-b[i]), 2)
	}
	return math.Sqrt(sum)
}

// Where no region is, no style pulls.
func TestInNoRegion(t *testing.T) {
	const w, h = 64, 48
	content, style := smooth(w, h, 2), smooth(40, 30, 1)
	right := halves(w, h)[1]
	out, _ := paint(t, newFilter(t, severalSizes(tinyOptions()), tiny(false), in(style, style.Everywhere())), in(content, right), Guide{})
	var moved, total [2]float64 // in no region, in the region
	for i, v := range content.Pix {
		r := int(right[i%(w*h)] + 0.5)
		moved[r] += math.Abs(float64(out.Pix[i] - v))
		total[r]++
	}
	if left, right := moved[0]/total[0], moved[1]/total[1]; left > right/2 {
		t.Errorf("the picture moves by %g in the mean in no region, and by %g in one", left, right)
	}
}

// Regions of one style have together the weight that it has in the whole picture, each by what
// the mask shows of it.
func TestRegionsHaveTheWeightOfTheirArea(t *testing.T) {
	style, s := smooth(40, 30, 1), size{37, 29}
	o := severalSizes(tinyOptions())
	_, whole := objectiveOf(t, newFilter(t, o, tiny(true), style), s)
	f := newFilter(t, o, tiny(true), only(style, 1), only(style, 2))
	w, parts := objectiveOf(t, f, s)
	for k := range parts.parts {
		sum := map[int]float64{}
		for i, l := range parts.parts[k].layers {
			sum[l.Layer] += parts.parts[k].terms[i].Style
		}
		for i, l := range whole.parts[k].layers {
			if want := whole.parts[k].terms[i].Style; math.Abs(sum[l.Layer]-want) > 1e-5*want {
				t.Errorf("%s at size %d: the regions have the weight %g together, the whole has %g", l.name, k, sum[l.Layer], want)
			}
		}
	}
	mask := halves(w.size.w, w.size.h)[0]
	w.setMask(mask, [][]float32{mask, slices.Repeat([]float32{0.25}, len(mask))})
	squares := 0.
	for _, v := range mask {
		squares += float64(v) * float64(v)
	}
	check(t, "a region that is the mask", w.areas[1], squares/engine.Total(mask))
	check(t, "a quarter of everything", w.areas[2], 0.25)
}

// Each region gets the colours of its style, in the start and in the end; a region that a frame
// does not have changes nothing.
func TestColoursByRegion(t *testing.T) {
	const w, h = 64, 48
	dark, light, content := NewFrame(40, 30), NewFrame(30, 40), smooth(w, h, 2)
	for i := range dark.Pix {
		dark.Pix[i], light.Pix[i] = 0.3*smooth(40, 30, 1).Pix[i], 0.7+0.3*smooth(30, 40, 5).Pix[i]
	}
	maps := halves(w, h)
	f := newFilter(t, severalSizes(tinyOptions()), tiny(true), only(dark, 1), only(light, 2))
	start := f.recoloured(in(content, maps...), f.shares(), size{w, h})
	out, _ := paint(t, f, in(content, maps...), Guide{})
	for r, style := range []*Frame{dark, light} {
		want := coloursOf(style.Pix, nil)
		for i := range want.mean {
			if got := coloursOf(start, maps[r]).mean[i]; math.Abs(got-want.mean[i]) > 0.05 {
				t.Errorf("region %d starts with the mean %.2f, its style has %.2f", r+1, got, want.mean[i])
			}
			if got := coloursOf(out.Pix, maps[r]).mean[i]; math.Abs(got-want.mean[i]) > 0.05 {
				t.Errorf("region %d ends with the mean %.2f, its style has %.2f", r+1, got, want.mean[i])
			}
		}
	}
	all, _ := paint(t, f, in(content, content.Everywhere(), make([]float32, w*h)), Guide{})
	alone, _ := paint(t, newFilter(t, severalSizes(tinyOptions()), tiny(true), dark), content, Guide{})
	near(t, "beside an empty region", all, alone, 50)
	for _, loss := range []string{"covariance", "gram+moments", "shifted", "wasserstein"} {
		o := severalSizes(tinyOptions())
		o.StyleLoss = loss
		f := newFilter(t, o, tiny(true), only(dark, 1), only(light, 2))
		paint(t, f, in(content, content.Everywhere(), make([]float32, w*h)), Guide{}) // whose J is finite
	}
}

// A film's regions move: what a frame leaves behind in the filter does not decide the next.
func TestRegionsMove(t *testing.T) {
	styles := []*Frame{only(smooth(40, 30, 1), 1), only(smooth(30, 40, 5), 2)}
	content := smooth(37, 29, 2)
	there := halves(37, 29)
	here := [][]float32{there[1], there[0]}
	f := newFilter(t, severalSizes(tinyOptions()), tiny(true), styles...)
	paint(t, f, in(content, there...), Guide{Start: content})
	got, _ := paint(t, f, in(content, here...), Guide{Start: content})
	want, _ := paint(t, newFilter(t, severalSizes(tinyOptions()), tiny(true), styles...), in(content, here...), Guide{Start: content})
	if !slices.Equal(got.Pix, want.Pix) {
		t.Error("the regions of the frame before change the next")
	}
}

// Regions under alpha: what lies under alpha 0 changes nothing in any of them.
func TestTransparentPixelsOfRegions(t *testing.T) {
	f := newFilter(t, severalSizes(tinyOptions()), tiny(true), only(smooth(40, 30, 1), 1), only(smooth(30, 40, 5), 2))
	var results [][]float32
	for seed := range uint64(2) {
		content := holed(47, 38, seed)
		out, _ := paint(t, f, in(content, halves(47, 38)...), Guide{})
		for i := range out.Pix {
			if content.Alpha[i%(47*38)] == 0 {
				out.Pix[i] = 0
			}
		}
		results = append(results, out.Pix)
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("what lies under alpha 0 shows")
	}
}

func TestRegionsTakeMemory(t *testing.T) {
	style := smooth(40, 30, 1)
	var before int64
	for _, regions := range []int{0, 1, 4} {
		maps := slices.Repeat([][]float32{style.Everywhere()}, regions)
		p, err := newFilter(t, tinyOptions(), tiny(true), in(style, maps...)).Plan(400, 300)
		if err != nil {
			t.Fatal(err)
		}
		if p.Memory < before+4*5*400*300*int64(regions/2) {
			t.Errorf("%d regions take %d bytes, fewer %d", regions, p.Memory, before)
		}
		before = p.Memory
	}
}

func TestWrongRegions(t *testing.T) {
	style, content := smooth(40, 30, 1), smooth(37, 29, 2)
	short, beyond, nan := style.Everywhere()[1:], style.Everywhere(), style.Everywhere()
	beyond[41], nan[7] = 1.5, float32(math.NaN())
	hidden := in(style, style.Everywhere())
	hidden.Alpha = make([]float32, 40*30)
	hidden.Alpha[0], hidden.Regions[0][0] = 1, 0
	for want, styles := range map[string][]*Frame{
		"style 2 has 1 regions and another has 2":    {only(style, 1), in(style, style.Everywhere())},
		"style 1: the map of region 1 has 1199":      {in(style, short)},
		"region 1 at pixel (1, 1) is 1.5":            {in(style, beyond)},
		"region 1 at pixel (7, 0) is NaN":            {in(style, nan)},
		"no style is for region 2":                   {only(style, 1), only(style, 1)},
		"style 1 shows nothing of region 1":          {hidden},
		"style 2 shows nothing of region 1: its map": {only(style, 1), in(style, make([]float32, 40*30), style.Everywhere())},
	} {
		if _, err := New(tinyOptions(), newFilter(t, tinyOptions(), tiny(false), style).e, tiny(false), styles); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f := newFilter(t, tinyOptions(), tiny(false), only(style, 1), only(style, 2))
	all := content.Everywhere()
	for want, c := range map[string]struct {
		maps   [][]float32
		shares []float64
	}{
		"frame 0: the picture has 0 regions and the styles 2": {nil, nil},
		"region 2 of the picture has no map":                  {[][]float32{all, nil}, nil},
		"region 1 has 1200 weights for 37×29":                 {[][]float32{style.Everywhere(), all}, nil},
		"the regions overlap: their weights at pixel (0, 0)":  {[][]float32{all, all}, nil},
		"all styles of region 2 have the share 0":             {halves(37, 29), []float64{1, 0}},
	} {
		if _, _, err := f.Paint(t.Context(), in(content, c.maps...), Guide{Shares: c.shares}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := newFilter(t, tinyOptions(), tiny(false), style).Paint(t.Context(), in(content, all), Guide{}); err == nil {
		t.Error("regions without a style for them were taken")
	}
}
