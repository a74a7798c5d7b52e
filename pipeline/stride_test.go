package pipeline

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video/coherence"
)

// drift is a film of a texture that moves by at most a pixel a frame, to the left and back, with a
// cut if cut is above 0.
type drift struct{ frames, cut int }

const driftW, driftH = 96, 64

func (d drift) frame(i int) *filter.Frame {
	f := filter.NewFrame(driftW, driftH)
	f.Index, f.PTS, f.TimeBase, f.Duration = i, int64(i), filter.Rational{Num: 1, Den: 10}, 1
	at, seed := math.Sin(math.Pi*float64(i)/float64(d.frames))*float64(d.frames)/4, 1.0
	if d.cut > 0 && i >= d.cut {
		seed = 2.5
	}
	for k := range f.Pix {
		x, y, p := float64(k%driftW)+at, float64(k/driftW%driftH), float64(k/(driftW*driftH))
		s := math.Sin(x/5+seed)*math.Cos(y/7+2*seed) + math.Sin((x+y)/3+3*seed+p) + math.Sin(x/11-y/4+seed)
		f.Pix[k] = float32(0.5 + s/8)
		if d.cut > 0 && i >= d.cut {
			f.Pix[k] = 0.3 * f.Pix[k]
		}
	}
	return f
}

func (d drift) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		for i := range d.frames {
			if !yield(d.frame(i), nil) {
				return
			}
		}
	}
}

// away is the mean magnitude of the difference of two pictures.
func away(a, b *filter.Frame) (sum float64) {
	for i, v := range a.Pix {
		sum += math.Abs(float64(v-b.Pix[i])) / float64(len(a.Pix))
	}
	return sum
}

// A number paints every so many frames, and the last one of a scene; auto paints where much is new.
// anew does that from coarse to fine.
// A second pass paints the same ones again, but for the one that it begins with.
func TestStridePaintsFewerFrames(t *testing.T) {
	for _, c := range []struct {
		stride coherence.Stride
		passes int
		anew   bool
		want   []int
	}{
		{3, 1, false, []int{4, 0, 0, 1, 0, 0, 1, 4, 0, 0, 1, 1}},
		{3, 2, false, []int{5, 0, 0, 2, 0, 0, 1, 5, 0, 0, 2, 1}},
		{0, 1, false, []int{4, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 1}},
		{1, 1, true, []int{4, 0, 0, 0, 0, 0, 4, 4, 0, 0, 0, 4}},
	} {
		t.Run(fmt.Sprint(c.stride, c.passes, c.anew), func(t *testing.T) {
			o, _, err := paintFilmOf(t, drift{12, 7}, func(j *Job, _ *order, _ context.CancelFunc) {
				j.Coherence.Stride = c.stride
				j.Coherence.Anew = c.anew
				j.Coherence.Passes, j.Coherence.Lookahead = c.passes, 100
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range o.written {
				if f.Index != i {
					t.Errorf("frame %d comes as number %d", f.Index, i)
				}
			}
			if !slices.Equal(o.iterations, c.want) {
				t.Errorf("steps %d, want %d", o.iterations, c.want)
			}
		})
	}
}

// A film that ends where it began ends in the strokes that it began with.
func TestLoopEndsAsItBegan(t *testing.T) {
	distance := map[bool]float64{}
	for _, passes := range onceAndTwice() {
		for _, loop := range []bool{false, true} {
			o, _, err := paintFilmOf(t, drift{14, 0}, func(j *Job, _ *order, _ context.CancelFunc) {
				j.Coherence.Loop = loop
				j.Coherence.Passes, j.Coherence.Lookahead, j.Filter.FrameIterations = passes, 100, 3
			})
			if err != nil {
				t.Fatal(err)
			}
			begin, end := o.written[0], o.written[13]
			distance[loop] = math.Abs(away(begin, end) - away(drift{14, 0}.frame(0), drift{14, 0}.frame(13)))
		}
		if distance[true] > distance[false]/2 {
			t.Errorf("%d passes: the last result is %.4f from the first one with --loop, %.4f without", passes, distance[true], distance[false])
		}
	}
	o, _, err := paintFilmOf(t, drift{8, 4}, func(j *Job, _ *order, _ context.CancelFunc) { j.Coherence.Loop, j.Coherence.Passes = true, 1 })
	if said := strings.Join(o.said, "\n"); err != nil || !strings.Contains(said, "does not lead into its first one") {
		t.Errorf("a film that ends elsewhere: %q, %v", said, err)
	}
}

// The frame of a key is its painting, and frames on either side of it have it where the film has
// moved it; in a pass of their own too. A frame behind a cut has nothing of it.
func TestKeysLeadTheFilm(t *testing.T) {
	film := drift{12, 9}
	painting := film.frame(5).Resized(driftW, driftH)
	pix := slices.Clone(painting.Pix)
	for k := range pix {
		x, y := k%driftW, k/driftW%driftH
		pix[k] = 0.8 - 0.6*pix[k]
		if x >= 40 && x < 50 && y >= 25 && y < 35 {
			pix[k] = []float32{1, 0, 1}[k/(driftW*driftH)] // a square in magenta
		}
	}
	file := filepath.Join(t.TempDir(), "key.png")
	if err := photo.Write(file, "", painting.With(pix)); err != nil {
		t.Fatal(err)
	}
	for _, passes := range onceAndTwice() {
		o, _, err := paintFilmOf(t, film, func(j *Job, _ *order, _ context.CancelFunc) {
			j.Style, j.Key = nil, []string{"0.5=" + file}
			j.Coherence.Passes, j.Coherence.Lookahead, j.Filter.FrameIterations = passes, 100, 3
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := away(o.written[5], painting.With(pix)); d > 1.0/255 {
			t.Errorf("%d passes: the key's frame is %.4f from the painting", passes, d)
		}
		shift := func(i int) float64 { return math.Sin(math.Pi*float64(i)/12) * 3 }
		for _, i := range []int{0, 3, 7, 8} {
			x, n := magenta(o.written[i])
			if want := 44.5 + shift(5) - shift(i); math.Abs(x-want) > 0.5 || n < 70 || n > 130 {
				t.Errorf("%d passes: frame %d has %.0f pixels of the square about x = %.2f, want 100 about %.2f", passes, i, n, x, want)
			}
		}
		if _, n := magenta(o.written[10]); n > 0 {
			t.Errorf("%d passes: %.0f pixels of the square are behind the cut", passes, n)
		}
	}
}

// onceAndTwice are numbers of passes: the second alone where there is little time.
func onceAndTwice() []int {
	if testing.Short() {
		return []int{2}
	}
	return []int{1, 2}
}

// magenta returns how many pixels of f are about magenta, and their mean x.
func magenta(f *filter.Frame) (x, n float64) {
	for i := range f.W * f.H {
		if k := f.W * f.H; f.Pix[i] > 0.8 && f.Pix[k+i] < 0.2 && f.Pix[2*k+i] > 0.8 {
			x, n = x+float64(i%f.W), n+1
		}
	}
	return x / max(n, 1), n
}
