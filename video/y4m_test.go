package video

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"nstfilter/filter"
)

func TestY4MDefaults(t *testing.T) {
	r, err := NewY4MReader(strings.NewReader("YUV4MPEG2 H16 W18\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := r.Header()
	if h.Rate != (filter.Rational{Num: 25, Den: 1}) || h.Format != (PixelFormat{S420, 8, false}) || h.Siting != Centre || h.Full || h.Matrix != BT601 {
		t.Errorf("header %+v", h)
	}
	if s := h.Resized(8, 6); s.String() != "YUV4MPEG2 H6 W8" || h.String() != "YUV4MPEG2 H16 W18" {
		t.Errorf("resized %q, was %q", s.String(), h.String())
	}
	r.Options = Options{Colorspace: "bt709", ColorRange: "full"}
	if h := r.Header(); h.Matrix != BT709 || !h.Full {
		t.Errorf("overridden: %+v", h)
	}
	for colour, want := range map[string]struct {
		p PixelFormat
		s Siting
	}{
		"444alpha": {PixelFormat{S444, 8, true}, Left},
		"420":      {PixelFormat{S420, 8, false}, Centre}, "420mpeg2": {PixelFormat{S420, 8, false}, Left}, "420paldv": {PixelFormat{S420, 8, false}, TopLeft},
		"420p10": {PixelFormat{S420, 10, false}, Left}, "422": {PixelFormat{S422, 8, false}, Left}, "444p16": {PixelFormat{S444, 16, false}, Left},
		"mono": {PixelFormat{Mono, 8, false}, Left}, "mono9": {PixelFormat{Mono, 9, false}, Left},
	} {
		var l Layout
		if err := parseY4MColour(colour, &l); err != nil || l.Format != want.p || l.Siting != want.s {
			t.Errorf("C%s: %v siting %d, %v", colour, l.Format, l.Siting, err)
		}
	}
}

func TestY4MErrors(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "empty input"},
		{"RIFF....", "not with YUV4MPEG2"},
		{"YUV4MPEG2 W4", "ends within its header"},
		{"YUV4MPEG2 W4 H4 C422alpha\n", "-pix_fmt"},
		{"YUV4MPEG2 W4 H4 XYSCSS=411\n", "C411"},
		{"YUV4MPEG2 W4 H4 C411\n", "C411"},
		{"YUV4MPEG2 W4\n", "size 4×0"},
		{"YUV4MPEG2 W65536 H4\n", "size 65536×4"},
		{"YUV4MPEG2 W65535 H65535\n", "more than"},
		{"YUV4MPEG2 W4 H4 F25\n", "ratio"},
		{"YUV4MPEG2 W4 H4 F25:-1\n", "ratio"},
		{"YUV4MPEG2 " + strings.Repeat("X", 5000), "within 4096 bytes"},
	} {
		if _, err := NewY4MReader(strings.NewReader(test.in)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.30q: %v, want %q", test.in, err, test.want)
		}
	}
}

func TestY4MTruncated(t *testing.T) {
	whole := "YUV4MPEG2 W4 H4\nFRAME\n" + strings.Repeat("a", 24) + "FRAME\n" + strings.Repeat("b", 24)
	for _, test := range []struct {
		in     string
		frames int
		want   string
	}{
		{whole, 2, ""},
		{whole[:len(whole)-5], 1, "frame 1: input ends after 19 of 24 bytes"},
		{whole + "FRA", 2, `frame 2: "FRA"`},
		{whole + "FRAME", 2, "frame 2: input ends within the frame's header"},
		{whole + "FRAME\n", 2, "frame 2: input ends after 0 of 24"},
		{whole + "GARBAGE\n", 2, "frame 2"},
		{"YUV4MPEG2 W3 H1 C420p10\nFRAME\n" + strings.Repeat("a", 14) + "\nFRAME\n", 1, "odd widths"},
	} {
		r, err := NewY4MReader(strings.NewReader(test.in))
		if err != nil {
			t.Fatal(err)
		}
		frames, last := 0, ""
		for _, err := range r.Frames(t.Context()) {
			if err != nil {
				last = err.Error()
			} else {
				frames++
			}
		}
		if frames != test.frames || (last == "") != (test.want == "") || !strings.Contains(last, test.want) {
			t.Errorf("%d frames and %q, want %d and %q", frames, last, test.frames, test.want)
		}
	}
}

