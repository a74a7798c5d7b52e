package coherence

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// carry moves a result along f, to where its things are now.
func warpResult(mem *pool, result *filter.Frame, f *flow.Field) []float32 {
	moved := make([]float32, len(result.Pix))
	mem.warper.Warp(moved, result.Pix, f, nil)
	mem.bands(len(moved), func(from, to int) {
		for i := from; i < to; i++ {
			moved[i] = min(max(moved[i], 0), 1)
		}
	})
	return moved
}

// blend takes the parts of an older result that g says over into pix, carried to
// where their things are now.
func blendOlder(mem *pool, pix []float32, older *olderResult, g *olderMatch) {
	was, is := mem.get(len(pix)), mem.get(len(pix))
	dequantize(mem, was, older.pix, 255)
	f, share := g.backward, g.share
	if f == nil {
		f = cameraFlow(mem, g.camera, older.head.W, older.head.H)
		defer mem.put(f.U, f.V)
	}
	mem.warper.Warp(is, was, f, share)
	n := len(share)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			if part := share[i]; part > 0 {
				for p := i; p < len(pix); p += n {
					pix[p] += part * (min(max(is[p], 0), 1) - pix[p])
				}
			}
		}
	})
	mem.put(was, is)
}
