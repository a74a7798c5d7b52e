package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// gpu is an engine with memory of its own.
type gpu struct {
	engine.Engine
	free      int64
	onForward func() // may panic with engine.Failure
	forwards  atomic.Int32
	closed    atomic.Bool
}

func newGPU(onForward func(g *gpu)) *gpu {
	g := &gpu{Engine: enginetest.Reference{}, free: 16 << 30}
	g.onForward = func() { onForward(g) }
	return g
}

func (g *gpu) FreeMemory() int64 { return g.free }
func (g *gpu) Close()            { g.closed.Store(true) }

func (g *gpu) Compile(s engine.Spec) (engine.Evaluator, error) {
	ev, err := g.Engine.Compile(s)
	return &onGPU{ev, g}, err
}

type onGPU struct {
	engine.Evaluator
	gpu *gpu
}

func (e *onGPU) Forward(x engine.Vector) []engine.Moments {
	e.gpu.forwards.Add(1)
	e.gpu.onForward()
	return e.Evaluator.Forward(x)
}

// withGPUs returns a registry whose cuda has these GPUs.
func withGPUs(gpus []engine.Engine) engines.Registry {
	return engines.Registry{{
		Name: "cuda",
		List: func() ([]string, error) { return make([]string, len(gpus)), nil },
		Open: func(n int, _ string, _ int) (engine.Engine, error) { return gpus[n], nil },
	}}
}

// failure is what a device says when it is lost.
var failure = engine.Failure{Err: errors.New("cuda:1 has fallen off the bus")}

// batch makes n photos, p0.png and so on, and a job that paints them on the GPUs
// into out/. What it says goes to said.txt.
func batch(t *testing.T, n int, gpus ...engine.Engine) *Job {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("out", 0o755); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create("said.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { said.Close() })
	j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: said, Stop: t.Context(), devices: withGPUs(gpus)}
	j.Style, j.Output, j.Stats, j.Progress = []string{"style.png"}, "out/%s.png", "stats.json", "plain"
	j.Filter.Iterations, j.Filter.Margin, j.Filter.MinSize = filter.Steps{1}, 0, 0
	j.Filter.StyleLayers, j.Filter.ContentLayers = j.Filter.StyleLayers[:1], j.Filter.StyleLayers[:1]
	for i := range n {
		name := fmt.Sprintf("p%d.png", i)
		if err := photo.Write(name, "", waves(20+i, 18, float64(i))); err != nil {
			t.Fatal(err)
		}
		j.Inputs = append(j.Inputs, name)
	}
	if err := photo.Write("style.png", "", waves(side, side, 7)); err != nil {
		t.Fatal(err)
	}
	return j
}

