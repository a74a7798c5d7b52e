package flow

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"slices"
	"strings"
	"testing"
)

func TestFlo(t *testing.T) {
	f := NewField(7, 3)
	copy(f.U, noise(1, 21))
	copy(f.V, noise(2, 21))
	f.U[4] = 2 * Unknown
	var b bytes.Buffer
	if err := WriteFlo(&b, f); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("PIEH\x07\x00\x00\x00\x03\x00\x00\x00")) || b.Len() != 12+8*21 {
		t.Errorf("%d bytes from %q", b.Len(), b.Bytes()[:12])
	}
	g, err := ReadFlo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if g.W != 7 || g.H != 3 || !slices.Equal(f.U, g.U) || !slices.Equal(f.V, g.V) {
		t.Error("changed on the way")
	}
	if _, _, known := g.At(4, 0); known {
		t.Error("known")
	}
}

func floBytes(w, h int32, rest ...float32) []byte {
	b := []byte("PIEH")
	b = binary.LittleEndian.AppendUint32(b, uint32(w))
	b = binary.LittleEndian.AppendUint32(b, uint32(h))
	b, _ = binary.Append(b, binary.LittleEndian, rest)
	return b
}

func TestFloErrors(t *testing.T) {
	for want, b := range map[string][]byte{
		"0 of 12 bytes of its header": nil,
		"5 of 12 bytes of its header": []byte("PIEH\x01"),
		"not with PIEH":               []byte("HEIPxxxxxxxxxxxx"),
		"0×1 pixels":                  floBytes(0, 1),
		"-1×-1 pixels":                floBytes(-1, -1),
		"65536×65536 pixels":          floBytes(65536, 65536),
		"8 of 16 bytes of its flow":   floBytes(2, 1, 1, 2),
		"0 of 2147483648 bytes":       floBytes(16384, 16384),
	} {
		if _, err := ReadFlo(bytes.NewReader(b)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func FuzzReadFlo(f *testing.F) {
	f.Add(floBytes(2, 1, 1, 2, 3, 4))
	f.Add(floBytes(1<<14, 1<<14, 1))
	f.Add(floBytes(-1, 7))
	f.Add([]byte("PIEH"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ReadFlo(bytes.NewReader(b))
		if err != nil {
			return
		}
		if g.W*g.H != len(g.U) || len(g.U) != len(g.V) || 12+8*len(g.U) > len(b) {
			t.Fatalf("%d×%d from %d bytes", g.W, g.H, len(b))
		}
		var out bytes.Buffer
		WriteFlo(&out, g)
		again, err := ReadFlo(&out)
		if err != nil {
			t.Fatal(err)
		}
		sameField(t, "written and read", again, g)
		Colour(g, 1)
	})
}

func TestColour(t *testing.T) {
	f := NewField(5, 1)
	f.U = []float32{0, 2, -2, 0, 2 * Unknown}
	f.V = []float32{0, 0, 0, 1, 0}
	img := Colour(f, 0)
	for x, want := range []color.NRGBA{
		{255, 255, 255, 255}, // no motion
		{255, 0, 0, 255},     // right: red
		{0, 209, 255, 255},   // left: between cyan and blue
		{255, 242, 127, 255}, // half as far, down: yellow
		{0, 0, 0, 255},
	} {
		got := img.NRGBAAt(x, 0)
		for _, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B)} {
			if d < -16 || d > 16 {
				t.Errorf("(%v, %v): %v, not about %v", f.U[x], f.V[x], got, want)
				break
			}
		}
	}
	if dark := Colour(f, 1).NRGBAAt(1, 0); dark.R > 200 {
		t.Errorf("longer than the longest, yet %v", dark)
	}
}
