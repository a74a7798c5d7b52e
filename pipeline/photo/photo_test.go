package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/filter"
)

// picture has smooth colour and edges; its samples are whole at the given depth.
func picture(w, h, bits int, alpha bool) *filter.Frame {
	f := filter.NewFrame(w, h)
	top := math.Exp2(float64(bits)) - 1
	whole := func(v float64) float32 {
		return float32(math.Round(min(max(v, 0), 1)*top)) / float32(top)
	}
	if alpha {
		f.Alpha = make([]float32, w*h)
	}
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			p := y*w + x
			f.Pix[p] = whole(u)
			f.Pix[w*h+p] = whole(0.5 + 0.5*math.Sin(6*v+2*u))
			f.Pix[2*w*h+p] = whole(1 - u*v)
			if x > w/2 && y > h/2 {
				f.Pix[p] = whole(0.9)
			}
			if alpha {
				f.Alpha[p] = whole(0.2 + 0.8*v)
			}
		}
	}
	f.Origin = &Photo{bits: bits}
	return f
}

func psnr(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i] - b[i])
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(a)))
}

// sameSamples names the first sample that differs.
func sameSamples(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d samples, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: sample %d is %g, want %g (PSNR %.1f dB)", what, i, got[i], want[i], psnr(got, want))
		}
	}
}

func roundTrip(t *testing.T, name, options string, f *filter.Frame) *filter.Frame {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := CanWrite(path); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, options, f); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Fatalf("%d files in the folder, want the picture alone", len(files))
	}
	g, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if g.W != f.W || g.H != f.H {
		t.Fatalf("came back %d×%d, want %d×%d", g.W, g.H, f.W, f.H)
	}
	return g
}

func TestLosslessRoundTrips(t *testing.T) {
	for _, ext := range []string{".png", ".tif"} {
		for _, bits := range []int{8, 16} {
			for _, alpha := range []bool{false, true} {
				t.Run(fmt.Sprint(ext, bits, alpha), func(t *testing.T) {
					f := picture(37, 23, bits, alpha)
					g := roundTrip(t, "a"+ext, "", f)
					if bits == 16 && g.Origin.(*Photo).bits != 16 {
						t.Error("16 bits came back as 8")
					}
					sameSamples(t, "colour", g.Pix, f.Pix)
					sameSamples(t, "alpha", g.Alpha, f.Alpha)
					again := roundTrip(t, "b"+ext, "", g) // now with the reader's origin
					sameSamples(t, "second colour", again.Pix, f.Pix)
					sameSamples(t, "second alpha", again.Alpha, f.Alpha)
				})
			}
		}
	}
}

func TestJPEG(t *testing.T) {
	f := picture(160, 120, 8, false)
	copy(f.Pix[:160*120], f.Pix[160*120:]) // no edge in one colour alone: Go's encoder halves chroma
	g := roundTrip(t, "a.JPG", "Q=95", f)
	if d := psnr(g.Pix, f.Pix); d < 40 {
		t.Errorf("PSNR %.1f dB, want 40", d)
	}
	size := func(options string) int64 {
		path := filepath.Join(t.TempDir(), "a.jpg")
		if err := Write(path, options, f); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if low, high := size("Q=20"), size("Q=95"); low >= high {
		t.Errorf("Q=20 gives %d bytes, Q=95 %d", low, high)
	}
}

func TestAlphaOverWhite(t *testing.T) {
	f := filter.NewFrame(32, 32)
	f.Alpha = make([]float32, 32*32)
	g := roundTrip(t, "a.jpg", "", f)
	if g.Alpha != nil || g.Pix[100] < 0.98 {
		t.Errorf("transparent black became %g, want white", g.Pix[100])
	}
}

func TestOutOfRangeSamples(t *testing.T) {
	f := filter.NewFrame(16, 16)
	f.Pix[0], f.Pix[1], f.Pix[2] = -1, 2, float32(math.NaN())
	g := roundTrip(t, "a.png", "", f)
	sameSamples(t, "clipped", g.Pix[:3], []float32{0, 1, 0})
}

func TestWorkSizedFrame(t *testing.T) {
	f := roundTrip(t, "a.png", "", picture(40, 30, 8, true))
	for _, size := range [][2]int{{20, 15}, {80, 60}, {40, 30}} {
		g := picture(size[0], size[1], 8, false)
		g.Origin = f.Origin
		h := roundTrip(t, "b.png", "", g)
		sameSamples(t, fmt.Sprint(size), h.Pix, g.Pix)
	}
}

// jpegWith encodes m with an EXIF segment that holds an orientation and an artist.
func jpegWith(t testing.TB, m image.Image, orientation uint16) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	be := binary.BigEndian
	const artist = "A. Painter\x00"
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02")
	exif = append(exif, 0x01, 0x12, 0, 3, 0, 0, 0, 1)
	exif = be.AppendUint16(exif, orientation)
	exif = append(exif, 0, 0)
	exif = append(exif, 0x01, 0x3b, 0, 2, 0, 0, 0, byte(len(artist)))
	exif = be.AppendUint32(exif, 8+2+2*12+4)
	exif = append(exif, 0, 0, 0, 0)
	exif = append(exif, artist...)
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = be.AppendUint16(out, uint16(len(exif)+2))
	out = append(out, exif...)
	return append(out, plain.Bytes()[2:]...)
}

