package coherence

import (
	"testing"

	"nstfilter/filter"
)

func newTestMultipass(t *testing.T) *Multipass {
	m, err := NewMultipass(DefaultOptions(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// uniform is a result of one value.
func uniform(f *filter.Frame, v float32) *filter.Frame {
	pix := make([]float32, len(f.Pix))
	for i := range pix {
		pix[i] = v
	}
	return f.With(pix)
}

func TestMultipassBlendsWhereConfident(t *testing.T) {
	const w, h, step = 128, 96, 3
	now, after := scene(w, h, 0, 0, 1), scene(w, h, step, 0, 1)
	f := &PaintedFrame{Content: now, Result: uniform(now, 0.25), Margin: []float32{1}}
	m := &PaintedFrame{Content: after, Result: uniform(after, 0.75)}
	g, err := newTestMultipass(t).Guide(f, m)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Margin) != 1 {
		t.Errorf("the margin is %v", g.Margin)
	}
	at := h/2*w + w/2
	if v := g.Start.Pix[at]; !(v > 0.49 && v < 0.76) || abs32(g.Prior.Pix[at]-0.75) > 0.001 || g.PriorWeight[at] < 0.99 {
		t.Errorf("starts at %g, near %g by %g", v, g.Prior.Pix[at], g.PriorWeight[at])
	}
	// The neighbour does not show what leaves the picture.
	at = h / 2 * w
	if g.Start.Pix[at] != 0.25 || g.PriorWeight[at] != 0 {
		t.Errorf("what leaves starts at %g, held by %g", g.Start.Pix[at], g.PriorWeight[at])
	}
}

func TestMultipassBetweenTwo(t *testing.T) {
	const w, h, step = 128, 96, 3
	before, now, after := scene(w, h, -step, 0, 1), scene(w, h, 0, 0, 1), scene(w, h, step, 0, 1)
	f := &PaintedFrame{Content: now, Result: uniform(now, 0.5)}
	g, err := newTestMultipass(t).Guide(f, &PaintedFrame{Content: before, Result: uniform(before, 0.2)}, &PaintedFrame{Content: after, Result: uniform(after, 0.6)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x             int
		prior, weight float32
	}{{w / 2, 0.4, 2}, {0, 0.2, 1}, {w - 1, 0.6, 1}} {
		at := h/2*w + c.x
		if abs32(g.Prior.Pix[at]-c.prior) > 0.02 || abs32(g.PriorWeight[at]-c.weight) > 0.1 {
			t.Errorf("column %d stays near %g by %g, want %g by %g", c.x, g.Prior.Pix[at], g.PriorWeight[at], c.prior, c.weight)
		}
	}
}

func TestHistoryReplace(t *testing.T) {
	h := history(t)
	content := scene(96, 64, 0, 0, 1)
	for i := range 4 {
		f := *content
		f.Index = i
		h.Guide(&f)
		h.Keep(styled(&f), []float32{0})
	}
	for i := range 4 {
		f := uniform(content, float32(i)/255)
		f.Index = i
		h.Replace(f, []float32{float32(i)})
	}
	g := h.Guide(content)
	if v := g.Start.Pix[0]; v != 3./255 || g.Margin[0] != 3 {
		t.Errorf("starts at %g with a margin of %g", v, g.Margin[0])
	}
	for _, p := range h.History.older {
		if got := p.pix[0]; int(got) != p.head.Index {
			t.Errorf("frame %d is remembered as %d", p.head.Index, got)
		}
	}
	if len(h.History.older) != 3 {
		t.Errorf("what became of %d older frames", len(h.History.older))
	}
}
