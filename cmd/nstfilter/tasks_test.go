//go:build unix && cgo && !novips

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// A task is what a newcomer does with the blocks below a heading alone. before, which may be
// nil, prepares the folder; after looks at what came out, and at what was said.
type task struct {
	page, heading string
	before        func(t *testing.T, b block, folder string)
	after         func(t *testing.T, folder, said string)
}

var tasks = []task{
	{"docs/photos.md", "In its own colours", nil, hasOwnColours},
	{"docs/photos.md", "To AVIF", nil, isAVIF},
	{"docs/film.md", "With a mask", nil, followsMask},
	{"docs/film.md", "Going on after an interruption", killAmidFilm, wentOn},
	{"docs/keyframes.md", "From a frame to the film", makeFilmLonger, followsKey},
	{"docs/keyframes.md", "Only a few strokes: a transparent layer", nil, keepsStyle},
	{"docs/pipes.md", "To x264", nil, isH264},
	{"docs/pipes.md", "Among its neighbours", nil, isPainted},
}

// first is the first frame of a photo or film, its RGB from 0 to 1.
func first(t *testing.T, file string) *filter.Frame {
	t.Helper()
	png := filepath.Join(t.TempDir(), "first.png")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", file, "-frames:v", "1", png).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", file, err, out)
	}
	f, err := photo.Read(png)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func hasOwnColours(t *testing.T, folder, _ string) {
	in, out := first(t, folder+"/in.jpg"), first(t, folder+"/own.jpg")
	if light := apart(in, out, luma); light < 0.03 {
		t.Errorf("the light is %.3f from the photo's: not painted", light)
	}
	for name, chroma := range map[string]func(r, g, b float64) float64{"B": cb, "R": cr} {
		if d := apart(in, out, chroma); d > 0.05 {
			t.Errorf("%s − Y is %.3f from the photo's, want at most 0.05", name, d)
		}
	}
}

func isAVIF(t *testing.T, folder, _ string) {
	for _, name := range []string{"a", "b"} {
		in, out := probe(t, folder+"/photos/"+name+".jpg"), probe(t, folder+"/avif/"+name+".avif")
		if out != (properties{"av1", in.width, in.height, 1}) {
			t.Errorf("%s.avif is %v", name, out)
		}
		a, err := photo.Read(folder + "/photos/" + name + ".jpg")
		if err != nil {
			t.Fatal(err)
		}
		b, err := photo.Read(folder + "/avif/" + name + ".avif")
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(a, b, luma); d < 0.03 {
			t.Errorf("%s.avif is %.3f from the photo: not painted", name, d)
		}
	}
}

// What is dark in mask.png, its left, has the colours of night.jpg, its right those of mosaic.jpg.
func followsMask(t *testing.T, folder, _ string) {
	in, out := probe(t, folder+"/in.mkv"), probe(t, folder+"/masked.mkv")
	if in.codec = "h264"; out != in {
		t.Errorf("masked.mkv is %v, want %v", out, in)
	}
	f := first(t, folder+"/masked.mkv")
	own := []image.Rectangle{image.Rect(0, 0, f.W/2, f.H), image.Rect(f.W/2, 0, f.W, f.H)}
	for i, style := range []string{"night", "mosaic"} {
		s := first(t, folder+"/"+style+".jpg")
		whole := image.Rect(0, 0, s.W, s.H)
		here, there := 0.0, 0.0
		for _, colour := range []func(r, g, b float64) float64{cb, cr} {
			want := average(s, whole, colour)
			here += math.Abs(average(f, own[i], colour) - want)
			there += math.Abs(average(f, own[1-i], colour) - want)
		}
		if here >= there {
			t.Errorf("the region of %s is %.3f from its colours, the other one %.3f", style, here, there)
		}
	}
}

// makeFilmLonger makes in.mkv of twenty frames. In each, things are a pixel further to the left
// and half a pixel higher.
func makeFilmLonger(t *testing.T, _ block, folder string) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	shell(t, folder, "ffmpeg -v error -nostdin -y -loop 1 -i "+examples+"/readme.jpg -frames:v 20 -vf crop=480:320:0:0,crop=384:256:n*4:n*2,scale=96:64 -c:v ffv1 in.mkv")
}

// followsKey finds each painting at its frame, and the red box that is drawn on it where the
// film has moved it ten frames later, or earlier.
func followsKey(t *testing.T, folder, _ string) {
	keys, err := filepath.Glob(folder + "/painted/*.png")
	if err != nil || len(keys) == 0 {
		t.Fatal("nothing was painted by hand", err)
	}
	shell(t, folder, "mkdir all; ffmpeg -v error -nostdin -i out.mkv all/%05d.png")
	for _, key := range keys {
		var number int
		if _, err := fmt.Sscanf(filepath.Base(key), "%d.png", &number); err != nil {
			t.Fatal(err)
		}
		painting, out := first(t, key), first(t, fmt.Sprintf("%s/all/%05d.png", folder, number))
		if d := apart(painting, out, luma); d > 0.03 {
			t.Errorf("frame %d is %.3f from its painting", number, d)
		}
		later := 10
		if number > 10 {
			later = -10
		}
		x, y, n := red(painting)
		there := first(t, fmt.Sprintf("%s/all/%05d.png", folder, number+later))
		x2, y2, n2 := red(there)
		if wantX, wantY := x-float64(later), y-float64(later)/2; math.Hypot(x2-wantX, y2-wantY) > 2 || n2 < n/2 || n2 > 2*n {
			t.Errorf("%d frames from %d the box of %d pixels at %.1f, %.1f has %d, at %.1f, %.1f: want it at %.1f, %.1f", later, number, n, x, y, n2, x2, y2, wantX, wantY)
		}
	}
}