func TestOrientation(t *testing.T) {
	// Corners of the picture as it should be seen: red, green / blue, white.
	want := []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
	const W, H = 48, 32
	corner := func(x, y, w, h int) int {
		c := 0
		if x >= w/2 {
			c++
		}
		if y >= h/2 {
			c += 2
		}
		return c
	}
	// Where the seen pixel (x, y) is stored, TIFF 6.0, Orientation: row and column 0.
	stored := map[uint16]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return W - 1 - x, y },
		3: func(x, y int) (int, int) { return W - 1 - x, H - 1 - y },
		4: func(x, y int) (int, int) { return x, H - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, W - 1 - x },
		7: func(x, y int) (int, int) { return H - 1 - y, W - 1 - x },
		8: func(x, y int) (int, int) { return H - 1 - y, x },
	}
	for o, at := range stored {
		box := image.Rect(0, 0, W, H)
		if o >= 5 {
			box = image.Rect(0, 0, H, W)
		}
		m := image.NewRGBA(box)
		for y := range H {
			for x := range W {
				sx, sy := at(x, y)
				m.SetRGBA(sx, sy, want[corner(x, y, W, H)])
			}
		}
		f, err := Decode("o.jpg", jpegWith(t, m, o))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []*filter.Frame{f, roundTrip(t, "again.jpg", "", f)} {
			if g.W != W || g.H != H {
				t.Fatalf("orientation %d: %d×%d", o, g.W, g.H)
			}
			for _, p := range [][2]int{{4, 4}, {W - 5, 4}, {4, H - 5}, {W - 5, H - 5}} {
				c := want[corner(p[0], p[1], W, H)]
				i := p[1]*W + p[0]
				for b, v := range []uint8{c.R, c.G, c.B} {
					if d := g.Pix[b*W*H+i] - float32(v)/255; d > 0.1 || d < -0.1 {
						t.Errorf("orientation %d at %v: band %d is off by %.2f", o, p, b, d)
					}
				}
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	encoded := func(ext string) []byte {
		if err := Write(good+ext, "", picture(128, 96, 8, false)); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(good + ext)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	jpg, png := encoded(".jpg"), encoded(".png")
	huge := bytes.Clone(png)
	binary.BigEndian.PutUint32(huge[16:], 60000)
	binary.BigEndian.PutUint32(huge[20:], 60000)
	var moving bytes.Buffer
	frame := func(c color.Color) *image.Paletted {
		return image.NewPaletted(image.Rect(0, 0, 20, 20), color.Palette{c, color.White})
	}
	err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame(color.Black), frame(color.White)}, Delay: []int{5, 5}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, says string }{
		{write("empty.png", nil), "empty"},
		{write("text.png", []byte("this is no picture, it is a text")), "not a picture"},
		{write("short.png", []byte{0x89}), "not a picture"},
		{write("svg.png", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)), "not a picture"},
		{write("cut.jpg", jpg[:len(jpg)/2]), "truncated"},
		{write("cut.png", png[:len(png)/2]), "truncated"},
		{write("headless.jpg", jpg[:20]), "truncated"},
		{write("huge.png", huge), ""}, // the header's checksum may be told first
		{write("moving.gif", moving.Bytes()), "animation"},
		{filepath.Join(dir, "none.png"), "check the name"},
		{filepath.Join(dir, "nofolder", "a.png"), "no folder"},
		{dir, "folder"},
	} {
		_, err := Read(c.path)
		if err == nil {
			t.Errorf("%s: read without error", filepath.Base(c.path))
			continue
		}
		if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), c.path+":") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q should be one line that begins with the file and says %q", err, c.says)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	f := picture(32, 32, 8, false)
	for _, c := range []struct{ name, options, says string }{
		{"a.xyz", "", ".jpg"},
		{"a", "", ".jpg"},
		{"a.jpg", "quality=9", "has only"},
		{"a.jpg", "Q=101", "from 1 to 100"},
		{"a.jpg", "Q=ninety", "from 1 to 100"},
		{"a.jpg", "Q=1,Q=2", "twice"},
		{"a.jpg", "Q=", "name=value"},
	} {
		err := Write(filepath.Join(dir, c.name), c.options, f)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s[%s]: error %v should say %q", c.name, c.options, err, c.says)
		}
	}
	missing := filepath.Join(dir, "no", "a.png")
	for _, err := range []error{Write(missing, "", f), CanWrite(missing)} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "make it first") {
			t.Errorf("missing folder: %v", err)
		}
	}
	// A folder under the final name makes the rename fail.
	if err := os.MkdirAll(filepath.Join(dir, "taken.png", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "taken.png"), "", f); err == nil {
		t.Error("a folder was written over")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v %v", files, err)
	}
	if os.Getuid() != 0 {
		locked := filepath.Join(dir, "taken.png")
		if err := os.Chmod(locked, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := Write(filepath.Join(locked, "a.png"), "", f); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("locked folder: %v", err)
		}
	}
}

