package pipeline

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// detail is the mean square of a picture's Laplacian.
func detail(f *filter.Frame) (sum float64) {
	for y := 1; y < f.H-1; y++ {
		for x := 1; x < f.W-1; x++ {
			i := y*f.W + x
			sum += math.Pow(float64(4*f.Pix[i]-f.Pix[i-1]-f.Pix[i+1]-f.Pix[i-f.W]-f.Pix[i+f.W]), 2)
		}
	}
	return sum / float64((f.W-2)*(f.H-2))
}

// If a film is painted smaller than it is, its frames stay as detailed as the first one and
// resemble one another, at either output size.
func TestSmallerFilmKeepsItsDetail(t *testing.T) {
	const w, h, frames = 128, 96, 10
	t.Chdir(t.TempDir())
	for _, name := range []string{"in", "out"} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, f *filter.Frame) {
		t.Helper()
		if err := photo.Write(name, "", f); err != nil {
			t.Fatal(err)
		}
	}
	write("style.png", waves(80, 64, 2))
	for i := range frames {
		write(fmt.Sprintf("in/%d.png", i), waves(w, h, 1))
	}
	for _, c := range []struct {
		output string
		passes int
		w, h   int
	}{{"input", 1, w, h}, {"work", 1, 64, 48}, {"input", 2, w, h}, {"work", 2, 64, 48}} {
		if c.passes > 1 && testing.Short() {
			continue
		}
		t.Run(fmt.Sprintf("%s, %d passes", c.output, c.passes), func(t *testing.T) {
			j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(),
				Inputs: []string{"in/%d.png", "out/%d.png"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Stop: context.Background()}
			j.Style, j.Overwrite, j.Progress = []string{"style.png"}, true, "none"
			j.Filter.Size, j.Filter.OutputSize, j.Filter.Iterations = 64, c.output, filter.Steps{30}
			j.Coherence.Passes = c.passes
			if err := j.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			var first, before *filter.Frame
			for i := range frames {
				f, err := photo.Read(fmt.Sprintf("out/%d.png", i))
				if err != nil {
					t.Fatal(err)
				}
				if f.W != c.w || f.H != c.h {
					t.Fatalf("frame %d is %d×%d, want %d×%d", i, f.W, f.H, c.w, c.h)
				}
				if first == nil {
					first = f
				}
				if r := detail(f) / detail(first); r < 0.9 || r > 1.1 {
					t.Errorf("frame %d has %.2f of the first one's detail", i, r)
				}
				if before != nil {
					change := 0.0
					for k, v := range f.Pix {
						change += math.Abs(float64(v-before.Pix[k])) / float64(len(f.Pix))
					}
					if change > 0.02 {
						t.Errorf("frame %d differs from the one before by %.3f, though nothing moves", i, change)
					}
				}
				before = f
			}
		})
	}
}
