package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

const side = 32

// pan is a film of frames that move by a pixel, and from frame cut on another one.
type pan struct {
	frames, cut int
	err         error // at its end
}

func (p pan) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		for i := range p.frames {
			f := filter.NewFrame(side, side)
			f.Index, f.PTS, f.TimeBase = i, int64(3*i), filter.Rational{Num: 1, Den: 25}
			for k := range f.Pix {
				x, y := k%side+i, k/side%side
				v := float32((x*x/3+y*y/2)%23) / 44
				if i >= p.cut {
					v = 1 - v/3
				}
				f.Pix[k] = v
			}
			if !yield(f, nil) {
				return
			}
		}
		if p.err != nil {
			yield(nil, p.err)
		}
	}
}

// order records which frame is painted in which pass, and which is written.
type order struct {
	silentReporter
	events     []string
	iterations []int // of each frame written
	written    []*filter.Frame
	stylizer   *stylizer
	onPass     func(framePass)
	onStep     func()
	said       []string
}

func (o *order) say(text string) { o.said = append(o.said, text) }

func (o *order) frame(s *Stat) { o.iterations = append(o.iterations, s.Iterations) }

func (o *order) pass(t framePass) {
	o.events = append(o.events, fmt.Sprintf("%d:%d", t.pass, t.frame))
	if o.onPass != nil {
		o.onPass(t)
	}
}

func (o *order) step(filter.Progress) {
	if o.onStep != nil {
		o.onStep()
	}
}