// results are the files in out/ by name.
func results(t *testing.T) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir("out")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() {
			continue // what is kept to go on from
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join("out", e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("said.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Two GPUs do a batch side by side, to the same bytes as one does.
func TestBatchOnTwoGPUs(t *testing.T) {
	const n = 4
	j := batch(t, n, newGPU(func(*gpu) {}))
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := results(t)

	var busy atomic.Int32
	together := make(chan struct{})
	meet := func(g *gpu) { // the first time, each waits for the other
		if g.forwards.Load() == 1 {
			if busy.Add(1) == 2 {
				close(together)
			}
			select {
			case <-together:
			case <-time.After(time.Minute):
				t.Error("one GPU waits for the other to do something")
			}
		}
	}
	a, b := newGPU(meet), newGPU(meet)
	for _, progress := range []string{"plain", "json", "bar"} {
		busy.Store(0)
		together = make(chan struct{})
		a.forwards.Store(0)
		b.forwards.Store(0)
		j = batch(t, n, a, b)
		j.Progress = progress
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := results(t)
		for name, file := range want {
			if !bytes.Equal(got[name], file) {
				t.Errorf("%s: %s is another with two GPUs", progress, name)
			}
		}
		if len(got) != n || !a.closed.Load() || !b.closed.Load() {
			t.Errorf("%s: %d results, GPUs closed: %t, %t", progress, len(got), a.closed.Load(), b.closed.Load())
		}
		var inputs []string
		stats, err := os.ReadFile("stats.json")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(stats)) {
			var s Stat
			if err := json.Unmarshal([]byte(line), &s); err != nil {
				t.Errorf("%s: --stats: %q: %v", progress, line, err)
			}
			inputs = append(inputs, s.Input)
		}
		slices.Sort(inputs)
		if !slices.Equal(inputs, j.Inputs) {
			t.Errorf("%s: --stats has %q", progress, inputs)
		}
		done := 0
		for line := range strings.Lines(said(t)) {
			switch {
			case progress == "json" && !json.Valid([]byte(line)):
				t.Errorf("not a line of JSON: %q", line)
			case progress == "plain" && !strings.HasPrefix(line, "nstfilter: p") && line != "nstfilter: 4 inputs: 4 painted\n":
				t.Errorf("not a line about an input: %q", line)
			case strings.Contains(line, ": done in ") || strings.Contains(line, `"event":"frame"`):
				done++
			}
		}
		if done != n {
			t.Errorf("%s: %d are done, by\n%s", progress, done, said(t))
		}
	}
}

// A GPU that is lost costs the photo at hand; the other does the rest.
func TestBatchWithALostGPU(t *testing.T) {
	lose := func(*gpu) { panic(failure) }
	lost := make(chan struct{})
	for _, c := range []struct {
		name    string
		gpus    []engine.Engine
		want    string
		results int
	}{
		{"one of two", []engine.Engine{newGPU(func(*gpu) { <-lost }), newGPU(func(g *gpu) { close(lost); lose(g) })}, "1 of 5 inputs failed: p", 4},
		{"both", []engine.Engine{newGPU(lose), newGPU(lose)}, "2 of 5 inputs failed, and 3 were not begun: no device is left", 0},
		{"the only one", []engine.Engine{newGPU(lose)}, "1 of 5 inputs failed, and 4 were not begun: no device is left", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := batch(t, 5, c.gpus...)
			if err := j.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if got := results(t); len(got) != c.results {
				t.Errorf("%d results, want %d", len(got), c.results)
			}
			text := said(t)
			if !strings.Contains(text, ".png: ") || !strings.Contains(text, "nstfilter: error: p") || !strings.Contains(text, failure.Error()+", or choose --device cpu\n") {
				t.Errorf("it says\n%s", text)
			}
		})
	}
}

// A photo that a GPU has no memory for costs no other.
func TestBatchWithoutMemory(t *testing.T) {
	j := batch(t, 3, newGPU(func(g *gpu) {
		if g.forwards.Load() == 1 {
			panic(engine.Failure{Err: fmt.Errorf("cuda:0: %w", engine.ErrMemory)})
		}
	}))
	if err := j.Run(t.Context()); err == nil || err.Error() != "1 of 3 inputs failed: p0.png" {
		t.Error(err)
	}
	if text := said(t); !strings.Contains(text, "cuda:0: out of memory: end other programs on the device, paint smaller with --size") || len(results(t)) != 2 {
		t.Errorf("%d results; it says\n%s", len(results(t)), text)
	}
}

// Stopped, both finish the photo at hand; cancelled, neither leaves anything.
func TestBatchEndsEarly(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stop, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var busy atomic.Int32
		together := make(chan struct{})
		end := func(g *gpu) {
			if g.forwards.Load() == 1 {
				if busy.Add(1) == 2 {
					interrupt()
					if cancelled {
						cancel()
					}
					close(together)
				}
				<-together
			}
		}
		a, b := newGPU(end), newGPU(end)
		j := batch(t, 6, a, b)
		j.Stop = stop
		if err := j.Run(ctx); err != ErrInterrupted {
			t.Errorf("%v", err)
		}
		want := 2
		if cancelled {
			want = 0
		}
		if got := results(t); len(got) != want {
			t.Errorf("cancelled: %t: %d results, want %d", cancelled, len(got), want)
		}
	}
}

