// Package tiling cuts a picture whose activations would take too much memory into
// tiles. Each has a core, which it alone answers for, inside a window that holds
// everything the core sees; cores cover the picture once. Moments are sums over
// cores; the gradient of what a core adds to J stays in its window, so that the
// windows' gradients add up to the whole one.
package tiling

import (
	"slices"

	"nstfilter/filter/engine"
)

// Span is one tile's part of an axis, in pixels: a window and its core.
type Span struct{ From, To, Core, End int }

// Local is s as its window counts.
func (s Span) Local() Span { return Span{0, s.To - s.From, s.Core - s.From, s.End - s.From} }

// Tiles is a picture cut up: a tile wherever a column and a row cross.
type Tiles struct{ Columns, Rows []Span }

// Whole says that there is one tile only.
func (t Tiles) Whole() bool { return len(t.Columns)*len(t.Rows) == 1 }

// Cost is what an iteration takes, in pixels: each window forward and back, and
// each but the last, whose activations are still there, forward again.
func (t Tiles) Cost() int {
	x, y := t.Columns[len(t.Columns)-1], t.Rows[len(t.Rows)-1]
	return 3*total(t.Columns)*total(t.Rows) - (x.To-x.From)*(y.To-y.From)
}

func total(all []Span) (n int) {
	for _, s := range all {
		n += s.To - s.From
	}
	return n
}

// Cut cuts s's picture into about columns × lines tiles whose cores have one size.
// Windows begin such that in each layer they do at a multiple of align positions.
func Cut(s engine.Spec, align, columns, lines int) Tiles {
	grid, halo := reach(s, align)
	return Tiles{cut(s.W, columns, grid, halo), cut(s.H, lines, grid, halo)}
}

// reach is how far the deepest tap sees, and grid the distance of pixels at which
// windows may begin so that pooling, and align positions after it, fall as they do in
// the whole picture: activations then have the same bits.
func reach(s engine.Spec, align int) (grid, halo int) {
	step := 1
	for i := range s.Network.Layers[:s.Depth()] {
		if s.Network.Layers[i].Pooled() {
			step *= 2
		}
		halo += step
	}
	grid = align * step
	return grid, ceil(halo, grid) * grid
}

// cut shares n pixels out to about parts cores of one length.
func cut(n, parts, grid, halo int) (all []Span) {
	length := ceil(ceil(n, parts), grid) * grid
	for a := 0; a < n; a += length {
		b := min(a+length, n)
		all = append(all, Span{max(a-halo, 0), min(b+halo, n), a, b})
	}
	return all
}

func ceil(n, by int) int { return (n + by - 1) / by }

// Best cuts s's picture such that an iteration costs least among what fits; if nothing
// does, as small as it can. Smaller tiles must fit where larger ones do.
func Best(s engine.Spec, align int, fits func(Tiles) bool) Tiles {
	try := func(columns, lines int) (Tiles, bool) {
		t := Cut(s, align, columns, lines)
		return t, fits(t)
	}
	if whole, ok := try(1, 1); ok {
		return whole
	}
	grid, _ := reach(s, align)
	most, lines := ceil(s.W, grid), ceil(s.H, grid)
	best := Cut(s, align, most, lines)
	for columns := 1; columns <= most; columns++ {
		t, ok := try(columns, lines)
		if !ok {
			continue
		}
		for lines > 1 {
			larger, ok := try(columns, lines-1)
			if !ok {
				break
			}
			t = larger
			lines--
		}
		if t.Cost() < best.Cost() {
			best = t
		}
	}
	return best
}

// shapes are the different locals of all spans: at most four.
func shapes(all []Span) (out []Span) {
	for _, s := range all {
		if l := s.Local(); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// Rect is a part of a layer, in positions.
type Rect struct{ X, Y, W, H int }

// CoreAt is x and y's core in a layer that pools have halved that many times; all 0
// where pooling has dropped it.
func CoreAt(x, y Span, pools int) Rect {
	r := Rect{x.Core >> pools, y.Core >> pools, x.End>>pools - x.Core>>pools, y.End>>pools - y.Core>>pools}
	if r.W*r.H == 0 {
		return Rect{}
	}
	return r
}

// Windows are what an engine plans for each shape of tile, of which there are few.
type Windows[P any] map[[2]Span]P

// NewWindows calls plan once for each shape, with its column and row as the window
// counts.
func NewWindows[P any](t Tiles, plan func(x, y Span) P) Windows[P] {
	w := Windows[P]{}
	for _, y := range shapes(t.Rows) {
		for _, x := range shapes(t.Columns) {
			w[[2]Span{x, y}] = plan(x, y)
		}
	}
	return w
}

// At is the plan of the tile in a column and a row.
func (w Windows[P]) At(x, y Span) P { return w[[2]Span{x.Local(), y.Local()}] }
