package coherence

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"nstfilter/filter"
)

// scene is a textured picture seen from (dx, dy), in pixels.
func scene(w, h int, dx, dy, seed float64) *filter.Frame {
	f := filter.NewFrame(w, h)
	for p := range 3 {
		for y := range h {
			for x := range w {
				u, v := float64(x)+dx, float64(y)+dy
				s := math.Sin(u/5+seed)*math.Cos(v/7+seed*2) + math.Sin((u+v)/3+seed*3+float64(p)) + math.Sin(u/11-v/4+seed)
				f.Pix[(p*h+y)*w+x] = float32(0.5 + s/8)
			}
		}
	}
	return f
}

// styled stands for a result: another picture, made of the content.
func styled(f *filter.Frame) *filter.Frame {
	pix := make([]float32, len(f.Pix))
	for i, v := range f.Pix {
		pix[i] = 0.9 - 0.5*v
	}
	return f.With(pix)
}

// historian follows a film frame by frame. Its errors end the test.
type historian struct {
	*Analyzer
	*History
	t          *testing.T
	confidence *[]float32 // of the latest frame's Analysis
}

// unmatched is one less the confidence in each pixel of the latest frame.
func (h historian) unmatched() (out []float32) {
	for _, c := range *h.confidence {
		out = append(out, 1-c)
	}
	return out
}

func history(t *testing.T) historian { return historyBy(t, DefaultOptions()) }

func historyBy(t *testing.T, o Options) historian {
	analyzer, err := NewAnalyzer(o, 2)
	if err != nil {
		t.Fatal(err)
	}
	return historian{analyzer, NewHistory(2), t, new([]float32)}
}

func (h historian) Guide(content *filter.Frame) filter.Guide {
	a, err := h.Analyze(content)
	if err != nil {
		h.t.Fatal(err)
	}
	*h.confidence = slices.Clone(a.confidence)
	return h.History.Guide(a)
}

func TestHistoryHoldsWhatStandsStill(t *testing.T) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	if g := h.Guide(content); g.Start != nil || g.Prior != nil {
		t.Fatal("the first frame has a guide")
	}
	h.Keep(styled(content), nil)
	for range 3 {
		g := h.Guide(content)
		for i, v := range g.Start.Pix {
			if want := h.result.Pix[i]; v != want || g.Prior.Pix[i] != want {
				t.Fatalf("sample %d starts at %g and should stay near %g, is %g", i, v, g.Prior.Pix[i], want)
			}
		}
		for i, unmatched := range h.unmatched() {
			if unmatched != 0 || g.PriorWeight[i] < 0.99 {
				t.Fatalf("pixel %d is unmatched by %g and held by %g", i, unmatched, g.PriorWeight[i])
			}
		}
		h.Keep(g.Start, nil)
	}
}

func TestHistoryFollowsAPan(t *testing.T) {
	const w, hgt, step = 128, 96, 3
	h := history(t)
	before, now := scene(w, hgt, 0, 0, 1), scene(w, hgt, step, 0, 1)
	h.Guide(before)
	h.Keep(styled(before), nil)
	g := h.Guide(now)
	if g.Start == nil {
		t.Fatal("a pan was taken for a cut")
	}
	want := styled(now)
	var inner, edge float64
	for y := 8; y < hgt-8; y++ {
		for x := 8; x < w-16; x++ {
			inner += float64(abs32(g.Start.Pix[y*w+x]-want.Pix[y*w+x])) / float64((hgt-16)*(w-24))
		}
		edge += float64(abs32(g.Start.Pix[y*w+w-1]-want.Pix[y*w+w-1])) / float64(hgt-16)
		if unmatched := h.unmatched()[y*w+w-1]; unmatched < 0.9 || g.PriorWeight[y*w+w-1] > 0.1 {
			t.Fatalf("row %d: what entered is unmatched by %g and held by %g", y, unmatched, g.PriorWeight[y*w+w-1])
		}
	}
	if inner > 0.01 {
		t.Errorf("the start is off by %.3f in the mean where the picture moved", inner)
	}
	if edge > 0.25 {
		t.Errorf("the start is off by %.3f where it entered", edge)
	}
	h.Keep(g.Start, nil)
	again := h.Guide(now)
	if a, b := again.PriorWeight[hgt/2*w+w-1], again.PriorWeight[hgt/2*w+w/2]; !(a > 0.03 && a < b) {
		t.Errorf("what entered a frame ago is held by %g, the rest by %g", a, b)
	}
}

func TestHistoryKnowsACutFromAFade(t *testing.T) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	h.Guide(content)
	h.Keep(styled(content), nil)
	for range 10 {
		faded := content.With(append([]float32(nil), content.Pix...))
		for i := range faded.Pix {
			faded.Pix[i] *= 0.92
		}
		g := h.Guide(faded)
		if g.Start == nil {
			t.Fatal("a fade was taken for a cut")
		}
		content = faded
		h.Keep(g.Start, nil)
	}
	h.Guide(content)
	h.Keep(styled(content), nil)
	other := scene(96, 64, 300, 500, 2.5)
	for i := range other.Pix {
		other.Pix[i] = 1 - other.Pix[i]*other.Pix[i]
	}
	if g := h.Guide(other); g.Start != nil {
		t.Error("a cut was not noticed")
	}
}

func TestHistoryOfAnotherSize(t *testing.T) {
	h := history(t)
	content := scene(64, 48, 0, 0, 1)
	h.Guide(content)
	h.Keep(styled(content), nil)
	if g := h.Guide(scene(48, 64, 0, 0, 1)); g.Start != nil {
		t.Error("a start of another size")
	}
	h.Guide(content)
	h.Keep(styled(scene(32, 24, 0, 0, 1)), nil)
	if g := h.Guide(content); g.Start != nil {
		t.Error("a result of another size was kept")
	}
}

// A guide does not depend, by a bit, on the number of threads.
func TestHistoryThreads(t *testing.T) {
	const w, hgt = 150, 97
	guides := func(threads int) (all []filter.Guide) {
		analyzer, err := NewAnalyzer(DefaultOptions(), threads)
		if err != nil {
			t.Fatal(err)
		}
		h := historian{analyzer, NewHistory(threads), t, new([]float32)}
		for i := range 6 {
			content := covered(scene(w, hgt, 2.3*float64(i), 0.4*float64(i), 1), 30+9*i, hgt/2, 14)
			g := h.Guide(content)
			all = append(all, g)
			h.Keep(styled(content), nil)
		}
		return all
	}
	one, five := guides(1), guides(5)
	for i, g := range one[1:] {
		if f := five[i+1]; !reflect.DeepEqual(f.Start, g.Start) || !reflect.DeepEqual(f.Prior, g.Prior) ||
			!slices.Equal(f.PriorWeight, g.PriorWeight) {
			t.Errorf("frame %d has another guide", i+1)
		}
	}
}
