package coherence

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// warpResult warps a result along f, which leads from the new frame to the result's.
func warpResult(mem *pool, result *filter.Frame, f *flow.Field) []float32 {
	warped := make([]float32, len(result.Pix))
	mem.warper.Warp(warped, result.Pix, f, nil)
	mem.bands(len(warped), func(from, to int) {
		for i := from; i < to; i++ {
			warped[i] = min(max(warped[i], 0), 1)
		}
	})
	return warped
}

// blendOlder warps an older result to the new frame and blends m.share of it into pix.
func blendOlder(mem *pool, pix []float32, older *olderResult, m *olderMatch) {
	result, warped := mem.get(len(pix)), mem.get(len(pix))
	dequantize(mem, result, older.pix, 255)
	f, share := m.backward, m.share
	if f == nil {
		f = cameraFlow(mem, m.camera, older.head.W, older.head.H)
		defer mem.put(f.U, f.V)
	}
	mem.warper.Warp(warped, result, f, share)
	n := len(share)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			if s := share[i]; s > 0 {
				for p := i; p < len(pix); p += n {
					pix[p] += s * (min(max(warped[p], 0), 1) - pix[p])
				}
			}
		}
	})
	mem.put(result, warped)
}
