package pipeline

import (
	"context"
	"os"
	"slices"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// A photo that is transparent on the left, half in the middle: its alpha comes back
// to the byte, and so do the colours under alpha 0, which change no other.
func TestPhotoWithAlpha(t *testing.T) {
	t.Chdir(t.TempDir())
	const w, h = 48, 32
	picture := func(seed int, alpha bool) *filter.Frame {
		f := filter.NewFrame(w, h)
		if alpha {
			f.Alpha = make([]float32, w*h)
		}
		for i := range w * h {
			x := i % w
			if alpha {
				f.Alpha[i] = float32(min(max(x-w/3, 0)*60, 255)) / 255
			}
			for p := range 3 {
				v := (x*(5+p) + i/w*7) % 256
				if alpha && f.Alpha[i] == 0 {
					v = i * (p + seed) * 7919 % 256
				}
				f.Pix[p*w*h+i] = float32(v) / 255
			}
		}
		return f
	}
	if err := photo.Write("style.png", "", picture(0, false)); err != nil {
		t.Fatal(err)
	}
	round := func(name, options string, seed int) (in, out *filter.Frame) {
		f := picture(seed, true)
		if err := photo.Write(name, options, f); err != nil {
			t.Fatal(err)
		}
		j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Inputs: []string{name, "out" + name},
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Stop: context.Background()}
		j.Coherence, j.Video, j.Style, j.Overwrite, j.Progress = coherence.DefaultOptions(), video.DefaultOptions(), []string{"style.png"}, true, "none"
		j.Filter.Iterations, j.Filter.MinSize, j.Filter.Margin = filter.Steps{2}, 16, 4
		if options != "" {
			j.Inputs[1] += "[" + options + "]"
		}
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{name, "out" + name} {
			g, err := photo.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			in, out = out, g
		}
		return in, out
	}
	for _, name := range []string{"a.png", "a.tif", "a.webp"} {
		if photo.CanWrite(name) != nil {
			continue // without libvips
		}
		options := ""
		if name == "a.webp" {
			options = "lossless"
		}
		in, out := round(name, options, 1)
		_, other := round(name, options, 2)
		if !slices.Equal(in.Alpha, out.Alpha) {
			t.Errorf("%s: alpha has changed", name)
		}
		moved := 0
		for i := range in.Pix {
			switch seen := in.Alpha[i%(w*h)] > 0; {
			case seen && out.Pix[i] != other.Pix[i]:
				t.Fatalf("%s: sample %d depends on what lies under alpha 0", name, i)
			case seen && out.Pix[i] != in.Pix[i]:
				moved++
			case !seen && out.Pix[i] != in.Pix[i] && options == "": // libvips's WebP drops these
				t.Fatalf("%s: sample %d, under alpha 0, went from %g to %g", name, i, in.Pix[i], out.Pix[i])
			}
		}
		if moved < w*h/2 {
			t.Errorf("%s: only %d samples were painted", name, moved)
		}
	}
}
