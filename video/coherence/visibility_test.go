package coherence

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// covered is content behind a disc of radius r at (cx, cy).
func covered(content *filter.Frame, cx, cy, r int) *filter.Frame {
	f := content.With(append([]float32(nil), content.Pix...))
	for y := range f.H {
		for x := range f.W {
			if (x-cx)*(x-cx)+(y-cy)*(y-cy) < r*r {
				for p := range 3 {
					f.Pix[(p*f.H+y)*f.W+x] = 0.9 + 0.1*float32((x/3+y/3)%2)
				}
			}
		}
	}
	return f
}

func TestHistoryRemembersWhatWasHidden(t *testing.T) {
	const w, ht, r = 128, 96, 14
	for _, c := range []struct {
		ages       Ages
		remembered bool
	}{{Ages{1, 2, 4, 8}, true}, {Ages{1}, false}} {
		o := DefaultOptions()
		o.LongTerm = c.ages
		h := historyBy(t, o)
		ground := scene(w, ht, 0, 0, 1)
		r0 := rand.New(rand.NewPCG(1, 2))
		result := ground.With(make([]float32, len(ground.Pix)))
		for i := range result.Pix { // nothing that could be guessed from the content
			result.Pix[i] = r0.Float32()
		}
		h.Guide(ground)
		h.Keep(result, nil)
		hidden := covered(ground, w/2, ht/2, r)
		for range 5 {
			g := h.Guide(hidden)
			painted := hidden.With(append([]float32(nil), g.Start.Pix...))
			for y := ht/2 - r; y < ht/2+r; y++ {
				for x := w/2 - r; x < w/2+r; x++ {
					painted.Pix[y*w+x] = 0.5 // what hides it is painted otherwise
				}
			}
			h.Keep(painted, nil)
		}
		g := h.Guide(ground)
		at := ht/2*w + w/2
		if fresh := h.fresh()[at]; fresh < 0.1 != c.remembered {
			t.Errorf("%v: what comes back is new to %g", c.ages, fresh)
		}
		if c.remembered && !(g.Start.Pix[at]-result.Pix[at] < 0.01 && result.Pix[at]-g.Start.Pix[at] < 0.01) {
			t.Errorf("%v: what comes back starts at %g, it was %g", c.ages, g.Start.Pix[at], result.Pix[at])
		}
	}
}

func TestHistoryKnowsAFlashFromACut(t *testing.T) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	for range 3 {
		h.Guide(content)
		h.Keep(styled(content), nil)
	}
	flash := content.With(append([]float32(nil), content.Pix...))
	for i := range flash.Pix {
		flash.Pix[i] = 1
	}
	if g := h.Guide(flash); g.Start != nil {
		t.Fatal("a flash shows the frame before")
	}
	h.Keep(flash, nil)
	g := h.Guide(content)
	if g.Start == nil {
		t.Fatal("after a flash the scene was begun afresh")
	}
	for i, v := range styled(content).Pix {
		if d := abs32(g.Start.Pix[i] - v); d > 0.01 {
			t.Fatalf("sample %d starts %g from what it was before the flash", i, d)
		}
	}
}

// A pan of fractions of a pixel must not take the detail away, nor make more of it.
func TestSharpenKeepsDetail(t *testing.T) {
	const w, h, steps = 160, 96, 100
	r := rand.New(rand.NewPCG(3, 4))
	texture := filter.NewFrame(w+40, h)
	for i := range texture.Pix {
		texture.Pix[i] = 0.5 + 0.1*float32(r.NormFloat64())
	}
	n, mem := (w+40)*h, newPool(2)
	mem.boxMean(texture.Pix, texture.Pix, w+40, h, 1) // as fine as strokes are
	variance := func(pix []float32) (v float64) {
		dst := make([]float32, n)
		detailEnergy(mem, dst, make([]float32, 3*n), pix, w+40, h)
		for i, e := range dst {
			if x, y := i%(w+40), i/(w+40); x >= 50 && x < w-20 && y >= 10 && y < h-10 {
				v += float64(e)
			}
		}
		return v
	}
	f := flow.NewField(w+40, h)
	for i := range f.U {
		f.U[i], f.V[i] = 0.3, 0.1
	}
	with, without := texture.Pix, texture.Pix
	for range steps {
		moved := make([]float32, 3*n)
		flow.Warp(moved, with, f, 2)
		restoreDetail(mem, moved, with, f)
		with = moved
		moved = make([]float32, 3*n)
		flow.Warp(moved, without, f, 2)
		without = moved
	}
	first := variance(texture.Pix)
	kept, lost := variance(with)/first, variance(without)/first
	if kept < 0.85 || kept > 1.15 {
		t.Errorf("after %d frames %.2f of the detail is there, without sharpening %.2f", steps, kept, lost)
	}
	if lost > 0.8 {
		t.Errorf("without sharpening %.2f is left: the test tells nothing", lost)
	}
}

func TestSharpenLeavesWhatStandsStill(t *testing.T) {
	f := scene(64, 48, 0, 0, 1)
	moved := append([]float32(nil), f.Pix...)
	restoreDetail(newPool(2), moved, f.Pix, flow.NewField(64, 48))
	for i, v := range moved {
		if v != f.Pix[i] {
			t.Fatalf("sample %d changed from %g to %g", i, f.Pix[i], v)
		}
	}
}

func TestFlowFrom(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, w, h int) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := flow.WriteFlo(f, flow.NewField(w, h)); err != nil {
			t.Fatal(err)
		}
	}
	write("forward_0007_0008.flo", 64, 48)
	write("backward_0008_0007.flo", 64, 48)
	write("forward_8_9.flo", 64, 48)
	write("backward_9_8.flo", 32, 20)
	o := DefaultOptions()
	o.FlowFrom = dir
	l, err := NewAnalyzer(o, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "", "backward_9_8.flo is 32×20, the frames are 64×48"} {
		content := scene(64, 48, 0, 0, 1)
		content.Index = i
		o, err := l.Analyze(content)
		if want == "" && (err != nil || o.sceneStart != (i == 0)) {
			t.Errorf("frame %d: %+v, error %v", i, o, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("frame %d: error %v, want %s", i, err, want)
		}
	}
}
