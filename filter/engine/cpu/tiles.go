//go:build cgo

package cpu

import (
	"slices"

	"nstfilter/filter/engine"
)

// A picture whose activations would take more than Spec.Memory is evaluated in
// tiles. Each tile has a core, which it alone answers for, inside a window that
// holds everything the core sees; cores cover the picture once. Moments are sums
// over cores; the gradient of what a core adds to J stays in its window, so that
// the windows' gradients add up to the whole one.

// reach is how far the deepest tap sees, and grid the distance of pixels at which
// windows may begin so that pooling and Winograd's 4×4 tiles fall as they do in the
// whole picture: activations then have the same bits.
func reach(s engine.Spec) (grid, halo int) {
	step := 1
	for i := range s.Network.Layers[:s.Depth()] {
		if s.Network.Layers[i].Pooled() {
			step *= 2
		}
		halo += step
	}
	grid = 4 * step
	return grid, roundUp(halo, grid)
}

// span is one tile's part of an axis, in pixels: a window and its core.
type span struct{ from, to, core, end int }

// cut shares n pixels out to about parts cores of one length.
func cut(n, parts, grid, halo int) (all []span) {
	length := roundUp(blocksOf(n, parts), grid)
	for a := 0; a < n; a += length {
		b := min(a+length, n)
		all = append(all, span{max(a-halo, 0), min(b+halo, n), a, b})
	}
	return all
}

// local is s as its window counts.
func (s span) local() span { return span{0, s.to - s.from, s.core - s.from, s.end - s.from} }

// shapes are the different locals: at most four.
func shapes(all []span) (out []span) {
	for _, s := range all {
		if l := s.local(); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func total(all []span) (n int) {
	for _, s := range all {
		n += s.to - s.from
	}
	return n
}

// core is a rectangle of a layer's window, in positions: one long row where it is
// as wide as the window.
type core struct{ x, y, w, h int }

// coreAt returns x and y's core in a layer that pools have halved that many times.
func coreAt(x, y span, pools, width int) core {
	c := core{x.core >> pools, y.core >> pools, x.end>>pools - x.core>>pools, y.end>>pools - y.core>>pools}
	switch {
	case c.w*c.h == 0: // pooling has dropped it all
		c = core{}
	case c.w == width:
		c = core{c.y * width, 0, c.w * c.h, 1}
	}
	return c
}

// pieces is how many runs of at most size neighbours the core has.
func (c core) pieces(size int) int { return c.h * blocksOf(c.w, size) }

// piece returns run i: where it begins in rows of the given width, and its length.
func (c core) piece(i, size, width int) (at, n int) {
	row, col := i/blocksOf(c.w, size), i%blocksOf(c.w, size)*size
	return (c.y+row)*width + c.x + col, min(size, c.w-col)
}

// cost is what an iteration takes, in pixels: each window forward and back, and
// each but the last, whose activations are still there, forward again.
func (p *plan) cost() int {
	lastX, lastY := p.columns[len(p.columns)-1], p.rows[len(p.rows)-1]
	return 3*total(p.columns)*total(p.rows) - (lastX.to-lastX.from)*(lastY.to-lastY.from)
}

// countedThreads is the threads whose work space counts in the choice of tiles:
// the result must not depend on how many there are. More come on top.
const countedThreads = 8

// newPlan cuts the picture such that an iteration costs least within s.Memory; if
// nothing fits, as small as it can.
func newPlan(s engine.Spec, k kernelShape, threads int) *plan {
	check(s)
	fits := func(columns, lines int) bool {
		p := planTiles(s, k, 1, columns, lines)
		p.workers = countedThreads
		return p.bytes()+p.weightBytes() <= s.Memory
	}
	if s.Memory <= 0 || fits(1, 1) {
		return planTiles(s, k, threads, 1, 1)
	}
	grid, _ := reach(s)
	most, lines := blocksOf(s.W, grid), blocksOf(s.H, grid)
	best := planTiles(s, k, threads, most, lines)
	for columns := 1; columns <= most; columns++ {
		if !fits(columns, lines) {
			continue
		}
		for lines > 1 && fits(columns, lines-1) {
			lines--
		}
		if p := planTiles(s, k, threads, columns, lines); p.cost() < best.cost() {
			best = p
		}
	}
	return best
}