// cancelledBy is cancelled once there is a file.
type cancelledBy struct {
	context.Context
	file string
}

func (c cancelledBy) Err() error {
	if fileExists(c.file) {
		return context.Canceled
	}
	return c.Context.Err()
}

// A photo that was complete when the job was cancelled is not painted again.
func TestBatchEndsBehindAPhoto(t *testing.T) {
	j := batch(t, 2, newGPU(func(*gpu) {}))
	if err := j.Run(cancelledBy{t.Context(), "out/p0.png"}); err != ErrInterrupted {
		t.Fatal(err)
	}
	if got := results(t); len(got) != 1 {
		t.Fatalf("%d results", len(got))
	}
	j.Stats = ""
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said(t), "2 inputs: 1 painted, 1 done before") || len(results(t)) != 2 {
		t.Error(said(t))
	}
}

func TestMemoryOfAGPU(t *testing.T) {
	g := newGPU(func(*gpu) {})
	g.free = 16 << 20
	w := &worker{options: DefaultOptions(), engine: g, workers: 2}
	if got, err := w.memoryLimit(); got != 15<<20 || err != nil {
		t.Errorf("%d of %d bytes are free, %v", got, g.free, err)
	}
	w.options.MaxMemory = 3 << 20
	if got, err := w.memoryLimit(); got != 3<<20 || err != nil {
		t.Errorf("%d bytes, with --max-memory %d, %v", got, w.options.MaxMemory, err)
	}
	w.engine = enginetest.Reference{}
	if got, err := w.memoryLimit(); err == nil || !strings.Contains(err.Error(), "--max-memory 3145728: the program, its network and the styles take") {
		t.Errorf("%d of the host's, of which the program has more: %v", got, err)
	}
}

func TestPhotoThatAGPUHasNoRoomFor(t *testing.T) {
	g := newGPU(func(*gpu) {})
	g.free = 100 << 10
	j := batch(t, 1, g)
	err := j.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "p0.png: even a picture of") || !strings.Contains(err.Error(), "of the GPU's memory, and 0.096 MB can be had: allow more with --max-memory, or end other programs on it, or choose --device cpu") {
		t.Errorf("%v", err)
	}
	j = batch(t, 1, g)
	j.Filter.Size = 20
	if err = j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "of the GPU's memory, and 0.096 MB can be had: allow more") {
		t.Errorf("%v", err)
	}
}

// What is done of a film when the device fails is a film, and how to go on is said.
func TestFilmWithALostGPU(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg")
	}
	for _, c := range []struct {
		name    string
		frames  int // that are painted before
		kept    bool
		says    string
		because string
	}{
		{"in the third frame", 2, true, "in.mkv: ended early; the 2 frames that are done are in out/in.interrupted.mkv. Run the same command again to go on", "in.mkv: frame 2: "},
		{"in the first frame", 0, false, "", "in.mkv: frame 0: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			planned := 0
			g := newGPU(func(*gpu) {
				if planned++; planned > 4 && strings.Count(said(t), " iterations, ") == c.frames {
					panic(failure)
				}
			})
			j := batch(t, 0, g)
			j.Verbose = true
			if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x24:r=5:d=1", "in.mkv").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			j.Inputs, j.Output = []string{"in.mkv"}, "out/%s.mkv"
			err := j.Run(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), c.because) || !strings.Contains(err.Error(), failure.Error()) {
				t.Errorf("error %v, want %s", err, c.because)
			}
			if text := said(t); !strings.Contains(text, c.says) {
				t.Errorf("it says\n%swant %s", text, c.says)
			}
			got := results(t)
			if _, kept := got["in.interrupted.mkv"]; kept != c.kept || len(got) > 1 {
				t.Errorf("%d files are left, want the film: %t", len(got), c.kept)
			}
		})
	}
}
