//go:build cgo

package filter

import (
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/weights"
)

// TestBF16Gradient measures what bfloat16 does to the image gradient, on real
// weights: at the content, and where an optimisation ends. Forward it is bound to
// cost: where a sum is near 0 another ReLU fires, with direct convolution too, and
// where two are near each other another one is its window's largest. "wide" computes as the AVX512-BF16 kernels do, on any machine.
func TestBF16Gradient(t *testing.T) {
	if testing.Short() {
		t.Skip("only the engine is concurrent here, and it has tests of its own")
	}
	vgg, err := weights.Load("vgg16")
	if err != nil {
		t.Fatal(err)
	}
	networks := []*weights.Network{weights.Slim(), vgg}
	wide, err := cpu.NewISA("wide", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	best, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer best.Close()
	style, content := styleFile(t, "night"), styleFile(t, "woodcut")
	for _, n := range networks {
		filterOn := func(e engine.Engine, precision string) *Filter {
			o := DefaultOptions()
			o.Precision, o.Size, o.OutputSize, o.Margin = precision, 80, "work", 0
			f, err := New(o, e, n, []*Frame{style})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(f.Close)
			return f
		}
		painted, _, err := filterOn(best, "fp32").Paint(t.Context(), content, Guide{})
		if err != nil {
			t.Fatal(err)
		}
		s := size{painted.W, painted.H}
		gradient := func(precision string, at []float32) []float32 {
			f := filterOn(wide, precision)
			w, j := objectiveIn(t, f, s, f.precision(true))
			w.Upload(w.x, content.fit(0, s, bicubic))
			j.setContent()
			w.Upload(w.x, at)
			dx := w.NewVector(w.x.Len())
			j.at(dx)
			gradient := make([]float32, dx.Len())
			w.Download(gradient, dx)
			return gradient
		}
		for _, at := range []struct {
			name string
			pix  []float32
		}{{"the start", content.fit(0, s, bicubic)}, {"the end", painted.Pix}} {
			exact := gradient("fp32", at.pix)
			for precision, least := range map[string]float64{"mixed": 0.999, "bf16": 0.97} {
				c := cosine(exact, gradient(precision, at.pix))
				t.Logf("%s at %s: cosine of %s and fp32 %.5f", n.Name, at.name, precision, c)
				if !(c >= least) {
					t.Errorf("%s at %s: the cosine of the gradients in %s and fp32 is %.5f, want %g", n.Name, at.name, precision, c, least)
				}
			}
		}
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// styleFile reads one of our paintings.
func styleFile(t *testing.T, name string) *Frame {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "examples", "styles", name+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := jpeg.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	f := &Frame{W: w, H: h, Pix: make([]float32, 3*w*h)}
	for p := range w * h {
		r, g, b, _ := img.At(p%w, p/w).RGBA()
		for c, v := range []uint32{r, g, b} {
			f.Pix[c*w*h+p] = float32(v>>8) / 255
		}
	}
	return f
}

func TestPrecision(t *testing.T) {
	wide, err := cpu.NewISA("wide", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer wide.Close()
	style := []*Frame{smooth(30, 22, 1)}
	o := tinyOptions()
	for _, c := range []struct {
		precision, optimizer string
		e                    engine.Engine
		lastScale, earlier   engine.Precision
	}{
		{"auto", "adam", wide, engine.Mixed, engine.BF16},
		{"auto", "lbfgs", wide, engine.FP32, engine.FP32},
		{"auto", "adam", enginetest.Reference{}, engine.FP32, engine.FP32},
		{"fp32", "adam", wide, engine.FP32, engine.FP32},
		{"mixed", "adam", wide, engine.Mixed, engine.Mixed},
		{"bf16", "adam", wide, engine.BF16, engine.BF16},
	} {
		o.Precision, o.Optimizer = c.precision, c.optimizer
		f, err := New(o, c.e, tiny(false), style)
		if err != nil {
			t.Fatal(err)
		}
		if last, earlier := f.precision(true), f.precision(false); last != c.lastScale || earlier != c.earlier {
			t.Errorf("%s on %s: precision %v at the last scale, %v before", c.precision, c.e.Name(), last, earlier)
		}
		if _, _, err := f.Paint(t.Context(), smooth(40, 34, 2), Guide{}); err != nil {
			t.Errorf("%s on %s: %v", c.precision, c.e.Name(), err)
		}
		f.Close()
	}
	for _, p := range []string{"mixed", "bf16"} {
		o.Precision = p
		if _, err := New(o, enginetest.Reference{}, tiny(false), style); err == nil || !strings.Contains(err.Error(), "AVX512-BF16") {
			t.Errorf("%s on an engine without: %v", p, err)
		}
	}
}
