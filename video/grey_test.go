package video

import (
	"bytes"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/video/outfile"
)

// brush leaves the left half of a frame as it is, and makes the right one orange.
func brush(f *filter.Frame) {
	for i := range f.Pix {
		if i%f.W >= f.W/2 {
			f.Pix[i] = orange[i/(f.W*f.H)]
		}
	}
}

var orange = [3]float32{0.8, 0.3, 0.1}

// checkBrushed holds what became of frame f, which is grey, against brush.
func checkBrushed(t *testing.T, f *filter.Frame, got []float32, tolerance float64) {
	t.Helper()
	brush(f)
	for i, want := range f.Pix {
		if x := i % f.W; x >= f.W/2-4 && x < f.W/2+4 { // where chroma is shared, and coded with loss
			continue
		}
		if d := math.Abs(float64(got[i] - want)); !(d <= tolerance) {
			t.Fatalf("sample %d of %d×%d is %v, want %v", i, f.W, f.H, got[i], want)
		}
	}
}

// What is painted of a grey film has colours, and what is left of it is as bright.
func TestGreyFilm(t *testing.T) {
	needFFmpeg(t)
	const ramp = "-f lavfi -i color=s=64x48:r=25:d=0.08,format=gray16le,geq=lum=X*1000+Y*20"
	const hd = "-f lavfi -i color=s=64x720:r=25:d=0.08,format=gray16le,geq=lum=X*1000"
	const limited = ",setparams=range=tv -color_range tv"
	for _, c := range []struct {
		name, make, out, encoder, options string
		format, colour, space             string
		tolerance                         float64 // in steps of the result's samples
	}{
		{"ffv1", ramp + " -c:v ffv1 -pix_fmt gray", "b.mkv", "ffv1", "", "bgr0", "pc", "gbr", 0.51},
		{"ffv1 of 9 bits", ramp + " -c:v ffv1 -pix_fmt gray9le", "b.mkv", "ffv1", "", "gbrp9le", "pc", "unknown", 0.51},
		{"ffv1 of 10 bits", ramp + " -c:v ffv1 -pix_fmt gray10le", "b.mkv", "ffv1", "", "gbrp10le", "pc", "unknown", 0.51},
		{"ffv1 of 12 bits", ramp + " -c:v ffv1 -pix_fmt gray12le", "b.mkv", "ffv1", "", "gbrp12le", "pc", "unknown", 0.51},
		{"ffv1 of 16 bits", ramp + " -c:v ffv1 -pix_fmt gray16le", "b.nut", "", "", "gbrp16le", "unknown", "unknown", 0.51},
		{"limited", ramp + limited + " -c:v ffv1 -pix_fmt gray", "b.mkv", "ffv1", "", "yuv444p", "tv", "smpte170m", 2},
		{"limited HD", hd + limited + " -c:v ffv1 -pix_fmt gray10le", "b.mkv", "ffv1", "", "yuv444p10le", "tv", "bt709", 2},
		{"limited, tagged", ramp + limited + " -c:v ffv1 -pix_fmt gray -colorspace bt709", "b.mkv", "ffv1", "", "yuv444p", "tv", "bt709", 2},
		{"H.264", ramp + " -c:v ffv1 -pix_fmt gray", "b.mkv", "", "crf=1", "yuv420p", "tv", "smpte170m", 4},
		{"H.264 of 10 bits, HD", hd + " -c:v ffv1 -pix_fmt gray10le", "b.mkv", "", "crf=1", "yuv420p10le", "tv", "bt709", 8},
		{"H.264, limited", ramp + limited + " -c:v ffv1 -pix_fmt gray", "b.mkv", "", "crf=1", "yuv420p", "tv", "smpte170m", 4},
		{"H.265", ramp + " -c:v ffv1 -pix_fmt gray", "b.mp4", "libx265", "crf=1", "yuv420p", "tv", "smpte170m", 4},
		{"AV1", ramp + " -c:v ffv1 -pix_fmt gray", "b.mkv", "libaom-av1", "crf=1", "yuv420p", "tv", "smpte170m", 4},
		{"ProRes", ramp + " -c:v ffv1 -pix_fmt gray", "b.mov", "prores", "", "yuv422p10le", "tv", "smpte170m", 12},
		{"APNG", ramp + " -pix_fmt gray", "b.apng", "", "", "rgb24", "pc", "unknown", 0.51},
		{"QuickTime's animation", ramp + " -c:v png -pix_fmt gray", "b.mov", "qtrle", "", "rgb24", "unknown", "unknown", 0.51},
		{"raw", ramp + " -c:v rawvideo -pix_fmt gray", "b.nut", "rawvideo", "", "gbrp", "unknown", "unknown", 0.51},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out := filepath.Join(dir, "a.mkv"), filepath.Join(dir, c.out)
			if c.out == "b.apng" {
				in = filepath.Join(dir, "a.apng")
			}
			ffmpeg(t, c.make+" "+in)
			o := DefaultOptions()
			if c.encoder != "" {
				o.Encoder = c.encoder
			}
			if err := o.EncoderOptions.UnmarshalText([]byte(c.options)); c.options != "" && err != nil {
				t.Fatal(err)
			}
			film := carryPainted(t, in, out, o)
			if film.Format.Sampling != Mono {
				t.Fatalf("the film was made %v", film.Format)
			}
			if len(film.Notes) > 0 {
				t.Errorf("notes are %q", film.Notes)
			}
			for key, want := range map[string]string{"pix_fmt": c.format, "color_range": c.colour, "color_space": c.space} {
				if got := ffprobe(t, out, "-select_streams v:0 -show_entries stream="+key)[0]; got != want {
					t.Errorf("%s is %s, want %s", key, got, want)
				}
			}
			result, err := OpenFilm(t.Context(), out, DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			was, is := firstFrame(t, film), firstFrame(t, result)
			checkBrushed(t, was, is.Pix, c.tolerance/float64(int(1)<<result.Format.Depth-1))
		})
	}
}

