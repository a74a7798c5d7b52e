package coherence

import (
	"math/rand/v2"
	"testing"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// A pan by fractions of a pixel must neither lose detail nor add to it.
func TestRestoreDetailOfAPan(t *testing.T) {
	const w, h, steps = 160, 96, 100
	r := rand.New(rand.NewPCG(3, 4))
	texture := filter.NewFrame(w+40, h)
	for i := range texture.Pix {
		texture.Pix[i] = 0.5 + 0.1*float32(r.NormFloat64())
	}
	n, mem := (w+40)*h, newPool(2)
	mem.boxMean(texture.Pix, texture.Pix, w+40, h, 1) // as fine as strokes are
	variance := func(pix []float32) (v float64) {
		dst := make([]float32, n)
		detailEnergy(mem, dst, make([]float32, 3*n), pix, w+40, h)
		for i, e := range dst {
			if x, y := i%(w+40), i/(w+40); x >= 50 && x < w-20 && y >= 10 && y < h-10 {
				v += float64(e)
			}
		}
		return v
	}
	f := flow.NewField(w+40, h)
	for i := range f.U {
		f.U[i], f.V[i] = 0.3, 0.1
	}
	with, without := texture.Pix, texture.Pix
	for range steps {
		moved := make([]float32, 3*n)
		flow.Warp(moved, with, f, 2)
		restoreDetail(mem, moved, with, f)
		with = moved
		moved = make([]float32, 3*n)
		flow.Warp(moved, without, f, 2)
		without = moved
	}
	first := variance(texture.Pix)
	kept, lost := variance(with)/first, variance(without)/first
	if kept < 0.85 || kept > 1.15 {
		t.Errorf("after %d frames %.2f of the detail is there, without restoring it %.2f", steps, kept, lost)
	}
	if lost > 0.8 {
		t.Errorf("without restoring it %.2f is left: the test tells nothing", lost)
	}
}

func TestRestoreDetailOfAStillPicture(t *testing.T) {
	f := scene(64, 48, 0, 0, 1)
	moved := append([]float32(nil), f.Pix...)
	restoreDetail(newPool(2), moved, f.Pix, flow.NewField(64, 48))
	for i, v := range moved {
		if v != f.Pix[i] {
			t.Fatalf("sample %d changed from %g to %g", i, f.Pix[i], v)
		}
	}
}
