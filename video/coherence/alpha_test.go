package coherence

import (
	"slices"
	"testing"

	"nstfilter/filter"
)

// pane makes f transparent outside the columns from and to, with noise of seed there.
func pane(f *filter.Frame, from, to, seed int) *filter.Frame {
	g := f.With(slices.Clone(f.Pix))
	g.Alpha = make([]float32, f.W*f.H)
	for i := range g.Alpha {
		if x := i % f.W; x >= from && x < to {
			g.Alpha[i] = 1
			continue
		}
		for p := i; p < len(g.Pix); p += f.W * f.H {
			g.Pix[p] = float32(p*seed*7919%251) / 250
		}
	}
	return g
}

// What becomes opaque is unmatched, with flow and without, even if an older frame shows
// it as transparent. What stays opaque is held. What lies under alpha 0 changes nothing.
func TestWhatBecomesOpaqueIsUnmatched(t *testing.T) {
	const w, hgt = 96, 64
	all := scene(w, hgt, 0, 0, 1)
	for _, flow := range []string{"fast", "none"} {
		var starts [][]float32
		for _, seed := range []int{1, 2} {
			o := DefaultOptions()
			o.Flow = flow
			h := historyBy(t, o)
			for i := range 3 {
				content := pane(all, 0, 48, seed+i)
				h.Guide(content)
				h.Keep(pane(styled(all), 0, 48, 2*seed+i), nil)
			}
			content := pane(all, 0, 64, seed)
			g := h.Guide(content)
			if h.unmatched() == nil {
				t.Fatalf("%s: nothing is new", flow)
			}
			for i, unmatched := range h.unmatched() {
				switch x := i % w; {
				case x >= 50 && x < 62 && unmatched < 0.99:
					t.Fatalf("%s: pixel %d, just opaque, is unmatched by %g", flow, i, unmatched)
				case x < 40 && unmatched > 0.01:
					t.Fatalf("%s: pixel %d, long opaque, is unmatched by %g", flow, i, unmatched)
				case x >= 70 && unmatched != 0:
					t.Fatalf("%s: pixel %d, transparent, is unmatched by %g", flow, i, unmatched)
				}
				if g.Prior != nil && unmatched > 0.99 && g.PriorWeight[i] > 0.01 {
					t.Fatalf("%s: pixel %d is new and held by %g", flow, i, g.PriorWeight[i])
				}
			}
			starts = append(starts, g.Start.Filled().Pix)
		}
		if !slices.Equal(starts[0], starts[1]) {
			t.Errorf("%s: what lies under alpha 0 shows in the start", flow)
		}
	}
}