// red counts the red pixels of a frame, and returns the place in their middle.
func red(f *filter.Frame) (x, y float64, n int) {
	for i := range f.W * f.H {
		if at(f, i, func(r, g, b float64) float64 { return r - max(g, b) }) > 0.5 {
			x, y, n = x+float64(i%f.W), y+float64(i/f.W), n+1
		}
	}
	return x / float64(n), y / float64(n), n
}

// keepsStyle finds the heart, and around it not its red but the style's colours.
func keepsStyle(t *testing.T, folder, _ string) {
	shell(t, folder, "mkdir all; ffmpeg -v error -nostdin -i heart.mkv all/%05d.png")
	f := first(t, folder+"/all/00003.png")
	if _, _, n := red(f); n < 16*12*3/4 || n > 16*12*5/4 {
		t.Errorf("%d pixels are red, want the %d of the layer", n, 16*12)
	}
}

// killAmidFilm runs the block's last command, and kills it once two frames of a longer film
// are done.
func killAmidFilm(t *testing.T, b block, folder string) {
	shell(t, folder, "ffmpeg -v error -nostdin -stream_loop 9 -i in.mkv -c copy longer.mkv; mv longer.mkv in.mkv")
	lines := strings.Split(strings.TrimSpace(b.commands), "\n")
	last, _, _ := strings.Cut(lines[len(lines)-1], "#")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := command(ctx, folder, "bash", "-c", "exec "+last+" --stats stats.json")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if said, _ := os.ReadFile(folder + "/stats.json"); bytes.Count(said, []byte("\n")) >= 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.Process.Kill()
	if c.Wait() == nil {
		t.Fatal("it was done before it was killed")
	}
}

func wentOn(t *testing.T, folder, said string) {
	for _, words := range []string{"out.mkv: ", "frames were done before: going on behind them"} {
		if !strings.Contains(said, words) {
			t.Errorf("%q is not said:\n%s", words, said)
		}
	}
	sums := shell(t, folder, `
nstfilter --style night.jpg --progress none in.mkv whole.mkv
for film in out whole; do ffmpeg -v error -i $film.mkv -map 0 -f md5 -; done`)
	if sums := strings.Fields(sums); len(sums) < 2 || sums[len(sums)-1] != sums[len(sums)-2] {
		t.Errorf("it is not the film that it would have become: %s", sums)
	}
	if _, err := os.Stat(folder + "/.out.mkv.nstfilter"); err == nil {
		t.Error("the folder with what was kept is still there")
	}
}

func isH264(t *testing.T, folder, _ string) {
	in := probe(t, folder+"/in.mkv")
	if in.codec = "h264"; probe(t, folder+"/x264.mkv") != in {
		t.Errorf("x264.mkv is %v, want %v", probe(t, folder+"/x264.mkv"), in)
	}
	if d := apart(first(t, folder+"/in.mkv"), first(t, folder+"/x264.mkv"), luma); d < 0.03 {
		t.Errorf("x264.mkv is %.3f from the film: not painted", d)
	}
}

// Each neighbour's result has the size and the frames of in.mkv, or in.jpg, and is painted.
func isPainted(t *testing.T, folder, _ string) {
	in := "in.mkv"
	if _, err := os.Stat(folder + "/shown"); err == nil { // by mpv
		shell(t, folder, "ffmpeg -v error -nostdin -i shown/%08d.png -c:v ffv1 out.mkv")
	}
	all, err := filepath.Glob(folder + "/out.*")
	if err != nil || len(all) == 0 {
		t.Fatal("nothing came out", err)
	}
	for _, file := range all {
		if filepath.Ext(file) == ".jpg" {
			in = "in.jpg"
		}
		want, got := probe(t, folder+"/"+in), probe(t, file)
		if want.codec = got.codec; got != want {
			t.Errorf("%s is %v, want %v", filepath.Base(file), got, want)
		}
		if d := apart(first(t, folder+"/"+in), first(t, file), luma); d < 0.03 || d > 0.5 {
			t.Errorf("%s is %.3f from %s: not that, painted", filepath.Base(file), d, in)
		}
	}
}

func luma(r, g, b float64) float64 { return 0.2126*r + 0.7152*g + 0.0722*b }
func cb(r, g, b float64) float64   { return b - luma(r, g, b) }
func cr(r, g, b float64) float64   { return r - luma(r, g, b) }

// apart is the mean difference of a property of two pictures' pixels, and infinite if the
// pictures differ in size.
func apart(a, b *filter.Frame, of func(r, g, b float64) float64) float64 {
	if a.W != b.W || a.H != b.H {
		return math.Inf(1)
	}
	n, sum := a.W*a.H, 0.0
	for i := range n {
		sum += math.Abs(at(a, i, of) - at(b, i, of))
	}
	return sum / float64(n)
}

func average(f *filter.Frame, in image.Rectangle, of func(r, g, b float64) float64) float64 {
	sum := 0.0
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			sum += at(f, y*f.W+x, of)
		}
	}
	return sum / float64(in.Dx()*in.Dy())
}

func at(f *filter.Frame, i int, of func(r, g, b float64) float64) float64 {
	n := f.W * f.H
	return of(float64(f.Pix[i]), float64(f.Pix[n+i]), float64(f.Pix[2*n+i]))
}
