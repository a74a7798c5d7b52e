package video

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nstfilter/filter"
	"nstfilter/video/outfile"
)

func needFFmpeg(t *testing.T) {
	t.Helper()
	if err := findFFmpeg(); err != nil {
		if os.Getenv("NSTFILTER_REQUIRE_FFMPEG") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// ffmpeg runs a command line of blank-separated words; the last is the output.
func ffmpeg(t *testing.T, line string) {
	t.Helper()
	args := append([]string{"-v", "error", "-nostdin", "-y"}, strings.Fields(line)...)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", line, err, out)
	}
}

// ffprobe returns one value per line.
func ffprobe(t *testing.T, path, line string) []string {
	t.Helper()
	args := append(append([]string{"-v", "error", "-of", "csv=p=0"}, strings.Fields(line)...), path)
	out, err := exec.Command("ffprobe", args...).Output()
	if err != nil {
		t.Fatalf("ffprobe %s %s: %v", line, path, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], ",")
	}
	return lines
}

func times(t *testing.T, path string) (seconds []float64) {
	t.Helper()
	for _, s := range ffprobe(t, path, "-select_streams V:0 -show_entries frame=pts_time") {
		if s == "" { // ffprobe ends a frame with side data so
			continue
		}
		v, err := strconv.ParseFloat(strings.Split(s, ",")[0], 64)
		if err != nil {
			t.Fatalf("%s: time %q", path, s)
		}
		seconds = append(seconds, v)
	}
	return seconds
}

// repaint carries a film through, as if painted by paint; nil: unpainted.
func repaint(t *testing.T, in, out string, o Options, paint func(*filter.Frame)) *Film {
	t.Helper()
	film, err := OpenFilm(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	file, err := outfile.Reserve(out, outfile.Replace)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := CreateFilm(t.Context(), film, file, o)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			sink.Abort()
			t.Fatal(err)
		}
		if f.W != film.W || f.H != film.H {
			t.Errorf("frame %d×%d, film %d×%d", f.W, f.H, film.W, film.H)
		}
		if paint != nil {
			paint(f)
		}
		if err := sink.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*partial*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return film
}

const source = "-f lavfi -i testsrc2=s=64x48:r=25:d=0.6 "
const sine = "-f lavfi -i sine=d=0.6 "

// Decoding gives the very samples that ffmpeg gives, in every format it has.
func TestFilmSamplesAreExact(t *testing.T) {
	needFFmpeg(t)
	for _, p := range []string{"yuv420p", "yuv422p", "yuv444p", "gray", "gbrp", "yuv420p10le", "yuv422p12le", "yuv444p16le", "gbrp10le", "gbrp16le", "gray16le", "yuv420p9le"} {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			in := filepath.Join(t.TempDir(), "a.nut")
			size := "63x47"
			ffmpeg(t, "-f lavfi -i testsrc2=s="+size+":r=25:d=0.12 -c:v rawvideo -pix_fmt "+p+" "+in)
			want, err := exec.Command("ffmpeg", "-v", "error", "-i", in, "-f", "rawvideo", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			film, err := OpenFilm(t.Context(), in, DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			if film.Format.String() != p {
				t.Errorf("format %v", film.Format)
			}
			var got []byte
			for f, err := range film.Frames(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				n := f.Origin.(*Native)
				back := make([]byte, len(n.Data))
				n.encode(back, f)
				got = append(got, back...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes of samples differ from ffmpeg's %d", len(got), len(want))
			}
		})
	}
}

func TestFilmNoAudioAndPaint(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "-a b.mp4"), filepath.Join(dir, "out %d.mp4")
	// One colour: at edges, chroma detail that RGB did not carry stays in the result.
	ffmpeg(t, "-f lavfi -i color=c=0x406080:s=64x48:r=25:d=0.6 "+sine+"-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac "+filepath.Join(dir, "x.mp4"))
	if err := os.Rename(filepath.Join(dir, "x.mp4"), in); err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.NoAudio = true
	repaint(t, in, out, o, func(f *filter.Frame) {
		for i := range f.Pix {
			f.Pix[i] = [...]float32{0.8, 0.3, 0.1}[i/(f.W*f.H)]
		}
	})
	if got := ffprobe(t, out, "-show_entries stream=codec_type"); !slices.Equal(got, []string{"video"}) {
		t.Errorf("streams %v", got)
	}
	film, err := OpenFilm(t.Context(), out, o)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for c, want := range []float32{0.8, 0.3, 0.1} {
			if got := f.Pix[c*f.W*f.H+f.W*f.H/2]; got < want-0.02 || got > want+0.02 {
				t.Errorf("frame %d channel %d is %v, painted %v", f.Index, c, got, want)
			}
		}
	}
}

