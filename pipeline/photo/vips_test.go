//go:build cgo && !novips

package photo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
)

func TestEveryFormat(t *testing.T) {
	for _, c := range []struct {
		name, options string
		least         float64 // PSNR in dB
	}{
		{"a.jpg", "Q=95,interlace,subsample-mode=off,optimize-coding=false,trellis-quant,overshoot-deringing,optimize-scans,quant-table=3", 38},
		{"a.png", "compression=9,interlace,bitdepth=8,strip", math.Inf(1)},
		{"a.png", "palette,Q=90,dither=0.5", 25},
		{"a.tif", "compression=deflate,predictor=none,bitdepth=16", math.Inf(1)},
		{"a.tiff", "compression=jpeg,Q=95,tile", 35},
		{"a.webp", "Q=95,effort=2", 38},
		{"a.webp", "lossless,strip", math.Inf(1)},
		{"a.heic", "Q=90,bitdepth=10", 38},
		{"a.heic", "lossless", 35}, // libheif still halves chroma
		{"a.avif", "Q=90,effort=1", 38},
		{"a.avif", "Q=90,effort=1,bitdepth=12", 38},
		{"a.jxl", "Q=95,effort=3", 36},
		{"a.jxl", "lossless,effort=3,tier=1", 70}, // single steps: libjxl converts through its own profile,
		{"a.jp2", "lossless", math.Inf(1)},
		{"a.jp2", "Q=80,subsample-mode=off", 30},
		{"a.gif", "dither=0.5,effort=3,bitdepth=8", 25},
	} {
		t.Run(c.name+"["+c.options+"]", func(t *testing.T) {
			if err := CanWrite(filepath.Join(t.TempDir(), c.name)); err != nil {
				t.Skip(err) // a libvips built without it
			}
			f := picture(96, 64, 8, false)
			if d := psnr(roundTrip(t, c.name, c.options, f).Pix, f.Pix); d < c.least {
				t.Errorf("PSNR %.1f dB, want %.0f", d, c.least)
			}
		})
	}
}

func TestAlphaKept(t *testing.T) {
	for _, name := range []string{"a.webp", "a.avif", "a.jxl", "a.jp2"} {
		if err := CanWrite(filepath.Join(t.TempDir(), name)); err != nil {
			continue
		}
		f := picture(64, 48, 8, true)
		g := roundTrip(t, name, "lossless", f)
		if g.Alpha == nil || psnr(g.Alpha, f.Alpha) < 40 {
			t.Errorf("%s lost the alpha", name)
		}
	}
}

func TestTenBitAVIFIsRefused(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "a.avif"), "bitdepth=10", picture(32, 32, 16, false))
	if err == nil || !strings.Contains(err.Error(), "12 or 8") {
		t.Errorf("error %v should name the depths that work", err)
	}
}

func TestSixteenBitsToEight(t *testing.T) {
	f := roundTrip(t, "a.png", "", picture(64, 64, 16, false))
	for _, name := range []string{"a.jpg", "a.webp", "a.avif", "a.gif"} {
		if err := CanWrite(filepath.Join(t.TempDir(), name)); err != nil {
			continue
		}
		if g := roundTrip(t, name, "", f); psnr(g.Pix, f.Pix) < 25 {
			t.Errorf("%s: PSNR %.1f dB", name, psnr(g.Pix, f.Pix))
		}
	}
}

