package photo

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ReadHeader finds the size, and a file that was cut short, without decoding.
func TestReadHeader(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 200, 100))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i >> 7)
	}
	var p, thumbnail, j bytes.Buffer
	if err := png.Encode(&p, m); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&thumbnail, m.SubImage(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&j, m, nil); err != nil {
		t.Fatal(err)
	}
	n := thumbnail.Len() + 2
	segment := slices.Concat([]byte{0xff, 0xe1, byte(n >> 8), byte(n)}, thumbnail.Bytes())
	photo := slices.Concat(j.Bytes()[:2], segment, j.Bytes()[2:])
	film := bytes.Repeat([]byte("a film"), 1<<14)
	webp := append([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xc7\xc0\x18\x00"), make([]byte, 9)...)
	for _, c := range []struct {
		name string
		data []byte
		want string // of the error
	}{
		{"whole.png", p.Bytes(), ""},
		{"cut.png", p.Bytes()[:p.Len()/2], "ends before its picture"},
		{"more.png", append(slices.Clone(p.Bytes()), film...), ""},
		{"whole.jpg", photo, ""},
		{"cut.jpg", photo[:len(photo)-20], "ends before its picture"},
		{"more.jpg", append(slices.Clone(photo), film...), ""},
		{"whole.webp", webp, ""},
		{"cut.webp", webp[:len(webp)-4], "ends before its picture"},
		{"empty.png", nil, "empty"},
		{"text.png", []byte("text"), "not a picture"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := ReadHeader(path)
		if c.want == "" && (err != nil || h.W != 200 || h.H != 100) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, error %v, want %q", c.name, h, err, c.want)
		}
	}
}