func TestOpenFilmErrors(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	ffmpeg(t, sine+path("sound.wav"))
	ffmpeg(t, "-f lavfi -i color=s=8x8:d=0.1 -c:v ffv1 "+path("small.mkv"))
	ffmpeg(t, source+"-c:v libx264 -preset ultrafast "+path("good.mp4"))
	for name, text := range map[string]string{
		"text.mp4":  "not a film at all",
		"empty.mp4": "",
		"list.mp4":  "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:" + path("good.mp4") + "\n#EXT-X-ENDLIST\n",
		"cat.mp4":   "ffconcat version 1.0\nfile good.mp4\n",
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"missing.mp4": "no such file",
		"text.mp4":    "not a film",
		"empty.mp4":   "empty",
		"sound.wav":   "sound only",
		"small.mkv":   "8×8",
		"list.mp4":    "may name other files (hls)", // would make ffmpeg open good.mp4
		"cat.mp4":     "may name other files (concat)",
		".":           "not a regular file",
	} {
		_, err := OpenFilm(t.Context(), path(name), DefaultOptions())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Clean(path(name))) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	film, err := OpenFilm(t.Context(), path("good.mp4"), DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for out, want := range map[string]string{
		path("good.mp4"):        "film itself",
		path("noextension"):     "extension",
		path("x.unknownformat"): "x.unknownformat",
		path("none/x.mp4"):      "none/x.mp4",
	} {
		file, err := outfile.Reserve(out, outfile.Replace)
		if err == nil {
			_, err = CreateFilm(t.Context(), film, file, DefaultOptions())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", out, err, want)
		}
	}
	t.Setenv("PATH", dir)
	if _, err := OpenFilm(t.Context(), path("good.mp4"), DefaultOptions()); err == nil || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("without ffmpeg: %v", err)
	}
}

func TestFilmEndsEarly(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.mp4")
	ffmpeg(t, "-f lavfi -i testsrc2=s=320x240:r=25:d=8 -c:v libx264 -preset ultrafast "+in)
	goroutines := runtime.NumGoroutine()
	open := func() (*Film, *FilmSink) {
		film, err := OpenFilm(t.Context(), in, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		file, err := outfile.Reserve(out, outfile.Replace)
		if err != nil {
			t.Fatal(err)
		}
		sink, err := CreateFilm(t.Context(), film, file, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		return film, sink
	}

	film, sink := open() // the loop is left, the sink aborted
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
		if f.Index == 3 {
			break
		}
	}
	sink.Abort()

	film, sink = open() // cancelled
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for f, err := range film.Frames(ctx) {
		if last = err; err == nil && f.Index == 2 {
			cancel()
		}
	}
	if last == nil || !strings.Contains(last.Error(), context.Canceled.Error()) {
		t.Errorf("after cancel: %v", last)
	}
	sink.Abort()

	film, sink = open() // the encoder dies
	last = nil
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if last = sink.WriteFrame(f); last != nil {
			break
		}
		if f.Index == 2 {
			sink.p.cancel()
		}
	}
	if last == nil || !strings.Contains(last.Error(), "frame ") || !strings.Contains(last.Error(), "b.mp4") {
		t.Errorf("encoder died: %v", last)
	}
	sink.Abort()

	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if b, err := os.Stat(out); err == nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", b, left)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

// Of a film that was cut short the whole frames are kept, and Damage tells.
func TestFilmCutShort(t *testing.T) {
	needFFmpeg(t)
	for _, c := range []struct{ name, make string }{
		{"a.nut", "-c:v rawvideo"}, {"a.mkv", "-c:v ffv1"}, {"a.mp4", "-c:v libx264 -preset ultrafast -movflags +faststart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in := filepath.Join(dir, c.name)
			ffmpeg(t, "-f lavfi -i testsrc2=s=160x120:r=25:d=0.6 "+c.make+" "+in)
			b, err := os.ReadFile(in)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in, b[:len(b)*2/3], 0o600); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "b.mkv")
			film := repaint(t, in, out, DefaultOptions(), nil)
			if got := times(t, out); len(got) < 5 || len(got) > 14 {
				t.Errorf("times of the frames are %v", got)
			}
			if want := fmt.Sprintf("%d ", len(times(t, out))); !strings.HasPrefix(film.Damage, want) || !strings.Contains(film.Damage, "frames could be read") {
				t.Errorf("cut short, and the damage is %q", film.Damage)
			}
		})
	}
}

// What an edit list leaves out, before the film begins, is not in the result: libdav1d, other
// than most decoders, gives it.
func TestEditListBetweenKeyFrames(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	whole, in, out := filepath.Join(dir, "whole.mp4"), filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.mp4")
	ffmpeg(t, source+sine+"-c:v libaom-av1 -cpu-used 8 -usage realtime -g 99 -c:a aac "+whole)
	ffmpeg(t, "-ss 0.2 -i "+whole+" -c copy "+in)
	film := repaint(t, in, out, DefaultOptions(), nil)
	got := times(t, out)
	if len(got) != 10 || got[0] != 0 || math.Abs(got[9]-0.36) > 1e-6 {
		t.Errorf("frames come at %v, want 0, 0.04 … 0.36", got)
	}
	if film.Damage != "" {
		t.Errorf("damage %q", film.Damage)
	}
	if begins := ffprobe(t, out, "-show_entries stream=start_time"); begins[0] != begins[1] {
		t.Errorf("picture and sound begin at %v", begins)
	}
}

