package coherence

import (
	"math/rand/v2"
	"testing"

	"nstfilter/filter"
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
		if unmatched := h.unmatched()[at]; unmatched < 0.1 != c.remembered {
			t.Errorf("%v: what comes back is unmatched by %g", c.ages, unmatched)
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
		t.Fatal("after a flash the scene was begun anew")
	}
	for i, v := range styled(content).Pix {
		if d := abs32(g.Start.Pix[i] - v); d > 0.01 {
			t.Fatalf("sample %d starts %g from what it was before the flash", i, d)
		}
	}
}
