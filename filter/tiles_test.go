//go:build cgo

package filter_test

import (
	"math"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine/cpu"
	"nstfilter/weights"
)

// A picture painted in tiles is the one that is painted whole.
func TestTilesDoNotShow(t *testing.T) {
	if testing.Short() {
		t.Skip("only the engine is concurrent here, and it has tests of its own")
	}
	e, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	content := read(t, "night")
	o := filter.DefaultOptions()
	o.Size, o.OutputSize, o.Iterations, o.Optimizer = 300, "work", filter.Steps{3}, "adam"
	o.Precision = "fp32" // bfloat16 rounds far more last digits another way
	paint := func(memory int64) *filter.Frame {
		f, err := filter.New(o, e, weights.Slim(), []*filter.Frame{read(t, "mosaic")})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.MaxMemory = memory
		out, _, err := f.Paint(t.Context(), content, filter.Guide{})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	whole, tiles := paint(0), paint(1)
	sum := 0.0
	for i, v := range whole.Pix {
		sum += math.Pow(float64(v-tiles.Pix[i]), 2)
	}
	// Adam makes a full step even of a gradient that is all but 0, in a direction
	// that its last digits decide: a few pixels differ as they do between
	// instruction sets.
	if psnr := -10 * math.Log10(sum/float64(len(whole.Pix))); psnr < 70 {
		t.Errorf("%.1f dB", psnr)
	} else {
		t.Logf("%.1f dB", psnr)
	}
}