func exported(t *testing.T, f *filter.Frame, change func(*vips.ImageRef) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.png")
	if err := Write(path, "", f); err != nil {
		t.Fatal(err)
	}
	img, err := vips.NewImageFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if err := change(img); err != nil {
		t.Fatal(err)
	}
	data, _, err := img.ExportTiff(vips.NewTiffExportParams())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestProfileToSRGB(t *testing.T) {
	f := picture(64, 48, 8, false)
	for i, v := range f.Pix {
		f.Pix[i] = float32(math.Round(float64(60+v*130))) / 255 // well inside the gamut
	}
	t.Setenv("TMPDIR", t.TempDir())
	data := exported(t, f, func(img *vips.ImageRef) error { return img.TransformICCProfile("p3") })
	g, err := Decode("p3.tif", data)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("%v is left among the temporary files", left)
	}
	if d := psnr(g.Pix, f.Pix); d < 45 {
		t.Errorf("PSNR %.1f dB after P3 and back, want 45", d)
	}
	plain, err := vips.NewImageFromBuffer(data)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	raw, err := plain.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for p := range f.W * f.H {
		if float32(raw[3*p])/255 == g.Pix[p] {
			same++
		}
	}
	if same == f.W*f.H {
		t.Error("the P3 file holds the same samples: nothing was tested")
	}
}

func TestCMYK(t *testing.T) {
	f := picture(64, 48, 8, false)
	for i, v := range f.Pix {
		f.Pix[i] = 0.3 + 0.4*v
	}
	g, err := Decode("cmyk.tif", exported(t, f, func(img *vips.ImageRef) error {
		if err := img.TransformICCProfile("cmyk"); err != nil {
			return err
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if d := psnr(g.Pix, f.Pix); g.Alpha != nil || d < 18 {
		t.Errorf("PSNR %.1f dB after CMYK and back, want 18; alpha %v", d, g.Alpha != nil)
	}
}

func TestGray(t *testing.T) {
	for _, m := range []image.Image{image.NewGray(image.Rect(0, 0, 20, 20)), image.NewGray16(image.Rect(0, 0, 20, 20))} {
		m.(interface{ Set(int, int, color.Color) }).Set(3, 4, color.White)
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		f, err := Decode("gray.png", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for band := range 3 {
			if f.Pix[band*400] != 0 || f.Pix[band*400+4*20+3] != 1 {
				t.Errorf("%T: band %d is not the gray", m, band)
			}
		}
		g := roundTrip(t, "a.png", "", f)
		sameSamples(t, "gray", g.Pix, f.Pix)
	}
}

func TestMetadataKept(t *testing.T) {
	f, err := Decode("in.jpg", jpegWith(t, image.NewRGBA(image.Rect(0, 0, 40, 30)), 6))
	if err != nil {
		t.Fatal(err)
	}
	small := filter.NewFrame(20, 26)
	small.Origin = f.Origin
	for _, g := range []*filter.Frame{f, small} {
		for _, options := range []string{"", "strip"} {
			path := filepath.Join(t.TempDir(), "out.jpg")
			if err := Write(path, options, g); err != nil {
				t.Fatal(err)
			}
			img, err := vips.NewImageFromFile(path)
			if err != nil {
				t.Fatal(err)
			}
			artist := strings.Contains(img.GetString("exif-ifd0-Artist"), "A. Painter")
			if artist != (options == "") {
				t.Errorf("options %q: artist kept: %v", options, artist)
			}
			if o := img.Orientation(); o > 1 {
				t.Errorf("orientation %d would turn the upright picture again", o)
			}
			img.Close()
		}
	}
}

func TestPages(t *testing.T) {
	f := picture(32, 64, 8, false)
	path := filepath.Join(t.TempDir(), "a.tif")
	data := exported(t, f, func(img *vips.ImageRef) error { return img.SetPageHeight(32) })
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "2 pages") {
		t.Errorf("two pages: %v", err)
	}
}

func TestTruncated(t *testing.T) {
	for _, ext := range []string{".webp", ".tif", ".heic", ".avif", ".jxl", ".jp2"} {
		path := filepath.Join(t.TempDir(), "a"+ext)
		if CanWrite(path) != nil {
			continue
		}
		if err := Write(path, "", picture(200, 150, 8, false)); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode("cut"+ext, data[:len(data)*2/3]); err == nil || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("two thirds of a %s: %v", ext, err)
		}
	}
}
