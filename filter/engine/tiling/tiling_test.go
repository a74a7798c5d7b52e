package tiling

import (
	"fmt"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// spec of a network of one convolution, then blocks of two.
func spec(blocks, w, h int) engine.Spec {
	n := &weights.Network{Layers: []weights.Layer{{Block: 1, Index: 1}}}
	for b := 2; b <= blocks; b++ {
		n.Layers = append(n.Layers, weights.Layer{Block: b, Index: 1}, weights.Layer{Block: b, Index: 2})
	}
	return engine.Spec{Network: n, Taps: []engine.Tap{{Layer: len(n.Layers) - 1}}, W: w, H: h}
}

// Cores cover each layer once, and a window holds what its core sees.
func TestCut(t *testing.T) {
	for _, c := range []struct{ blocks, w, h, align, columns, lines int }{
		{3, 170, 150, 4, 3, 2}, {3, 67, 261, 2, 1, 9}, {1, 33, 40, 1, 8, 9}, {5, 300, 17, 4, 4, 1}, {2, 71, 50, 1, 71, 50},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := spec(c.blocks, c.w, c.h)
			tiles := Cut(s, c.align, c.columns, c.lines)
			w, h := engine.Sizes(s)
			pools := 0
			for i := range s.Network.Layers {
				if s.Network.Layers[i].Pooled() {
					pools++
				}
				// How far a position of the last layer sees in this one.
				sees, step := 0, 1
				for k := i + 1; k < len(w); k++ {
					if s.Network.Layers[k].Pooled() {
						step *= 2
					}
					sees += step
				}
				covered := make([]int, w[i]*h[i])
				for _, y := range tiles.Rows {
					for _, x := range tiles.Columns {
						if x.From%(c.align<<pools) != 0 || y.From%(c.align<<pools) != 0 {
							t.Fatalf("a window of layer %d begins at %d, %d", i, x.From, y.From)
						}
						r := CoreAt(x.Local(), y.Local(), pools)
						left, top := x.From>>pools, y.From>>pools
						for p := range r.W * r.H {
							covered[(top+r.Y+p/r.W)*w[i]+left+r.X+p%r.W]++
						}
						if r.W == 0 {
							continue
						}
						if r.X < min(sees, left+r.X) || (x.To>>pools)-left < min(r.X+r.W+sees, w[i]-left) {
							t.Errorf("layer %d: window %v does not hold the %d positions that its core sees", i, x, sees)
						}
					}
				}
				for p, n := range covered {
					if n != 1 {
						t.Fatalf("layer %d: %d cores at position %d", i, n, p)
					}
				}
			}
		})
	}
}

func TestBest(t *testing.T) {
	s := spec(3, 500, 300)
	last := 0
	for _, limit := range []int{500 * 300, 60000, 20000, 10000} {
		fits := func(tiles Tiles) bool {
			most := 0
			for _, y := range tiles.Rows {
				for _, x := range tiles.Columns {
					most = max(most, (x.To-x.From)*(y.To-y.From))
				}
			}
			return most <= limit
		}
		best := Best(s, 4, fits)
		if !fits(best) || best.Whole() != (limit == 500*300) || best.Cost() <= last {
			t.Errorf("at most %d pixels: %v costs %d, %d with more", limit, best, best.Cost(), last)
		}
		last = best.Cost()
		for columns := 1; columns < 40; columns++ {
			for lines := 1; lines < 25; lines++ {
				if other := Cut(s, 4, columns, lines); fits(other) && other.Cost() < last {
					t.Errorf("at most %d pixels: %d×%d costs %d, what was chosen %d", limit, columns, lines, other.Cost(), last)
				}
			}
		}
	}
	none := Best(s, 4, func(Tiles) bool { return false })
	if length := none.Columns[0].End; length != 16 {
		t.Errorf("the smallest core is %d wide", length)
	}
}

// What is taken stays until the second take after it, and each buffer fits its largest use.
func TestScratch(t *testing.T) {
	var s Scratch
	for _, sizes := range [][]int64{{5, 3, 7}, {2, 9}} {
		s.Begin()
		last := Slot(0)
		for _, n := range sizes {
			borrowed, taken := s.Borrow(1), s.Take(n)
			if taken != borrowed || taken == last || taken == 0 {
				t.Errorf("%d was taken after %d, and %d borrowed", taken, last, borrowed)
			}
			last = taken
		}
	}
	s.Borrow(10)
	if want := [3]int64{0, 10, 9}; s.Bytes != want {
		t.Errorf("sizes %d, want %d", s.Bytes, want)
	}
}