// paintFilmOf paints a source with the settings that change makes.
func paintFilmOf(t *testing.T, film Source, change func(*Job, *order, context.CancelFunc)) (*order, *recorder, error) {
	t.Helper()
	dir := t.TempDir()
	style := filepath.Join(dir, "style.png")
	if err := photo.Write(style, "", waves(side, side, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := &order{}
	j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(), Stop: t.Context(), TempDir: filepath.Join(dir, "temp")}
	if err := os.Mkdir(j.TempDir, 0o755); err != nil {
		t.Fatal(err)
	}
	j.Style = []string{style}
	j.Filter.Iterations, j.Filter.FrameIterations = filter.Steps{2}, 1
	j.Coherence.Passes, j.Coherence.Lookahead = 2, 3
	change(j, o, cancel)
	styles, err := newStyleTimeline(j.Style, j.Filter.StyleBlendWeights, j.Coherence.StyleFade, nil)
	if err != nil {
		t.Fatal(err)
	}
	strength, err := findMap("--strength", j.Strength, &paintTask{in: "-"})
	if err != nil {
		t.Fatal(err)
	}
	mask, err := findMap("--mask", j.Mask, &paintTask{in: "-"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := parseKeys(j.Key)
	if err != nil {
		t.Fatal(err)
	}
	workers, err := j.openWorkers(ctx, []paintTask{{mask: mask, keys: keys}}, styles, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	defer workers[0].close()
	l := newLedger("film", nil, o)
	dst := &recorder{onFrame: func(i int) { o.events = append(o.events, fmt.Sprint("give ", i)) }}
	o.stylizer = &stylizer{worker: workers[0], ledger: l, strength: strength, mask: mask, stop: j.Stop}
	err = Run(ctx, StopSource(j.Stop, film), statSink{dst, l}, l.timeSource, o.stylizer.stage(), mapStage(func(_ context.Context, f *filter.Frame) (*filter.Frame, error) {
		o.written = append(o.written, f)
		return f, nil
	}))
	left, readErr := os.ReadDir(j.TempDir)
	if readErr != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, readErr)
	}
	// The file must be closed even where it is unlinked while it is open.
	open, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range open {
		if name, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(name, j.TempDir) {
			t.Errorf("%s is still open", name)
		}
	}
	return o, dst, err
}

func TestPassesGoBackAndForth(t *testing.T) {
	for _, c := range []struct {
		name       string
		change     func(*Job)
		iterations []int // one each, two and two like a later frame's for the first of a scene
		want       string
	}{
		{"scenes and parts", func(j *Job) { j.Coherence.Passes = 3 }, []int{5, 3, 2, 3, 2, 5, 2},
			// A part as long as can be, one that a cut ends, one that the film ends. The
			// first frame that a forward pass meets stays unless something precedes it.
			"1:0 1:1 1:2 2:2 2:1 2:0 3:0 3:1 3:2 give 0 give 1 give 2 " +
				"1:3 1:4 2:4 2:3 3:3 3:4 give 3 give 4 " +
				"1:5 1:6 2:6 2:5 3:5 3:6 give 5 give 6"},
		{"long enough", func(j *Job) { j.Coherence.Lookahead = 100 }, []int{5, 2, 2, 2, 1, 5, 1},
			"1:0 1:1 1:2 1:3 1:4 2:4 2:3 2:2 2:1 2:0 give 0 give 1 give 2 give 3 give 4 1:5 1:6 2:6 2:5 give 5 give 6"},
		{"little disk", func(j *Job) { j.Coherence.Lookahead, j.MaxTemp = 100, 4*50000 }, []int{5, 2, 2, 1, 2, 5, 1},
			"1:0 1:1 1:2 1:3 2:3 2:2 2:1 2:0 give 0 give 1 give 2 give 3 1:4 2:4 give 4 1:5 1:6 2:6 2:5 give 5 give 6"},
		{"once", func(j *Job) { j.Coherence.Passes = 1 }, []int{4, 1, 1, 1, 1, 4, 1},
			"give 0 give 1 give 2 give 3 give 4 give 5 give 6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, _, err := paintFilmOf(t, pan{frames: 7, cut: 5}, func(j *Job, _ *order, _ context.CancelFunc) { c.change(j) })
			if got := strings.Join(o.events, " "); got != c.want || err != nil {
				t.Fatalf("%s, %v\nwant %s", got, err, c.want)
			}
			if !slices.Equal(o.iterations, c.iterations) {
				t.Errorf("iterations %d, want %d", o.iterations, c.iterations)
			}
		})
	}
}

// The scene's next part begins from the last one's final results.
func TestPartsBeginFromWrittenResults(t *testing.T) {
	o, _, err := paintFilmOf(t, pan{frames: 3, cut: 100}, func(j *Job, _ *order, _ context.CancelFunc) { j.Coherence.Passes, j.Filter.FrameIterations = 3, 5 })
	if err != nil {
		t.Fatal(err)
	}
	var next *filter.Frame
	for f := range (pan{frames: 3, cut: 100}).Frames(t.Context()) {
		next = f
	}
	analysis, err := o.stylizer.analyzer.Analyze(next) // the last frame once more: nothing moves
	if err != nil {
		t.Fatal(err)
	}
	g := o.stylizer.history.Guide(analysis)
	off, worst, last := 0, float32(0), o.written[len(o.written)-1]
	for i, v := range g.Prior.Pix {
		// Where confidence in the flow is below 1, an older frame contributes a little.
		d := v - last.Pix[i]
		worst = max(worst, d, -d)
		if d < -2e-3 || d > 2e-3 {
			off++
		}
	}
	if off > 0 {
		t.Errorf("%d of %d samples of the prior differ from the result that was written, by up to %.3g", off, len(g.Prior.Pix), worst)
	}
}

func TestPassesEndEarly(t *testing.T) {
	broken := errors.New("the film ends within a frame")
	at := func(pass int, frame int64, do func()) func(framePass) {
		return func(t framePass) {
			if t.pass == pass && t.frame == frame {
				do()
			}
		}
	}
	for _, c := range []struct {
		name   string
		film   pan
		change func(*Job, *order, context.CancelFunc)
		want   string
		err    string
	}{
		{"the film fails: the current part is written before the error", pan{2, 100, broken}, func(*Job, *order, context.CancelFunc) {},
			"1:0 1:1 give 0 give 1", broken.Error()},
		{"stopped: the current part is written as it is", pan{3, 100, nil}, func(j *Job, o *order, _ context.CancelFunc) {
			stop, interrupt := context.WithCancel(t.Context())
			j.Stop, o.onPass = stop, at(2, 1, interrupt)
		}, "1:0 1:1 1:2 2:2 2:1 give 0 give 1 give 2", "<nil>"},
		{"cancelled: nothing is written", pan{3, 100, nil}, func(_ *Job, o *order, cancel context.CancelFunc) { o.onPass = at(2, 1, cancel) },
			"1:0 1:1 1:2 2:2 2:1", "frame 1: context canceled"},
		{"a frame that does not fit", pan{3, 100, nil}, func(j *Job, _ *order, _ context.CancelFunc) { j.MaxTemp = 10000 },
			"1:0", "frame 0 takes 1 MB of temporary disk, and --max-temp allows 0"},
		{"no folder", pan{3, 100, nil}, func(j *Job, _ *order, _ context.CancelFunc) { j.Coherence.FlowFrom = "none" },
			"", "--flow-from: open none: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, dst, err := paintFilmOf(t, c.film, c.change)
			if got := strings.Join(o.events, " "); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if !strings.HasPrefix(fmt.Sprint(err), c.err) || (dst.cause == nil) != (err == nil) || dst.ends != 1 {
				t.Errorf("error %v, want %s; ended %d times by %v", err, c.err, dst.ends, dst.cause)
			}
		})
	}
}