// A picture that is whole, but of a kind that the decoder lacks, is not called damaged.
func TestUnsupportedKinds(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 32, 32)), nil); err != nil {
		t.Fatal(err)
	}
	lossless := bytes.Replace(b.Bytes(), []byte{0xff, 0xc0}, []byte{0xff, 0xc3}, 1) // SOF3
	if _, err := Decode("a.jpg", lossless); err == nil || !strings.Contains(err.Error(), "cannot read this kind of it") || strings.Contains(err.Error(), "damaged") {
		t.Errorf("lossless JPEG: %v", err)
	}
	if _, err := Decode("a.jpg", b.Bytes()[:b.Len()/2]); err == nil || !strings.Contains(err.Error(), "damaged or truncated") {
		t.Errorf("half a JPEG: %v", err)
	}
}

// The fourth byte of a BMP's pixels is alpha, unless all are 0.
func TestBMPAlpha(t *testing.T) {
	const w, h = 20, 18
	for _, alpha := range []bool{true, false} {
		data := make([]byte, 54+4*w*h)
		copy(data, "BM")
		le := binary.LittleEndian
		le.PutUint32(data[2:], uint32(len(data)))
		le.PutUint32(data[10:], 54)
		le.PutUint32(data[14:], 40)
		le.PutUint32(data[18:], w)
		le.PutUint32(data[22:], h) // the last row comes first
		le.PutUint16(data[26:], 1)
		le.PutUint16(data[28:], 32)
		for p := range w * h {
			pixel := data[54+4*p:]
			pixel[0], pixel[1], pixel[2] = 10, 20, byte(p)
			if alpha {
				pixel[3] = byte(p % 251)
			}
		}
		f, err := Decode("a.bmp", data)
		if err != nil {
			t.Fatal(err)
		}
		if alpha != (f.Alpha != nil) {
			t.Fatalf("alpha %v was read as %v", alpha, f.Alpha != nil)
		}
		for p := range w * h {
			q := (h-1-p/w)*w + p%w
			if f.Pix[p] != float32(byte(q))/255 || alpha && f.Alpha[p] != float32(q%251)/255 {
				t.Fatalf("pixel %d is not the file's %d", p, q)
			}
		}
	}
}

// Only regular files are opened to look what they hold: a pipe would be waited for.
func TestHoldsOfNoFile(t *testing.T) {
	folder := t.TempDir()
	if Holds(folder) || IsAnimatedWebP(folder) || Holds(filepath.Join(folder, "none")) {
		t.Error("a folder, or no file, holds a picture")
	}
}
