// Package tiling cuts a picture into tiles if its activations take too much memory. A tile is a
// core inside a window that holds the receptive fields of the core's positions. The cores
// partition the picture. Moments are sums over cores, and the gradient is the sum of the
// windows' gradients.
package tiling

import (
	"slices"

	"nstfilter/filter/engine"
)

// Span is a tile's extent along one axis, in pixels: window [From,To), core [Core,End).
type Span struct{ From, To, Core, End int }

// Local returns s relative to its window.
func (s Span) Local() Span { return Span{0, s.To - s.From, s.Core - s.From, s.End - s.From} }

// Tiles is a picture's grid of tiles.
type Tiles struct{ Columns, Rows []Span }

// Whole reports whether there is only one tile.
func (t Tiles) Whole() bool { return len(t.Columns)*len(t.Rows) == 1 }

// Cost is the number of pixels that an iteration evaluates: each window forward and backward,
// and forward again before backward, except the last window, whose activations are still in
// memory.
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

// Cut cuts s's picture into about columns × lines tiles with cores of one size. In each layer
// windows begin at a multiple of align positions.
func Cut(s engine.Spec, align, columns, lines int) Tiles {
	grid, halo := haloOf(s, align)
	return Tiles{cut(s.W, columns, grid, halo), cut(s.H, lines, grid, halo)}
}

// haloOf returns the halo, which is how many pixels the receptive field of the deepest tap
// extends to each side, rounded up to grid, and the grid on which windows may begin. On the
// grid pooling, and groups of align positions after it, are the same as in the whole picture,
// so that activations have the same bits.
func haloOf(s engine.Spec, align int) (grid, halo int) {
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

// cut divides n pixels into about parts cores of one length.
func cut(n, parts, grid, halo int) (all []Span) {
	length := ceil(ceil(n, parts), grid) * grid
	for a := 0; a < n; a += length {
		b := min(a+length, n)
		all = append(all, Span{max(a-halo, 0), min(b+halo, n), a, b})
	}
	return all
}

func ceil(n, by int) int { return (n + by - 1) / by }

// Best returns the tiles of least Cost among those that fit, or the smallest tiles if none
// fits. If tiles fit, smaller ones must fit too.
func Best(s engine.Spec, align int, fits func(Tiles) bool) Tiles {
	try := func(columns, lines int) (Tiles, bool) {
		t := Cut(s, align, columns, lines)
		return t, fits(t)
	}
	if whole, ok := try(1, 1); ok {
		return whole
	}
	grid, _ := haloOf(s, align)
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

// shapes returns the distinct locals of all spans, at most four.
func shapes(all []Span) (out []Span) {
	for _, s := range all {
		if l := s.Local(); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// Rect is a rectangle of a layer, in positions.
type Rect struct{ X, Y, W, H int }

// CoreAt returns the core of x and y in a layer after the given number of poolings; the zero
// Rect if pooling has dropped it.
func CoreAt(x, y Span, pools int) Rect {
	r := Rect{x.Core >> pools, y.Core >> pools, x.End>>pools - x.Core>>pools, y.End>>pools - y.Core>>pools}
	if r.W*r.H == 0 {
		return Rect{}
	}
	return r
}

// Windows holds an engine's plan for each shape of tile; there are few shapes.
type Windows[P any] map[[2]Span]P

// NewWindows calls plan once for each shape, with its local column and row.
func NewWindows[P any](t Tiles, plan func(x, y Span) P) Windows[P] {
	w := Windows[P]{}
	for _, y := range shapes(t.Rows) {
		for _, x := range shapes(t.Columns) {
			w[[2]Span{x, y}] = plan(x, y)
		}
	}
	return w
}

// At returns the plan of the tile in a column and a row.
func (w Windows[P]) At(x, y Span) P { return w[[2]Span{x.Local(), y.Local()}] }