func TestSpillGivesPhotosBack(t *testing.T) {
	dir := t.TempDir()
	spill, err := coherence.NewSpill(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	f := waves(20, 18, 1)
	f.Alpha = make([]float32, 20*18)
	f.Alpha[7] = 0.5
	name := filepath.Join(dir, "a.png")
	if err := photo.Write(name, "", f); err != nil {
		t.Fatal(err)
	}
	if f, err = photo.Read(name); err != nil {
		t.Fatal(err)
	}
	if err := spill.Add(&coherence.PaintedFrame{Frame: f, Content: f, Result: f}); err != nil {
		t.Fatal(err)
	}
	got, err := spill.At(0)
	if err != nil || !reflect.DeepEqual(got.Content, f) || !reflect.DeepEqual(got.Result, f) {
		t.Errorf("another picture, or another origin: %v", err)
	}
}

func TestProgressOfPasses(t *testing.T) {
	c := inputProgress{input: "clip.mkv", frames: 4}
	share := func(want float64, text string) {
		t.Helper()
		if got := c.share(); got != want || !strings.Contains(c.String(), text) {
			t.Errorf("%g of %s, want %g and %s", got, c.String(), want, text)
		}
	}
	c.beginPass(framePass{0, 1, 2, 0})
	c.step.Done = 0.5
	share(1./16, "frame 1/4, pass 1/2")
	c.beginPass(framePass{1, 1, 2, 0.5})
	c.step.Done = 1
	share(1./4, "frame 2/4, pass 1/2")
	c.beginPass(framePass{1, 2, 2, 1})
	c.beginPass(framePass{0, 2, 2, 1.5})
	c.step.Done = 1
	share(1./2, "frame 1/4, pass 2/2")
	c.finishFrame()
	c.finishFrame()
	share(1./2, "")
	c.beginPass(framePass{2, 1, 2, 0})
	share(1./2, "frame 3/4, pass 1/2")
}

func TestTempLimit(t *testing.T) {
	for _, c := range [][3]int64{{5e9, 1e9, 5e9}, {0, 1e9, 5e8}, {0, 1e12, 8e9}, {0, 0, 8e9}} {
		if got := tempLimit(c[0], c[1]); got != c[2] {
			t.Errorf("%d asked, %d free: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
