//go:build cgo && !novips

package pipeline

import (
	"os"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// writeP3 writes a picture whose samples are Display P3's, with that profile.
func writeP3(t *testing.T, name string, f *filter.Frame) {
	t.Helper()
	if err := photo.Write(name, "", f); err != nil {
		t.Fatal(err)
	}
	img, err := vips.NewImageFromFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if err := img.TransformICCProfileWithFallback("p3", "p3"); err != nil {
		t.Fatal(err)
	}
	data, _, err := img.ExportPng(vips.NewPngExportParams())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Colours that sRGB lacks stay what they are, in the photo's profile, and are painted with if
// the style has them. The next photo, in sRGB, is painted in sRGB.
func TestWideColoursStay(t *testing.T) {
	j := batch(t, 3, newGPU(func(*gpu) {}))
	halves := filter.NewFrame(32, 24) // of Display P3's red and green
	n := halves.W * halves.H
	for p := range n {
		if p%halves.W < halves.W/2 {
			halves.Pix[p] = 1
		} else {
			halves.Pix[n+p] = 1
		}
	}
	writeP3(t, "p1.png", halves)
	writeP3(t, "style.png", halves)
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := photo.ReadOwn("out/p1.png", func(int, int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if photo.Profile(f) == nil {
		t.Error("the result has no profile")
	}
	// In sRGB Display P3's red would be clipped, and come back as 0.92, 0.20, 0.14.
	at := 12*f.W + 4
	if r, g := f.Pix[at], f.Pix[n+at]; r < 0.96 || g > 0.1 {
		t.Errorf("Display P3's red became %.2f, %.2f, %.2f", r, g, f.Pix[2*n+at])
	}
	for _, name := range []string{"out/p0.png", "out/p2.png"} {
		f, err := photo.ReadOwn(name, func(int, int) error { return nil })
		if err != nil || photo.Profile(f) != nil {
			t.Errorf("%s has a profile: %v", name, err)
		}
	}
	wide := results(t)
	j = batch(t, 3, newGPU(func(*gpu) {}))
	writeP3(t, "style.png", halves)
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if string(results(t)["p2.png"]) != string(wide["p2.png"]) {
		t.Error("a photo in sRGB depends on the photo before it")
	}
}

// The regions of the styles hold in a photo's own colours too.
func TestMaskInWideColours(t *testing.T) {
	j := twoStyles(t)
	j.Style = []string{"blue.png", "yellow.png"}
	f, err := photo.Read("p0.png")
	if err != nil {
		t.Fatal(err)
	}
	writeP3(t, "p0.png", f)
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := photo.ReadOwn("out/p0.png", func(int, int) error { return nil })
	if err != nil || photo.Profile(out) == nil {
		t.Fatalf("the result has no profile: %v", err)
	}
	if left, right := blueness(out, 0, 9), blueness(out, 12, 20); left > -0.3 || right < 0.1 {
		t.Errorf("yellow part %.2f, blue part %.2f", left, right)
	}
}
