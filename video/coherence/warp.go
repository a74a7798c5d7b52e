package coherence

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// carry moves a result along f, to where its things are now.
func (d *desk) carry(result *filter.Frame, f *flow.Field) []float32 {
	moved := make([]float32, len(result.Pix))
	d.warper.Warp(moved, result.Pix, f, nil)
	d.bands(len(moved), func(from, to int) {
		for i := from; i < to; i++ {
			moved[i] = min(max(moved[i], 0), 1)
		}
	})
	return moved
}

// blend takes the parts of an older result that g says over into pix, carried to
// where their things are now.
func (d *desk) blend(pix []float32, older *outcome, g *glance) {
	was, is := d.take(len(pix)), d.take(len(pix))
	d.fromBytes(was, older.pix, 255)
	f, parts := g.back, g.parts
	if f == nil {
		f = d.cameraFlow(g.camera, older.head.W, older.head.H)
		defer d.leave(f.U, f.V)
	}
	d.warper.Warp(is, was, f, parts)
	n := len(parts)
	d.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			if part := parts[i]; part > 0 {
				for p := i; p < len(pix); p += n {
					pix[p] += part * (min(max(is[p], 0), 1) - pix[p])
				}
			}
		}
	})
	d.leave(was, is)
}