func TestY4MTokens(t *testing.T) {
	for _, test := range []struct {
		in, out string // header; out: with --color-range full
		want    Y4MHeader
	}{
		{"XCOLORRANGE=FULL C444 A2:1 F30:1 H6 Ib W8 ", "", Y4MHeader{Interlace: "b", Rate: filter.Rational{Num: 30, Den: 1},
			Layout: Layout{W: 8, H: 6, Format: PixelFormat{S444, 8, false}, Full: true, SAR: filter.Rational{Num: 2, Den: 1}}}},
		{"W8 H6 F0:0 A0:0 I? XYSCSS=420MPEG2 XCOLORRANGE=LIMITED", "W8 H6 F0:0 A0:0 I? XYSCSS=420MPEG2 XCOLORRANGE=FULL",
			Y4MHeader{Interlace: "?", Rate: filter.Rational{Num: 25, Den: 1}, Layout: Layout{W: 8, H: 6, Format: PixelFormat{S420, 8, false}}}},
		{"W8 H6 C422p10 XYSCSS=422P10 XNOTE=1", "W8 H6 C422p10 XYSCSS=422P10 XNOTE=1 XCOLORRANGE=FULL",
			Y4MHeader{Rate: filter.Rational{Num: 25, Den: 1}, Layout: Layout{W: 8, H: 6, Format: PixelFormat{S422, 10, false}}}},
		{"Cmono W8 H6 Im", "", Y4MHeader{Interlace: "m", Rate: filter.Rational{Num: 25, Den: 1},
			Layout: Layout{W: 8, H: 6, Format: PixelFormat{Mono, 8, false}, Full: true, Siting: Left}}},
	} {
		r, err := NewY4MReader(strings.NewReader(y4mMagic + " " + test.in + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		h := r.Header()
		if h.String() != y4mMagic+" "+test.in {
			t.Errorf("%q was written as %q", test.in, h.String())
		}
		test.want.Matrix = BT601
		if h.Layout != test.want.Layout || h.Rate != test.want.Rate || h.Interlace != test.want.Interlace {
			t.Errorf("%q: %+v, want %+v", test.in, h, test.want)
		}
		r.Options.ColorRange = "full"
		if h := r.Header(); h.String() != y4mMagic+" "+cmp.Or(test.out, test.in) {
			t.Errorf("%q in full range was written as %q", test.in, h.String())
		}
	}
}

func TestCheckY4M(t *testing.T) {
	for _, p := range pixelFormats {
		l := Layout{W: 2, H: 2, Format: p}
		err := CheckY4M(p)
		if err == nil {
			var back Layout
			if err := parseY4MColour(l.y4mColour(), &back); err != nil || back.Format != p {
				t.Errorf("%v: C%s is read as %v, %v", p, l.y4mColour(), back.Format, err)
			}
			continue
		}
		_, remedy, _ := strings.Cut(err.Error(), "-pix_fmt ")
		if q, ok := parsePixelFormat(remedy); !ok || CheckY4M(q) != nil || !strings.Contains(err.Error(), p.String()) {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// All that ffmpeg writes is read and written back, and ffmpeg reads headers made from
// the fields alone.
func TestY4MOfFFmpeg(t *testing.T) {
	needFFmpeg(t)
	t.Chdir(t.TempDir())
	all := "-filter_threads 1 -f lavfi -i testsrc2=s=18x19:r=24000/1001:d=0.1,format=rgba,colorchannelmixer=ar=0.5:aa=0.25,setsar=64/45"
	var known []PixelFormat
	for _, p := range pixelFormats {
		if CheckY4M(p) == nil {
			known = append(known, p)
			all += fmt.Sprintf(" -pix_fmt %v -strict -1 -f yuv4mpegpipe %v.y4m", p, p)
		}
	}
	ffmpeg(t, all)
	var inputs, outputs string
	for i, p := range known {
		in, err := os.ReadFile(p.String() + ".y4m")
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewY4MReader(bytes.NewReader(in))
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		h := r.Header()
		if h.Format != p || h.W != 18 || h.H != 19 || h.Rate != (filter.Rational{Num: 24000, Den: 1001}) || h.SAR != (filter.Rational{Num: 64, Den: 45}) {
			t.Errorf("%v: header %+v", p, h)
		}
		same, made := new(bytes.Buffer), new(bytes.Buffer)
		a := NewY4MWriter(same, h)
		h.Parameters = nil
		b := NewY4MWriter(made, h)
		for f, err := range r.Frames(t.Context()) {
			if err != nil {
				t.Fatalf("%v: %v", p, err)
			}
			if err := errors.Join(a.WriteFrame(f), b.WriteFrame(f)); err != nil {
				t.Fatalf("%v: %v", p, err)
			}
		}
		if !bytes.Equal(same.Bytes(), in) {
			t.Errorf("%v: bytes differ", p)
		}
		if err := os.WriteFile(p.String()+".made.y4m", made.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		inputs += fmt.Sprintf(" -i %v.y4m -i %v.made.y4m", p, p)
		outputs += fmt.Sprintf(" -map %d -c copy -f framemd5 %v.md5 -map %d -c copy -f framemd5 %v.made.md5", 2*i, p, 2*i+1, p)
	}
	ffmpeg(t, inputs[1:]+outputs)
	for _, p := range known {
		want, err := os.ReadFile(p.String() + ".md5")
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(p.String() + ".made.md5")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) || bytes.Count(got, []byte("\n0, ")) < 2 {
			t.Errorf("%v: ffmpeg sees\n%s, want\n%s", p, got, want)
		}
	}
}

// A header that promises much must not make the reader allocate it.
func TestHostileSizeAllocatesLittle(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := NewY4MReader(strings.NewReader("YUV4MPEG2 W32768 H32768 C420\nFRAME\nabc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range r.Frames(t.Context()) {
		if err == nil {
			t.Error("a frame out of nothing")
		}
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 4<<20 {
		t.Errorf("%d bytes allocated", after.TotalAlloc-before.TotalAlloc)
	}
}

func TestFramesStopEarly(t *testing.T) {
	in := "YUV4MPEG2 W4 H4\n" + strings.Repeat("FRAME\n"+strings.Repeat("a", 24), 3)
	r, err := NewY4MReader(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	for _, err := range r.Frames(ctx) {
		if count++; count == 1 {
			cancel()
		} else if err != context.Canceled {
			t.Errorf("after cancel: %v", err)
		}
	}
	if count != 2 {
		t.Errorf("%d items", count)
	}
}

func TestWriterRefusesOtherSize(t *testing.T) {
	w := NewY4MWriter(io.Discard, Y4MHeader{Layout: Layout{W: 4, H: 4, Format: PixelFormat{S420, 8, false}}, Rate: filter.Rational{Num: 25, Den: 1}})
	if err := w.WriteFrame(filter.NewFrame(5, 4)); err == nil || !strings.Contains(err.Error(), "5×4") {
		t.Errorf("error %v", err)
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]Kind{"YUV4MPEG2 W4": Y4M, nutMagic + "x": NUT, "": Other, "nut": Other, "\x89PNG\r\n\x1a\n....": Other} {
		r := bufio.NewReader(strings.NewReader(in))
		if got := Sniff(r); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
		if rest, _ := io.ReadAll(r); string(rest) != in {
			t.Errorf("%q: consumed", in)
		}
	}
}

func FuzzY4M(f *testing.F) {
	f.Add([]byte("YUV4MPEG2 W4 H4\nFRAME\n" + strings.Repeat("a", 24)))
	f.Add([]byte("YUV4MPEG2 W3 H5 F30000:1001 Ip A1:1 C444p10 XCOLORRANGE=FULL\nFRAME I\n" + strings.Repeat("ab", 45)))
	f.Add([]byte("YUV4MPEG2 H2 W2 Cmono16  Xa\nFRAME\n12345678FRAME\n1"))
	f.Add([]byte("YUV4MPEG2 C444alpha W2 Ib H1 A0:0 F0:0\nFRAME Itpp XA=1\n12345678"))
	f.Add([]byte("YUV4MPEG2 W1 H1 XYSCSS=420PALDV I?\nFRAME\n123"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewY4MReader(bytes.NewReader(in))
		if err != nil {
			return
		}
		out := new(bytes.Buffer)
		w := NewY4MWriter(out, r.Header())
		for frame, err := range r.Frames(t.Context()) {
			if err != nil {
				return
			}
			if err := w.WriteFrame(frame); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), in) {
			t.Fatalf("%q was written as %q", in, out.Bytes())
		}
	})
}