// ffmpeg-go finds inputs in maps: the order of arguments must not depend on it.
func TestArguments(t *testing.T) {
	film := &Film{Path: "-in.mkv", W: 64, H: 48, options: DefaultOptions(), timeBase: "-1", Rate: filter.Rational{Num: 25, Den: 1}}
	film.others = []probedStream{{Index: 0, Type: "audio", Codec: "aac"}, {Index: 2, Type: "subtitle", Codec: "subrip"}}
	film.layout.Format = PixelFormat{S420, 8, false}
	s := &FilmSink{film: film, file: &outfile.Pending{Partial: "-out.mp4"}, container: "mp4", encoding: encoding{name: "libx264", target: "yuv420p"}}
	var first []string
	for i := range 300 {
		stream, _ := s.encoder(64, 48, false)
		args := stream.GetArgs()
		if i == 0 {
			first = args
			line := strings.Join(args, " ")
			for _, want := range []string{"-i pipe:0 ", "-i file:-in.mkv -map 0:v:0 -map 1:0 -map 1:2 ", " -c:s:0 mov_text ", " file:-out.mp4"} {
				if !strings.Contains(line, want) {
					t.Errorf("%q is not in %s", want, line)
				}
			}
			if strings.Index(line, "pipe:0") > strings.Index(line, "-in.mkv") {
				t.Errorf("inputs in the wrong order: %s", line)
			}
		} else if !slices.Equal(args, first) {
			t.Fatalf("run %d: %v\nwas %v", i, args, first)
		}
	}
}

func TestOlderThan61(t *testing.T) {
	for version, want := range map[string]bool{"5.1.9-0+deb12u1": true, "6.0": true, "6.1": false, "n6.0.1": true, "n7.1": false, "N-110000-gabc": false, "4.4.2-0ubuntu": true, "2024-01-01-git": false} {
		if got := olderThan61(version); got != want {
			t.Errorf("%s: %v", version, got)
		}
	}
}

func TestOptions(t *testing.T) {
	o := DefaultOptions()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	o.ColorRange = "wide"
	if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "--color-range") {
		t.Errorf("error %v", err)
	}
}

// A film whose picture changes its size is scaled to the size that the container says,
// whichever comes first, and a note tells.
func TestFilmOfSeveralSizes(t *testing.T) {
	needFFmpeg(t)
	for _, c := range []struct{ first, second, header, patched, want string }{
		// PixelWidth and PixelHeight of one byte, or of two; there is no room for 320 in one.
		{"160x90", "320x180", "\xb0\x81\xa0\xba\x81\x5a", "\xb0\x81\xff\xba\x81\xb4", "255,180,10"},
		{"320x180", "160x90", "\xb0\x82\x01\x40\xba\x81\xb4", "\xb0\x82\x00\xa0\xba\x81\x5a", "160,90,10"},
		{"320x180", "160x90", "", "", "320,180,10"},
	} {
		t.Run(c.first+" to "+c.want, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := func(name string) string { return filepath.Join(dir, name) }
			ffmpeg(t, "-f lavfi -i testsrc2=s="+c.first+":r=25:d=0.2 -c:v libvpx "+path("0.webm"))
			ffmpeg(t, "-f lavfi -i testsrc2=s="+c.second+":r=25:d=0.2 -c:v libvpx "+path("1.webm"))
			if err := os.WriteFile(path("list.txt"), []byte("file 0.webm\nfile 1.webm\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			ffmpeg(t, "-f concat -i "+path("list.txt")+" -c copy "+path("a.webm"))
			data, err := os.ReadFile(path("a.webm"))
			if err != nil {
				t.Fatal(err)
			}
			if c.header != "" {
				data = bytes.Replace(data, []byte(c.header), []byte(c.patched), 1)
			}
			if err := os.WriteFile(path("a.webm"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			film := repaint(t, path("a.webm"), path("b.mkv"), DefaultOptions(), nil)
			if got := ffprobe(t, path("b.mkv"), "-count_frames -show_entries stream=width,height,nb_read_frames"); got[0] != c.want {
				t.Errorf("width, height and frames are %v, want %s", got, c.want)
			}
			sizes := strings.ReplaceAll("("+c.first+", "+c.second+")", "x", "×")
			if notes := strings.Join(film.Notes, "; "); !strings.Contains(notes, sizes) || film.Damage != "" {
				t.Errorf("notes are %q, want %s; damage %q", notes, sizes, film.Damage)
			}
		})
	}
}
