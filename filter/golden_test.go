//go:build cgo

package filter_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
	"nstfilter/filter/engine/gorgonia"
	"nstfilter/pipeline/photo"
	"nstfilter/weights"
)

var update = flag.Bool("update", false, "paint the golden picture anew")

// Every engine paints the golden picture, by the default recipe with fewer steps: L-BFGS
// magnifies rounding, and after twice as many two engines may be 31 dB apart.
func TestGolden(t *testing.T) {
	const golden = "testdata/golden.png"
	paint := func(t *testing.T, e engine.Engine) *filter.Frame {
		t.Helper()
		defer e.Close()
		o := filter.DefaultOptions()
		o.Size, o.OutputSize, o.MinSize, o.Iterations = 96, "work", 40, filter.Steps{6, 3}
		f, err := filter.New(o, e, weights.Slim(), []*filter.Frame{read(t, "night")})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		painted, _, err := f.Paint(t.Context(), read(t, "woodcut"), filter.Guide{})
		if err != nil {
			t.Fatal(err)
		}
		return painted
	}
	if *update {
		e, err := cpu.New(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := photo.Write(golden, "", paint(t, e)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := photo.Read(golden)
	if err != nil {
		t.Fatal(err)
	}
	engines := map[string]func() (engine.Engine, error){"gorgonia": func() (engine.Engine, error) { return gorgonia.New(), nil }}
	for _, isa := range cpu.ISAs() {
		engines[isa] = func() (engine.Engine, error) { return cpu.NewISA(isa, 0) }
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "gorgonia" {
				t.Skip("takes long with the race detector, and enginetest compares it")
			}
			e, err := open()
			if err != nil {
				t.Fatal(err)
			}
			got := paint(t, e)
			if psnr := psnrOf(got, want); psnr < 40 {
				kept := filepath.Join(os.TempDir(), "nstfilter-golden-"+name+".png")
				t.Errorf("%.1f dB from %s, at least 40 wanted; painted: %s (%v)", psnr, golden, kept, photo.Write(kept, "", got))
			}
		})
	}
}

// psnrOf is the peak signal-to-noise ratio of a picture to another of its size, in dB.
func psnrOf(got, want *filter.Frame) float64 {
	if got.W != want.W || got.H != want.H {
		return 0
	}
	sum := 0.
	for i, w := range want.Pix {
		sum += math.Pow(float64(got.Pix[i]-w), 2)
	}
	return 10 * math.Log10(float64(len(want.Pix))/sum)
}
