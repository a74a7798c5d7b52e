package coherence

import (
	"math"
	"testing"
)

// meanWeights paints a static scene in the given shares of two styles, and returns the
// mean prior weight of each frame.
func meanWeights(t *testing.T, shares [][]float64) (held []float32) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	mean := func(v []float32) (m float32) {
		for _, x := range v {
			m += x / float32(len(v))
		}
		return m
	}
	for i, s := range shares {
		h.SetShares(s)
		g := h.Guide(content)
		if (g.Start == nil) != (i == 0) {
			t.Fatalf("frame %d of %d begins anew: %v", i, len(shares), g.Start == nil)
		}
		h.Keep(styled(content), nil)
		held = append(held, mean(g.PriorWeight))
	}
	return held
}

func TestPriorYieldsWhileTheStyleChanges(t *testing.T) {
	shares := [][]float64{{1, 0}, {1, 0}, {0.98, 0.02}, {0.95, 0.05}, {0.9, 0.1}}
	for range 120 {
		shares = append(shares, []float64{0.9, 0.1})
	}
	held := meanWeights(t, shares)
	if held[1] < 0.99 {
		t.Errorf("before, a still scene is held by %g", held[1])
	}
	if held[2] > 0.6 || held[2] < 0.4 || held[3] >= held[2] || held[4] > 0.1 {
		t.Errorf("while the styles change it is held by %v", held[2:5])
	}
	for i := 5; i < len(held); i++ {
		if held[i] <= held[i-1] {
			t.Fatalf("frame %d: held by %g after %g", i, held[i], held[i-1])
		}
	}
	if left := (1 - held[4+16]) / (1 - held[4]); math.Abs(float64(left)-1/math.E) > 1e-3 { // --settle says 16 frames
		t.Errorf("16 frames later it is held by %g, at first by %g", held[4+16], held[4])
	}
	if last := held[len(held)-1]; last < 0.99 {
		t.Errorf("120 frames later it is held by %g", last)
	}
}

func TestAbruptStyleStartsScene(t *testing.T) {
	for _, flow := range []string{"medium", "none"} {
		o := DefaultOptions()
		o.Flow = flow
		h, content := historyBy(t, o), scene(96, 64, 0, 0, 1)
		for i, s := range [][]float64{{1, 0}, {1, 0}, {0, 1}, {0, 1}} {
			h.SetShares(s)
			if g := h.Guide(content); (g.Start == nil) != (i%2 == 0) {
				t.Errorf("--flow %s: frame %d begins anew: %v", flow, i, g.Start == nil)
			} else if i == 3 && flow != "none" && g.PriorWeight[48] < 0.99 {
				t.Errorf("what was painted anew is held by %g", g.PriorWeight[48])
			}
			h.Keep(styled(content), nil)
		}
	}
}

// What was occluded does not come back in the old style.
func TestOlderStylesAreForgotten(t *testing.T) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	for range 4 {
		h.SetShares([]float64{1, 0})
		h.Guide(content)
		h.Keep(styled(content), nil)
	}
	if len(h.Analyzer.older) == 0 || len(h.History.older) != len(h.Analyzer.older) {
		t.Fatalf("%d frames are remembered, and what became of %d", len(h.Analyzer.older), len(h.History.older))
	}
	h.SetShares([]float64{0.99, 0.01})
	if len(h.Analyzer.older) != 0 {
		t.Errorf("%d frames of another style are remembered", len(h.Analyzer.older))
	}
	h.Guide(content)
	h.Keep(styled(content), nil)
	if len(h.History.older) != 1 {
		t.Errorf("what became of %d older frames is remembered, want 1", len(h.History.older))
	}
}
