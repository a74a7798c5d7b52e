//go:build cgo

package cpu

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
)

// align is where windows may begin so that Winograd's 4×4 tiles fall as they do in the
// whole picture.
const align = 4

// core is a rectangle of a layer's window, in positions: one long row where it is
// as wide as the window.
type core tiling.Rect

// coreAt returns x and y's core in a layer that pools have halved that many times.
func coreAt(x, y tiling.Span, pools, width int) core {
	c := core(tiling.CoreAt(x, y, pools))
	if c.W == width {
		c = core{c.Y * width, 0, c.W * c.H, 1}
	}
	return c
}

// pieces is how many runs of at most size neighbours the core has.
func (c core) pieces(size int) int { return c.H * blocksOf(c.W, size) }

// piece returns run i: where it begins in rows of the given width, and its length.
func (c core) piece(i, size, width int) (at, n int) {
	row, col := i/blocksOf(c.W, size), i%blocksOf(c.W, size)*size
	return (c.Y+row)*width + c.X + col, min(size, c.W-col)
}

// countedThreads is the threads whose work space counts in the choice of tiles:
// the result must not depend on how many there are. More come on top.
const countedThreads = 8

// newPlan cuts the picture such that an iteration costs least within s.Memory; if
// nothing fits, as small as it can.
func newPlan(s engine.Spec, k kernelShape, threads int) *plan {
	s.Check()
	return planTiles(s, k, threads, tiling.Best(s, align, func(t tiling.Tiles) bool {
		if s.Memory <= 0 {
			return true
		}
		p := planTiles(s, k, 1, t)
		p.workers = countedThreads
		return p.bytes()+p.weightBytes() <= s.Memory
	}))
}
