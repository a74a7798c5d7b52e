//go:build cgo && !novips

package pipeline

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/photo"
)

// A folder of ten kinds of picture, with a bad one: the others are right by size, depth,
// orientation and profile, and a second run does nothing.
func TestFolderOfAllFormats(t *testing.T) {
	j := batch(t, 0, newGPU(func(*gpu) {}))
	if err := os.Mkdir("in", 0o755); err != nil {
		t.Fatal(err)
	}
	type result struct {
		name string
		bits int
		w, h int
		wide bool
	}
	want := []result{
		{"a.jpg", 8, 40, 28, false}, {"b.png", 8, 40, 28, false}, {"c.tif", 8, 40, 28, false}, {"d.webp", 8, 40, 28, false},
		{"e.heic", 8, 40, 28, false}, {"f.avif", 8, 40, 28, false}, {"g.jxl", 8, 40, 28, false}, {"h.jp2", 8, 40, 28, false},
		{"i.png", 16, 40, 28, false}, {"j.tif", 16, 40, 28, false}, {"k.ppm", 8, 40, 28, false}, {"l.png", 8, 40, 28, true}, {"m.jpg", 8, 28, 40, false},
	}
	made := 0
	for i, r := range want {
		f := waves(40, 28, float64(i))
		f.Origin = photo.OfDepth(r.bits)
		path := "in/" + r.name
		switch {
		case strings.HasSuffix(path, ".ppm"):
			data := []byte("P6 40 28 255\n")
			for p := range 40 * 28 {
				data = append(data, byte(255*f.Pix[p]), byte(255*f.Pix[40*28+p]), byte(255*f.Pix[2*40*28+p]))
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		case r.wide:
			writeP3(t, path, f)
		case r.name == "m.jpg":
			writeTurned(t, path, f)
		default:
			if err := photo.CanWrite(path); err != nil {
				t.Log(err)
				want[i].w = 0
				continue
			}
			if err := photo.Write(path, "", f); err != nil {
				t.Fatal(err)
			}
		}
		made++
	}
	if err := os.WriteFile("in/bad.jpg", []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Remove("out")
	j.Inputs, j.Output, j.Stats = []string{"in/"}, "out/", ""
	if err := j.Run(t.Context()); err == nil || err.Error() != fmt.Sprintf("1 of %d inputs failed: in/bad.jpg", made+1) {
		t.Fatal(err)
	}
	for _, r := range want {
		if r.w == 0 {
			continue
		}
		f, err := photo.ReadOwn("out/"+strings.Replace(r.name, ".ppm", ".png", 1), func(int, int) error { return nil })
		if err != nil {
			t.Error(err)
			continue
		}
		if f.W != r.w || f.H != r.h || photo.BitsOf(f) != r.bits || (photo.Profile(f) != nil) != r.wide {
			t.Errorf("%s: %d×%d, %d bits, wide: %t, want %+v", r.name, f.W, f.H, photo.BitsOf(f), photo.Profile(f) != nil, r)
		}
	}
	if err := os.Remove("in/bad.jpg"); err != nil {
		t.Fatal(err)
	}
	before := len(said(t))
	j.devices = withGPUs([]engine.Engine{newGPU(func(*gpu) { t.Error("something is painted") })})
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := said(t)[before:], fmt.Sprintf("nstfilter: nothing to do: all %d inputs were done before (--restart paints them anew)\n", made); got != want {
		t.Errorf("a second run says %q, want %q", got, want)
	}
}

// writeTurned writes a JPEG that EXIF turns by a quarter.
func writeTurned(t *testing.T, name string, f *filter.Frame) {
	t.Helper()
	if err := photo.Write(name, "", f); err != nil {
		t.Fatal(err)
	}
	img, err := vips.NewImageFromFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if err := img.SetOrientation(6); err != nil {
		t.Fatal(err)
	}
	data, _, err := img.ExportJpeg(vips.NewJpegExportParams())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
