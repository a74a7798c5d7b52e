//go:build !cgo || novips

package photo

import (
	"bytes"
	"image"
	"image/gif"
	"testing"
)

func FuzzExifOrientation(f *testing.F) {
	m := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for o := range uint16(10) {
		f.Add(jpegWith(f, m, o))
	}
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := exifOrientation(data); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
	})
}

func TestExifOrientation(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for o := range uint16(12) {
		want := int(o)
		if o < 1 || o > 8 {
			want = 1
		}
		if got := exifOrientation(jpegWith(t, m, o)); got != want {
			t.Errorf("tag %d read as %d, want %d", o, got, want)
		}
	}
}

func FuzzAnimated(f *testing.F) {
	var still bytes.Buffer
	if err := gif.Encode(&still, image.NewRGBA(image.Rect(0, 0, 3, 3)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(still.Bytes())
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Go's decoder is the judge wherever it accepts the file.
		if g, err := gif.DecodeAll(bytes.NewReader(data)); err == nil && len(data) < 1<<16 {
			if isAnimated(data) != (len(g.Image) > 1) {
				t.Fatalf("%d images, animated says %v", len(g.Image), isAnimated(data))
			}
		}
	})
}
