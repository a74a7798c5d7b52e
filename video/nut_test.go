package video

import (
	"bytes"
	"strings"
	"testing"

	"nstfilter/filter"
)

// nutFile is a small stream as NUTWriter makes it.
func nutFile(t testing.TB, l Layout, frames int) []byte {
	out := new(bytes.Buffer)
	tb := filter.Rational{Num: 1, Den: 1000}
	w := NewNUTWriter(out, NUTHeader{l, tb})
	for i := range frames {
		f := noise(l, uint64(i)).Frame()
		f.Index, f.PTS, f.TimeBase = i, int64(40*i), tb
		if err := w.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readNUT(t testing.TB, in []byte) (pts []int64, err error) {
	r, err := NewNUTReader(bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	for f, err := range r.Frames(t.Context()) {
		if err != nil {
			return pts, err
		}
		pts = append(pts, f.PTS)
	}
	return pts, nil
}

func TestNUTDamage(t *testing.T) {
	l := Layout{W: 4, H: 4, Format: PixelFormat{S420, 8}, Matrix: BT601}
	whole := nutFile(t, l, 3)
	if pts, err := readNUT(t, whole); err != nil || len(pts) != 3 || pts[2] != 80 {
		t.Fatalf("PTS %v, %v", pts, err)
	}
	pts, err := readNUT(t, whole[:len(whole)-10])
	if err == nil || len(pts) != 2 || !strings.Contains(err.Error(), "frame 2: input ends after 14 of 24 bytes") {
		t.Errorf("cut short: %d frames, %v", len(pts), err)
	}
	// Any cut, and any flipped bit of the headers, is an error or fewer frames, never a panic.
	headers := len(nutFile(t, l, 0))
	for i := range whole {
		if pts, err := readNUT(t, whole[:i]); err == nil && len(pts) == 3 {
			t.Errorf("cut at %d: all frames, no error", i)
		}
	}
	for i := range headers {
		b := bytes.Clone(whole)
		b[i] ^= 4
		if _, err := readNUT(t, b); err == nil {
			t.Errorf("byte %d flipped: no error", i)
		}
	}
	if _, err := readNUT(t, nil); err == nil || !strings.Contains(err.Error(), "-f nut") {
		t.Errorf("empty: %v", err)
	}
}

func TestRescale(t *testing.T) {
	ms, mpeg := filter.Rational{Num: 1, Den: 1000}, filter.Rational{Num: 1, Den: 90000}
	for _, test := range []struct {
		t        int64
		from, to filter.Rational
		want     int64
		ok       bool
	}{
		{40, ms, mpeg, 3600, true},
		{3599, mpeg, ms, 39, true},
		{7, ms, ms, 7, true},
		{1 << 62, ms, mpeg, 0, false},
		{1, filter.Rational{}, ms, 0, false},
	} {
		if got, ok := rescale(test.t, test.from, test.to); got != test.want || ok != test.ok {
			t.Errorf("%d %v to %v: %d %v", test.t, test.from, test.to, got, ok)
		}
	}
}

func FuzzNUT(f *testing.F) {
	f.Add(nutFile(f, Layout{W: 4, H: 4, Format: PixelFormat{S420, 8}, Matrix: BT601}, 2))
	f.Add(nutFile(f, Layout{W: 3, H: 1, Format: PixelFormat{RGB, 16}}, 2))
	f.Add(nutFile(f, Layout{W: 3, H: 3, Format: PixelFormat{Mono, 12}}, 0))
	f.Add([]byte(nutMagic))
	// The checksums make most changes to a header vain, so the contents are also
	// given, and packed here.
	f.Fuzz(func(t *testing.T, in []byte) {
		readNUT(t, in)
		a, b, _ := bytes.Cut(in, []byte("|"))
		made := appendPacket([]byte(nutMagic), nutMain, a[:min(len(a), 1<<16)])
		made = appendPacket(made, nutStream, b[:min(len(b), 1<<16)])
		readNUT(t, append(made, in...))
	})
}