// carryPainted is repaint of a film that is Painted.
func carryPainted(t *testing.T, in, out string, o Options) *Film {
	t.Helper()
	film, err := OpenFilm(t.Context(), in, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	film.Painted = true
	file, err := outfile.Reserve(out, outfile.Replace)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := CreateFilm(t.Context(), film, file, o)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Abort()
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		brush(f)
		if err := sink.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	return film
}

func firstFrame(t *testing.T, film *Film) *filter.Frame {
	t.Helper()
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Fatalf("%s has no frame", film.Path)
	return nil
}

func TestColouredHeaders(t *testing.T) {
	for _, c := range []struct {
		in, y4m string // headers
		nut     string // format
		full    bool
		matrix  Matrix
		o       Options
	}{
		{"W8 H6 F25:1 Ip A1:1 Cmono", "W8 H6 F25:1 Ip A1:1 C444 XCOLORRANGE=FULL", "gbrp", true, BT601, Options{}},
		{"W8 H6 Cmono XCOLORRANGE=LIMITED XNOTE=1", "W8 H6 XNOTE=1 C444 XCOLORRANGE=LIMITED", "yuv444p", false, BT601, Options{}},
		{"W8 H720 Cmono XYSCSS=MONO XCOLORRANGE=LIMITED", "W8 H720 C444 XCOLORRANGE=LIMITED", "yuv444p", false, BT709, Options{}},
		{"XYSCSS=MONO W8 H6", "W8 H6 C444 XCOLORRANGE=FULL", "gbrp", true, BT601, Options{}},
		{"W8 H6 Cmono9", "W8 H6 C444p9 XCOLORRANGE=FULL", "gbrp9le", true, BT601, Options{}},
		{"W8 H6 Cmono10", "W8 H6 C444p10 XCOLORRANGE=FULL", "gbrp10le", true, BT601, Options{}},
		{"W8 H6 Cmono12", "W8 H6 C444p12 XCOLORRANGE=FULL", "gbrp12le", true, BT601, Options{}},
		{"W8 H6 Cmono16", "W8 H6 C444p16 XCOLORRANGE=FULL", "gbrp16le", true, BT601, Options{}},
		{"W8 H6 Cmono10 XCOLORRANGE=FULL", "W8 H6 C444p10 XCOLORRANGE=LIMITED", "yuv444p10le", false, BT2020, Options{Colorspace: "bt2020", ColorRange: "limited"}},
		{"W8 H6 C420jpeg", "W8 H6 C420jpeg", "yuv420p", false, BT601, Options{}},
	} {
		r, err := NewY4MReader(strings.NewReader(y4mMagic + " " + c.in + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		r.Options = c.o
		was := r.Header()
		h := was.Coloured(c.o)
		if h.String() != y4mMagic+" "+c.y4m || h.Full != c.full || h.Matrix != c.matrix {
			t.Errorf("%q became %q, %+v", c.in, h.String(), h.Layout)
		}
		if again := r.Header(); again.String() != was.String() {
			t.Errorf("%q is now %q", was.String(), again.String())
		}
		n := NUTHeader{Layout: was.Layout}.Coloured(c.o)
		if n.Format.String() != c.nut || n.Full != c.full || n.Matrix != c.matrix {
			t.Errorf("%q became NUT of %v, %+v", c.in, n.Format, n.Layout)
		}
	}
	for _, p := range pixelFormats { // each grey one has a counterpart
		for _, full := range []bool{false, true} {
			q := p.coloured(full)
			if name := q.String(); (q == p) != (p.Sampling != Mono) || q.Depth != p.Depth || q.Alpha != p.Alpha || q.Sampling == Mono {
				t.Errorf("%v became %s", p, name)
			} else if known, ok := parsePixelFormat(name); !ok || known != q {
				t.Errorf("%v became %s, which is not known", p, name)
			}
		}
	}
}

// ffmpeg reads painted grey streams, of y4m and NUT, in their colours.
func TestGreyStreams(t *testing.T) {
	needFFmpeg(t)
	type sink interface {
		WriteFrame(*filter.Frame) error
		Close() error
	}
	for _, depth := range []int{8, 9, 10, 12, 16} {
		for _, full := range []bool{false, true} {
			n := noise(Layout{W: 32, H: 18, Format: PixelFormat{Mono, depth, false}, Full: full}, 5)
			if !full { // of legal samples
				frame := n.Frame()
				n = n.black()
				e := encoder{layout: n.Layout}
				data, err := e.encode(frame)
				if err != nil {
					t.Fatal(err)
				}
				n.Data = data
			}
			for kind, write := range map[string]func(io.Writer) sink{
				"yuv4mpegpipe": func(w io.Writer) sink {
					return NewY4MWriter(w, Y4MHeader{Layout: n.Layout, Rate: filter.Rational{Num: 25, Den: 1}}.Coloured(Options{}))
				},
				"nut": func(w io.Writer) sink {
					return NewNUTWriter(w, NUTHeader{Layout: n.Layout, TimeBase: filter.Rational{Num: 1, Den: 25}}.Coloured(Options{}))
				},
			} {
				stream := new(bytes.Buffer)
				w := write(stream)
				f := n.Frame()
				f.TimeBase = filter.Rational{Num: 1, Den: 25}
				brush(f)
				if err := w.WriteFrame(f); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				c := exec.Command("ffmpeg", "-v", "error", "-f", kind, "-i", "-", "-vf", "scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp", "-pix_fmt", "gbrp16le", "-f", "rawvideo", "-")
				c.Stdin = stream
				raw, err := c.Output()
				if err != nil {
					t.Fatal(err)
				}
				back := (&Native{Layout: Layout{W: n.W, H: n.H, Format: PixelFormat{RGB, 16, false}, Full: true}, Data: raw}).Frame()
				t.Logf("%s, %d bits, full range %v", kind, depth, full)
				checkBrushed(t, n.Frame(), back.Pix, 0.012) // 3/255; a wrong range or matrix is 0.04 off
			}
		}
	}
}
