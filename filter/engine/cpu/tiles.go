//go:build cgo

package cpu

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/tiling"
)

// align is the grid, in positions, on which windows begin so that Winograd's 4×4 tiles are
// those of the whole picture.
const align = 4

// core is a tile's core in a layer's window, in positions. If it is as wide as the window, it is
// stored as one long row.
type core tiling.Rect

// coreAt returns the core of x and y in a layer after the given number of poolings.
func coreAt(x, y tiling.Span, pools, width int) core {
	c := core(tiling.CoreAt(x, y, pools))
	if c.W == width {
		c = core{c.Y * width, 0, c.W * c.H, 1}
	}
	return c
}

// pieces returns the number of runs of at most size neighbours in the core.
func (c core) pieces(size int) int { return c.H * blocksOf(c.W, size) }

// piece returns the start of run i, in rows of the given width, and its length.
func (c core) piece(i, size, width int) (at, n int) {
	row, col := i/blocksOf(c.W, size), i%blocksOf(c.W, size)*size
	return (c.Y+row)*width + c.X + col, min(size, c.W-col)
}

// countedThreads is the number of threads whose work space the choice of tiles includes. It is
// fixed because the result must not depend on the number of threads.
const countedThreads = 8

// newPlan chooses the tiles of least cost within s.Memory, or the smallest if none fits.
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
