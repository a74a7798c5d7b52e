package coherence

import (
	"slices"
	"testing"

	"nstfilter/filter"
)

// divided returns f in two regions: one on the left of edge, and the other.
func divided(f *filter.Frame, edge int) *filter.Frame {
	g := *f
	g.Regions = [][]float32{make([]float32, f.W*f.H), make([]float32, f.W*f.H)}
	for i := range f.W * f.H {
		r := 0
		if i%f.W >= edge {
			r = 1
		}
		g.Regions[r][i] = 1
	}
	return &g
}

// column is the mean over one column of a map of w columns.
func column(m []float32, w, x int) (mean float32) {
	for i := x; i < len(m); i += w {
		mean += m[i] / float32(len(m)/w)
	}
	return mean
}

// Where a mask moves over what stands still, nothing of the old style holds; all else holds as
// without a mask.
func TestRegionsThatMoveReleaseResults(t *testing.T) {
	const w, step = 96, 8
	h := history(t)
	still := scene(w, 64, 0, 0, 1)
	for i := range 5 {
		edge := 20 + step*i
		g := h.Guide(divided(still, edge))
		h.Keep(styled(still), nil)
		if i == 0 {
			continue
		}
		for x := range w {
			held := column(g.PriorWeight, w, x)
			if came := x >= edge-step && x < edge; came && held > 0.15 {
				t.Errorf("frame %d: column %d came into another region and is held by %g", i, x, held)
			} else if away := x < 12 || x >= edge+2; away && held < 0.99 {
				t.Errorf("frame %d: column %d is held by %g", i, x, held)
			}
		}
	}
}

// A mask that follows a pan, to a pixel, changes nothing.
func TestRegionsThatFollowHold(t *testing.T) {
	const w = 96
	with, without := history(t), history(t)
	for i := range 6 {
		f := scene(w, 64, 2*float64(i), 0, 1)
		g, plain := with.Guide(divided(f, 60-2*i+i%2)), without.Guide(f)
		with.Keep(styled(f), nil)
		without.Keep(styled(f), nil)
		if !slices.Equal(g.PriorWeight, plain.PriorWeight) {
			t.Errorf("frame %d: held otherwise than without a mask", i)
		}
	}
}

// What was hidden comes back in its old style only if its region is the same.
func TestRegionsOfWhatWasHidden(t *testing.T) {
	for _, c := range []struct {
		edge int // once it comes back
		held bool
	}{{20, true}, {80, false}} {
		h := history(t)
		still := scene(96, 64, 0, 0, 1)
		for i := range 6 {
			f, edge := still, 20
			if i == 3 || i == 4 {
				f = covered(still, 50, 32, 12)
			}
			if i >= 4 {
				edge = c.edge
			}
			h.Guide(divided(f, edge))
			h.Keep(styled(f), nil)
		}
		if held := (*h.confidence)[32*96+50]; held > 0.9 != c.held {
			t.Errorf("edge at %d: confidence %g in what comes back", c.edge, held)
		}
	}
}

// A pass takes nothing from a neighbour's result in another style.
func TestRegionsOfNeighbours(t *testing.T) {
	const w = 96
	m, err := NewMultipass(DefaultOptions(), 2)
	if err != nil {
		t.Fatal(err)
	}
	still := scene(w, 64, 0, 0, 1)
	painted := func(edge int) *PaintedFrame {
		f := divided(still, edge)
		return &PaintedFrame{Frame: f, Content: f, Result: styled(f)}
	}
	g, err := m.Guide(painted(60), painted(30))
	if err != nil {
		t.Fatal(err)
	}
	if in, out := column(g.PriorWeight, w, 45), column(g.PriorWeight, w, 80); in > 0.01 || out < 0.99 {
		t.Errorf("held by %g in what came into another region, by %g elsewhere", in, out)
	}
}

// A pixel has the region with most weight; what belongs to none for the most part has none.
func TestLabels(t *testing.T) {
	f := filter.NewFrame(4, 1)
	f.Regions = [][]float32{{1, 0.4, 0, 0.3}, {0, 0.6, 0.2, 0.2}}
	if got, want := labels(newPool(1), f), []uint8{0, 1, noRegion, noRegion}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := labels(newPool(1), filter.NewFrame(4, 1)); got != nil {
		t.Errorf("%v of a frame without regions", got)
	}
}

// What comes into sight in a region starts in the colours of that region's style alone.
func TestRegionsFillFromTheirOwn(t *testing.T) {
	const w, h, edge = 64, 32, 30
	content := divided(scene(w, h, 0, 0, 1), edge)
	warped, confidence := slices.Clone(content.Pix), make([]float32, w*h)
	for i := range warped { // one style is darker than the picture, the other lighter
		if i%w < edge {
			warped[i] -= 0.2
		} else {
			warped[i] += 0.2
		}
	}
	for i := range confidence {
		if x := i % w; x < edge-8 || x >= edge+8 {
			confidence[i] = 1
		}
	}
	start := fillDisoccluded(newPool(2), warped, content, confidence)
	for i, v := range start {
		if d := v - warped[i]; d > 0.02 || d < -0.02 {
			t.Fatalf("sample %d at column %d starts as %.2f, want %.2f", i, i%w, v, warped[i])
		}
	}
	for i := range confidence { // nothing is known of one region: it starts as the picture
		if i%w >= edge {
			confidence[i] = 0
		}
	}
	start = fillDisoccluded(newPool(2), warped, content, confidence)
	for i, v := range start {
		if x := i % w; x >= edge && v != content.Pix[i] {
			t.Fatalf("sample %d of a region without a result starts as %.2f, the picture is %.2f", i, v, content.Pix[i])
		}
	}
}
