//go:build cgo

package cpu

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

const golden = "../../../weights/golden/"

// TestVGG16 compares every tap with what PyTorch made of the same picture in
// float32. The weights are rounded to 11 bits, each off by up to 2.4e-4 of itself,
// which moves a layer by 2 to 4e-4: 1e-3 leaves some room.
func TestVGG16(t *testing.T) {
	const tolerance = 1e-3
	n, err := weights.Load("vgg16")
	if err != nil {
		t.Fatal(err)
	}
	file, err := weights.OpenSafetensors(golden + "vgg16_activations.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var want map[string]struct {
		Shape  [3]int
		Stride int
		Norm   float64
	}
	if err := json.Unmarshal([]byte(file.Metadata["taps"]), &want); err != nil {
		t.Fatal(err)
	}
	x, w, h := goldenPicture(t)
	s := engine.Spec{Network: n, Pooling: weights.AveragePooling, W: w, H: h}
	for i := range n.Layers {
		s.Taps = append(s.Taps, engine.Tap{Layer: i, Style: true})
	}
	if len(file.Tensors) != len(want) {
		t.Fatalf("%d golden taps, %d tensors", len(want), len(file.Tensors))
	}
	for _, eng := range engines(t, 2) {
		e := compile(t, eng, s)
		e.Forward(upload(e, x))
		for i := range s.Taps {
			name := n.Layers[i].Tap()
			got, g := e.activation(i), want[name]
			if len(got) != g.Shape[0]*g.Shape[1]*g.Shape[2] {
				t.Fatalf("%s: %d values, want %v", name, len(got), g.Shape)
			}
			var sampled []float32
			norm := 0.0
			for j, v := range got {
				norm += float64(v) * float64(v)
				if j%g.Stride == 0 && len(sampled) < 4096 {
					sampled = append(sampled, v)
				}
			}
			for _, tensor := range file.Tensors {
				if tensor.Name != name {
					continue
				}
				if err := relative(sampled, tensor.Floats()); !(err <= tolerance) {
					t.Errorf("%s %s: relative L2 error %.2e", eng.isa, name, err)
				}
			}
			if err := math.Abs(math.Sqrt(norm)/g.Norm - 1); !(err <= tolerance) {
				t.Errorf("%s %s: the norm is off by %.2e", eng.isa, name, err)
			}
		}
	}
}

// goldenPicture is the golden picture as planes in [0,1].
func goldenPicture(t *testing.T) (x []float32, w, h int) {
	f, err := os.Open(golden + "picture.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	w, h = img.Bounds().Dx(), img.Bounds().Dy()
	x = make([]float32, 3*w*h)
	for p := range w * h {
		r, g, b, _ := img.At(p%w, p/w).RGBA()
		for c, v := range []uint32{r, g, b} {
			x[c*w*h+p] = float32(v>>8) / 255
		}
	}
	return x, w, h
}

// TestImportedVGG19 compares every tap of a network that PyTorch has saved with what PyTorch
// made of the same picture, in float32 both.
func TestImportedVGG19(t *testing.T) {
	const tolerance, data = 1e-4, "../../../weights/testdata/"
	imported, err := weights.ImportTorch(data + "vgg19.legacy.pth")
	if err != nil {
		t.Fatal(err)
	}
	file, err := weights.OpenSafetensors(data + "vgg19_activations.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	x, w, h := goldenPicture(t)
	n := imported.Network
	s := engine.Spec{Network: n, Pooling: weights.MaxPooling, W: w, H: h}
	for i := range n.Layers {
		s.Taps = append(s.Taps, engine.Tap{Layer: i, Style: true})
	}
	if len(file.Tensors) != 16 || len(n.Layers) != 16 {
		t.Fatalf("%d layers, %d golden ones", len(n.Layers), len(file.Tensors))
	}
	for _, eng := range engines(t, 2) {
		e := compile(t, eng, s)
		e.Forward(upload(e, x))
		for _, tensor := range file.Tensors {
			i, err := n.Layer(tensor.Name)
			if err != nil {
				t.Fatal(err)
			}
			if err := relative(e.activation(i), tensor.Floats()); !(err <= tolerance) {
				t.Errorf("%s %s: relative L2 error %.2e", eng.isa, tensor.Name, err)
			}
		}
	}
}
