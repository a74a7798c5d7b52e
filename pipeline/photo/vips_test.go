//go:build cgo && !novips

package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// A process of its own: the profile is loaded once.
func TestProfileLeavesNoFolder(t *testing.T) {
	file := os.Getenv("NSTFILTER_TEST_PROFILE")
	if file != "" {
		if _, err := Read(file); err != nil {
			fmt.Println("error:", err)
		}
		return
	}
	file = filepath.Join(t.TempDir(), "p3.tif")
	data := exported(t, picture(64, 48, 8, false), func(img *vips.ImageRef) error { return img.TransformICCProfileWithFallback("p3", "srgb") })
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ folder, want string }{
		{t.TempDir(), ""}, {filepath.Join(t.TempDir(), "none"), "p3.tif: colour profiles need a folder for temporary files"},
	} {
		test := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		test.Env = append(os.Environ(), "NSTFILTER_TEST_PROFILE="+file, "TMPDIR="+c.folder)
		text, err := test.CombinedOutput()
		if err != nil || c.want == "" && strings.Contains(string(text), "error:") || !strings.Contains(string(text), c.want) {
			t.Errorf("TMPDIR=%s: %v, %s, want %q", c.folder, err, text, c.want)
		}
		if left, _ := os.ReadDir(c.folder); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
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

// What libvips reads is read, whatever govips knows: PPM, Radiance, OpenEXR, and JPEG 2000
// without a container.
func TestMoreFormats(t *testing.T) {
	f := picture(48, 40, 8, false)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var ppm bytes.Buffer
	ppm.WriteString("P6\n48 40\n255\n")
	pix, _ := packSamples(f, 8, false, binary.BigEndian)
	ppm.Write(pix)
	g, err := Decode("a.ppm", ppm.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	sameSamples(t, "PPM", g.Pix, f.Pix)
	if err := os.WriteFile(path("a.ppm"), ppm.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path("a.jp2"), "lossless", f); err == nil {
		data, err := os.ReadFile(path("a.jp2"))
		if err != nil {
			t.Fatal(err)
		}
		raw := data[bytes.Index(data, []byte("\xff\x4f\xff\x51")):]
		if g, err = Decode("a.j2k", raw); err != nil {
			t.Fatal(err)
		}
		sameSamples(t, "JPEG 2000 codestream", g.Pix, f.Pix)
	}
	// Linear light of 0.5 and 4 in a Radiance file of two pixels, without run lengths.
	hdr := []byte("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n\x80\x80\x80\x80\x80\x80\x80\x83")
	if g, err = Decode("a.hdr", hdr); err != nil {
		t.Fatal(err)
	}
	if math.Abs(float64(g.Pix[0])-0.735) > 0.01 || g.Pix[1] != 1 { // sRGB of 0.5, and of 4
		t.Errorf("Radiance: %v", g.Pix)
	}
	for name, want := range map[string]bool{"a.ppm": true, "none.ppm": false} {
		if Holds(path(name)) != want {
			t.Errorf("%s holds a picture: %v", name, !want)
		}
	}
	if _, err := Decode("a.ppm", ppm.Bytes()[:3000]); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("half a PPM: %v", err)
	}
}

// JPEG 2000 by which an old libvips would end the program is an error.
func TestDangerousJP2K(t *testing.T) {
	if vips.MajorVersion > 8 || vips.MinorVersion >= 16 {
		t.Skip("this libvips reads them")
	}
	path := filepath.Join(t.TempDir(), "a.jp2")
	if err := Write(path, "lossless", picture(48, 40, 8, false)); err != nil {
		t.Skip(err)
	}
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(plain, []byte(jp2kMagic))
	for name, offset := range map[string]int{"image": 16, "tile": 32} {
		data := bytes.Clone(plain)
		data[at+offset+3] = 1
		for _, d := range [][]byte{data, data[at:]} {
			if _, err := Decode("a.jp2", d); err == nil || !strings.Contains(err.Error(), "cannot read this kind") {
				t.Errorf("offset of the %s: %v", name, err)
			}
		}
	}
	palette := slices.Concat(plain[:at], []byte("\x00\x00\x00\x0bpclr\x00\x01\x03"), plain[at:])
	if _, err := Decode("a.jp2", palette); err == nil || !strings.Contains(err.Error(), "palette") {
		t.Errorf("palette: %v", err)
	}
	if _, err := Decode("a.jp2", plain); err != nil {
		t.Error(err)
	}
}

// A photo of more colours than sRGB has comes out in its own profile, bit by bit where it was
// not painted; where the format has no profile, a note says what becomes of it.
func TestWideProfileKept(t *testing.T) {
	for _, bits := range []int{8, 16} {
		f := picture(64, 48, bits, true)
		data := exported(t, f, func(img *vips.ImageRef) error {
			format := img.BandFormat()
			steps := []func() error{
				func() error { return img.TransformICCProfile("p3") },
				func() error { return img.Linear1(1.4, -0.2*math.Exp2(float64(bits))) }, // colours that sRGB lacks
				func() error { return img.Cast(format) },
			}
			for _, step := range steps {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		})
		g, err := decode("p3.tif", data, anySize, true)
		if err != nil {
			t.Fatal(err)
		}
		samples := func(path string) ([]byte, []byte) {
			img, err := vips.NewImageFromFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			raw, err := img.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			return raw, img.GetICCProfile()
		}
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.tif"), filepath.Join(dir, "out.png")
		if err := os.WriteFile(in, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Write(out, "", g); err != nil {
			t.Fatal(err)
		}
		wantRaw, wantProfile := samples(in)
		raw, profile := samples(out)
		if !bytes.Equal(profile, wantProfile) || len(profile) == 0 {
			t.Errorf("%d bits: the profile has changed", bits)
		}
		if !bytes.Equal(raw, wantRaw) {
			t.Errorf("%d bits: samples have changed", bits)
		}
		for i := range g.Pix { // painted over, and read again
			g.Pix[i] = []float32{0.9, 0.3, 0.2}[i/(g.W*g.H)]
		}
		if err := Write(out, "", g); err != nil {
			t.Fatal(err)
		}
		painted, err := ReadOwn(out, anySize)
		if err != nil {
			t.Fatal(err)
		}
		if d := psnr(painted.Pix, g.Pix); d < 40 {
			t.Errorf("%d bits: PSNR of what was painted is %.1f dB", bits, d)
		}
		stripped := filepath.Join(dir, "stripped.png")
		if err := errors.Join(Write(filepath.Join(dir, "out.gif"), "", g), Write(stripped, "strip", g)); err != nil {
			t.Fatal(err)
		}
		if _, profile := samples(stripped); len(profile) > 0 {
			t.Errorf("%d bits: strip leaves a profile", bits)
		}
		narrow, err := Convert(g, nil)
		if err != nil {
			t.Fatal(err)
		}
		if asSRGB, err := Read(stripped); err != nil || psnr(asSRGB.Pix, narrow.Pix) < 40 {
			t.Errorf("%d bits: stripped, it is no sRGB: %v", bits, err)
		}
		if notes := g.Origin.(*Photo).Notes; len(notes) != 2 || !strings.Contains(notes[0], "gif is written here without the ICC profile") {
			t.Errorf("notes are %q", notes)
		}
	}
}

func anySize(int, int) error { return nil }

// Colours that sRGB lacks come through a conversion to a wider profile and back, and what a
// style has of them.
func TestConvert(t *testing.T) {
	f := picture(64, 48, 16, false)
	data := exported(t, f, func(img *vips.ImageRef) error { return img.TransformICCProfile("p3") })
	wide, err := decode("p3.tif", data, anySize, true)
	if err != nil {
		t.Fatal(err)
	}
	profile := Profile(wide)
	if profile == nil {
		t.Fatal("no profile")
	}
	there, err := Convert(f, profile)
	if err != nil {
		t.Fatal(err)
	}
	if d := psnr(there.Pix, wide.Pix); d < 60 || psnr(there.Pix, f.Pix) > 40 {
		t.Errorf("sRGB to P3: PSNR %.1f dB", d)
	}
	there.Origin = wide.Origin
	back, err := Convert(there, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := psnr(back.Pix, f.Pix); d < 45 {
		t.Errorf("and back: PSNR %.1f dB", d)
	}
	if again, err := Convert(wide, profile); err != nil || again != wide {
		t.Errorf("what is in the profile is converted: %v", err)
	}
}

// XMP that promises a gain map or a film is removed with it, and a note says so; other XMP is
// kept.
func TestBrokenPromises(t *testing.T) {
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, image.NewRGBA(image.Rect(0, 0, 32, 32)), nil); err != nil {
		t.Fatal(err)
	}
	for words, note := range map[string]string{
		`hdrgm:Version="1.0"`:        "its gain map, which makes it HDR, is left out",
		`GCamera:MotionPhoto="1"`:    "its film of the moment around it is left out",
		`xmp:Rating="3"`:             "",
		`GCamera:MicroVideoOffset=9`: "its film of the moment",
	} {
		xmp := "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:Description " + words + "/></x:xmpmeta>"
		segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(xmp)+2))
		data := slices.Concat(plain.Bytes()[:2], segment, []byte(xmp), plain.Bytes()[2:])
		f, err := Decode("a.jpg", data)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "b.jpg")
		if err := Write(out, "", f); err != nil {
			t.Fatal(err)
		}
		painted, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if kept := bytes.Contains(painted, []byte(words)); kept != (note == "") {
			t.Errorf("%s: kept %v", words, kept)
		}
		if notes := strings.Join(f.Origin.(*Photo).Notes, "; "); !strings.Contains(notes, note) || note == "" && notes != "" {
			t.Errorf("%s: notes are %q, want %q", words, notes, note)
		}
	}
}

// What libheif says without a codec names the packages; what it says of a damaged file does not.
func TestPackagesFor(t *testing.T) {
	for words, want := range map[string]bool{
		"heifload: Unsupported feature: Unsupported codec (4.3000)": true,
		"heifsave: Unsupported compression":                         true,
		"heifload: Invalid input: No 'ftyp' box (2.100)":            false,
		"VipsJpeg: Premature end of JPEG file":                      false,
	} {
		if noCodec.MatchString(words) != want {
			t.Errorf("%q: %t", words, !want)
		}
	}
	for format, want := range map[string]string{"heif": "libheif-plugin-x265", "avif": "libheif-plugin-aomenc", "jxl": "vips-jxl", "exr": "libvips42"} {
		if got := packagesFor(format); !strings.Contains(got, want) {
			t.Errorf("%s: %s", format, got)
		}
	}
}
