//go:build cgo

package cpu

import (
	"fmt"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
	"nstfilter/weights"
)

// compileTiles is Compile with the tiles chosen.
func compileTiles(t testing.TB, e *Engine, s engine.Spec, columns, rows int) *Evaluator {
	p := planTiles(s, e.shape(s.Precision), e.threads, tiling.Cut(s, align, columns, rows))
	ev, err := e.evaluator(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ev.Close)
	return ev
}

// A tile's activations have the bits of the whole picture's. Sums are made in
// another order, of numbers that differ in the last place: 1e-5 leaves room.
const tileTolerance = 1e-5

func TestTiles(t *testing.T) {
	deep, shallow := network(7, tiny...), network(5, []int{9}, []int{12, 20})
	for _, c := range []struct {
		network       *weights.Network
		w, h          int
		columns, rows int
		pooling       weights.Pooling
		taps          []engine.Tap
		metric        bool
	}{
		{deep, 170, 150, 3, 2, weights.AveragePooling, taps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), true},
		{deep, 67, 261, 1, 5, weights.MaxPooling, taps(0, 2, 4, 7, 9), true},
		{deep, 261, 67, 3, 1, weights.AveragePooling, taps(0, 2, 4, 7, 9), false},
		{deep, 193, 65, 9, 9, weights.MaxPooling, taps(1, 3, 6, 9), true}, // a core of one pixel
		{deep, 143, 141, 2, 2, weights.AveragePooling, taps(9), false},
		{deep, 77, 91, 3, 3, weights.AveragePooling, taps(1, 3), true},
		{shallow, 71, 50, 5, 4, weights.MaxPooling, taps(0, 2), true},
		{shallow, 50, 71, 3, 7, weights.AveragePooling, taps(0, 1, 2), false},
		{shallow, 33, 40, 8, 9, weights.AveragePooling, taps(0), true},
	} {
		s := engine.Spec{Network: c.network, Pooling: c.pooling, Taps: c.taps, W: c.w, H: c.h}
		metrics := make([][]float32, len(s.Taps))
		for i, tap := range s.Taps {
			if c.metric && i%2 == 0 {
				metrics[i] = positive(uint64(30+i), s.Network.Layers[tap.Layer].Out)
			}
		}
		for _, eng := range engines(t, 2) {
			if eng.isa == "wide" && c.w*c.h > 10000 {
				continue // for the time it takes
			}
			t.Run(fmt.Sprintf("%dx%d in %dx%d %s %s", c.w, c.h, c.columns, c.rows, c.pooling, eng.isa), func(t *testing.T) {
				testTilesEqualWhole(t, eng, s, c.columns, c.rows, metrics)
			})
		}
	}
}

// testTilesEqualWhole compares an evaluator in tiles with one of the whole picture.
func testTilesEqualWhole(t *testing.T, eng *Engine, s engine.Spec, columns, rows int, metrics [][]float32) {
	x, y := uniform(1, 3*s.W*s.H), uniform(2, 3*s.W*s.H)
	gs := gradients(s)
	whole, tiled := compile(t, eng, s), compileTiles(t, eng, s, columns, rows)
	if len(tiled.tiles) < 2 {
		t.Fatalf("%d tiles", len(tiled.tiles))
	}
	near := func(what string, err float64) {
		t.Helper()
		if !(err <= tileTolerance) {
			t.Errorf("%s: relative L2 error %.2e", what, err)
		}
	}
	vectors := func(e *Evaluator) (px, dx engine.Vector) {
		e.Forward(upload(e, y))
		e.SetContent(metrics)
		return upload(e, x), upload(e, uniform(3, len(x)))
	}
	wx, wdx := vectors(whole)
	tx, tdx := vectors(tiled)
	want, got := whole.Forward(wx), tiled.Forward(tx)
	for i, m := range got {
		name := s.Network.Layers[s.Taps[i].Layer].Tap()
		near(name+" Gram", relative(m.Gram, doubles(want[i].Gram)))
		near(name+" mean", relative(m.Mean, doubles(want[i].Mean)))
		near(name+" content", relative([]float64{m.Content}, []float64{want[i].Content}))
	}
	compare := func(what string, g []engine.Gradient) {
		t.Helper()
		whole.Backward(wdx, g)
		tiled.Backward(tdx, g)
		near(what, relative(download(tdx, tiled), doubles(download(wdx, whole))))
	}
	compare("gradient", gs)
	compare("gradient again", gs)
	for i := range gs {
		if eng.isa != ISAs()[0] {
			break // too
		}
		only := make([]engine.Gradient, len(gs))
		only[i].Gram, only[i].Mean = gs[i].Gram, gs[i].Mean
		compare(fmt.Sprintf("gradient of style %d", i), only)
		only[i] = engine.Gradient{Content: 1}
		compare(fmt.Sprintf("gradient of content %d", i), only)
	}
	// At its own content a picture has none, forward and back.
	tiled.SetContent(metrics)
	tiled.Backward(tdx, gs)
	before := slices.Clone(download(tdx, tiled))
	for i, m := range tiled.Forward(tx) {
		if m.Content != 0 {
			t.Errorf("tap %d: content at the target itself is %g", i, m.Content)
		}
	}
	tiled.Backward(tdx, gs)
	if !slices.Equal(before, download(tdx, tiled)) {
		t.Error("Backward after SetContent differs from Backward after Forward")
	}
}

// positive makes a definite M: an indefinite one's content cancels out, digits and all.
func positive(seed uint64, n int) []float32 {
	m := symmetric(seed, n)
	for i := range n {
		m[i*n+i] += float32(2 * n)
	}
	return m
}

func doubles(v []float32) (out []float64) {
	for _, x := range v {
		out = append(out, float64(x))
	}
	return out
}

func TestTilesWithinMemory(t *testing.T) {
	s := engine.Spec{Network: network(7, slim...), Pooling: weights.AveragePooling, W: 1500, H: 1001}
	s.Taps = gatysTaps(t, s.Network)
	for _, eng := range engines(t, 2) {
		free := eng.Memory(s)
		last := eng.Overhead(s)
		if last != 1 {
			t.Errorf("%s: the overhead without a limit is %g", eng.isa, last)
		}
		for _, share := range []float64{0.8, 0.5, 0.3} {
			s.Memory = int64(share * float64(free))
			if m := eng.Memory(s); m > s.Memory || float64(m) < 0.5*float64(s.Memory) {
				t.Errorf("%s: %d bytes within %d", eng.isa, m, s.Memory)
			}
			if o := eng.Overhead(s); o <= last {
				t.Errorf("%s: an overhead of %g, %g with more memory", eng.isa, o, last)
			} else {
				last = o
			}
		}
		s.Memory = 1
		if m := eng.Memory(s); m <= 1 {
			t.Errorf("%s: all fits in %d bytes", eng.isa, m)
		}
		s.Memory = 0
	}
}
