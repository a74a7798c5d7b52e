package video

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
)

// nutFile is a small stream as NUTWriter makes it.
func nutFile(t testing.TB, l Layout, frames int) []byte {
	out := new(bytes.Buffer)
	tb := filter.Rational{Num: 1, Den: 1000}
	w := NewNUTWriter(out, NUTHeader{Layout: l, TimeBase: tb, Rate: filter.Rational{Num: 25, Den: 1}})
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

func TestNUTDecodePTS(t *testing.T) {
	s := nutStreamState{shift: 4, last: 100}
	for coded, want := range map[int64]int64{4: 100, 15: 95, 13: 93, 12: 108, 16: 0, 216: 200} {
		if got := s.decodePTS(coded); got != want {
			t.Errorf("%d means PTS %d, want %d", coded, got, want)
		}
	}
}

func TestNUTFrameChecksum(t *testing.T) {
	b := nutFile(t, Layout{W: 4, H: 4, Format: PixelFormat{S420, 8, false}, Matrix: BT601}, 1)
	b[len(b)-24-4-2]++ // the PTS, before the frame's size, the checksum and 24 samples
	if pts, err := readNUT(t, b); err == nil || !strings.Contains(err.Error(), "checksum of the frame's header") {
		t.Errorf("PTS %v, %v", pts, err)
	}
}

func TestNUTDamage(t *testing.T) {
	l := Layout{W: 4, H: 4, Format: PixelFormat{S420, 8, false}, Matrix: BT601}
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

// The tags are those that ffmpeg knows, its rate is read, and it sees in a copy what
// it wrote.
func TestNUTOfFFmpeg(t *testing.T) {
	needFFmpeg(t)
	list, err := exec.Command("ffmpeg", "-v", "error", "-pix_fmts").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := slices.DeleteFunc(slices.Clone(pixelFormats), func(p PixelFormat) bool {
		return !strings.Contains(string(list), " "+p.String()+" ")
	})
	if len(known) < 40 {
		t.Fatalf("ffmpeg knows %v alone", known)
	}
	t.Chdir(t.TempDir())
	all := "-filter_threads 1 -f lavfi -i testsrc2=s=16x18:r=24000/1001:d=0.1,format=rgba,colorchannelmixer=ar=0.5:aa=0.25"
	for _, p := range known {
		all += fmt.Sprintf(" -pix_fmt %v -c:v rawvideo -f nut %v.nut", p, p)
	}
	ffmpeg(t, all)
	var inputs, outputs string
	for i, p := range known {
		in, err := os.Open(p.String() + ".nut")
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		r, err := NewNUTReader(in)
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		h := r.Header()
		if h.Format != p || h.W != 16 || h.H != 18 || h.Rate != (filter.Rational{Num: 24000, Den: 1001}) {
			t.Errorf("%v: header %+v", p, h)
		}
		out, err := os.Create(p.String() + ".copy.nut")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		w := NewNUTWriter(out, h)
		for f, err := range r.Frames(t.Context()) {
			if err == nil {
				err = w.WriteFrame(f)
			}
			if err != nil {
				t.Fatalf("%v: %v", p, err)
			}
		}
		inputs += fmt.Sprintf(" -f nut -i %v.nut -f nut -i %v.copy.nut", p, p)
		outputs += fmt.Sprintf(" -map %d -c copy -f framemd5 %v.md5 -map %d -c copy -f framemd5 %v.copy.md5", 2*i, p, 2*i+1, p)
	}
	ffmpeg(t, inputs[1:]+outputs)
	for _, p := range known {
		want, err := os.ReadFile(p.String() + ".md5")
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(p.String() + ".copy.md5")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) || bytes.Count(got, []byte("\n0, ")) < 2 {
			t.Errorf("%v: ffmpeg sees\n%s, want\n%s", p, got, want)
		}
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
	f.Add(nutFile(f, Layout{W: 4, H: 4, Format: PixelFormat{S420, 8, false}, Matrix: BT601}, 2))
	f.Add(nutFile(f, Layout{W: 3, H: 1, Format: PixelFormat{RGB, 16, false}}, 2))
	f.Add(nutFile(f, Layout{W: 2, H: 3, Format: PixelFormat{S420, 10, true}, Full: true, Matrix: BT709}, 2))
	f.Add(nutFile(f, Layout{W: 1, H: 2, Format: PixelFormat{RGB, 8, true}, SAR: filter.Rational{Num: 4, Den: 3}}, 1))
	f.Add(nutFile(f, Layout{W: 3, H: 3, Format: PixelFormat{Mono, 12, false}}, 0))
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

// Raw video that is not planar has the samples that ffmpeg finds in it.
func TestNUTPacked(t *testing.T) {
	needFFmpeg(t)
	for name, plain := range map[string]string{
		"rgb24": "rgb24", "bgr24": "rgb24", "rgb0": "rgb24", "bgr0": "rgb24", "0rgb": "rgb24", "0bgr": "rgb24",
		"rgba": "rgba", "bgra": "rgba", "argb": "rgba", "abgr": "rgba", "pal8": "rgba",
		"rgb48le": "rgb48le", "bgr48le": "rgb48le", "rgba64le": "rgba64le", "bgra64le": "bgra64le", "nv12": "yuv420p", "nv21": "yuv420p",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := filepath.Join(t.TempDir(), "a.nut")
			ffmpeg(t, "-f lavfi -i testsrc2=s=35x27:r=25:d=0.08 -vf format=rgba,colorchannelmixer=aa=0.4 -c:v rawvideo -pix_fmt "+name+" "+in)
			want, err := exec.Command("ffmpeg", "-v", "error", "-i", in, "-f", "rawvideo", "-pix_fmt", plain, "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(in)
			if err != nil {
				t.Fatal(err)
			}
			r, err := NewNUTReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for f, err := range r.Frames(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				n := f.Origin.(*Native)
				if plain == "yuv420p" {
					got = append(got, n.Data...)
					continue
				}
				size, order := n.Format.bytesPerSample(), []int{2, 0, 1, alphaPlane} // R, G, B, A
				if plain == "bgra64le" {
					order[0], order[2] = order[2], order[0]
				}
				for i := range n.W * n.H {
					for _, plane := range order {
						if plane != alphaPlane || n.Format.Alpha {
							p, _, _ := n.plane(n.Data, plane)
							got = append(got, p[i*size:(i+1)*size]...)
						}
					}
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes of samples differ from ffmpeg's %d", len(got), len(want))
			}
		})
	}
	in := filepath.Join(t.TempDir(), "a.nut")
	ffmpeg(t, "-f lavfi -i testsrc2=s=64x48:r=25:d=0.08 -c:v rawvideo -pix_fmt p010le "+in)
	data, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readNUT(t, data); err == nil || !strings.Contains(err.Error(), "yuv420p10le for p010") {
		t.Errorf("p010: %v", err)
	}
}
