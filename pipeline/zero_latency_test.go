package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// asked notes when a frame is asked for.
type asked struct {
	counter
	note func(string, int)
}

func (a *asked) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		i := 0
		a.note("asked", i)
		for f, err := range a.counter.Frames(ctx) {
			if !yield(f, err) {
				return
			}
			i++
			a.note("asked", i)
		}
	}
}

func TestZeroLatencyAsksForNothingEarly(t *testing.T) {
	var order []string
	note := func(what string, i int) { order = append(order, fmt.Sprint(what, " ", i)) }
	dst := &recorder{onFrame: func(i int) { note("written", i) }}
	w := &worker{options: Options{ZeroLatency: true}}
	l := newLedger("-", nil, silentReporter{})
	if err := Run(t.Context(), &asked{counter{n: 3}, note}, statSink{dst, l}, w.stages(l, 0, mapStage(pass))...); err != nil {
		t.Fatal(err)
	}
	want := []string{"asked 0", "written 0", "asked 1", "written 1", "asked 2", "written 2", "asked 3"}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}

// TestZeroLatency holds every frame back until the result of the one before has
// come whole.
func TestZeroLatency(t *testing.T) {
	const w, h, frames = 48, 32, 3
	style := t.TempDir() + "/style.png"
	if err := photo.Write(style, "", waves(w, h, 1)); err != nil {
		t.Fatal(err)
	}
	layout := video.Layout{Format: video.PixelFormat{Sampling: video.S444, Depth: 8}, W: w, H: h, Matrix: video.BT601}
	rate := filter.Rational{Num: 1, Den: 25}
	for _, kind := range []struct {
		name   string
		writer func(io.Writer) Writer
		reader func(io.Reader) (Source, error)
	}{
		{"y4m", func(w io.Writer) Writer {
			return video.NewY4MWriter(w, video.Y4MHeader{Layout: layout, Rate: filter.Rational{Num: 25, Den: 1}})
		}, func(r io.Reader) (Source, error) { return video.NewY4MReader(r) }},
		{"nut", func(w io.Writer) Writer {
			return video.NewNUTWriter(w, video.NUTHeader{Layout: layout, TimeBase: rate})
		},
			func(r io.Reader) (Source, error) { return video.NewNUTReader(r) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			in, out, done := zeroLatencyJob(t, style)
			// What a frame's result takes is known from a writer of our own.
			var copied bytes.Buffer
			dst, size := kind.writer(in), kind.writer(&copied)
			results := bufio.NewReader(out)
			var all []byte
			for i := range frames {
				f := waves(w, h, float64(i))
				f.Index, f.PTS, f.TimeBase = i, int64(i), rate
				for _, s := range []Writer{dst, size} {
					if err := s.WriteFrame(f); err != nil {
						t.Fatal(err)
					}
				}
				result := make([]byte, copied.Len())
				if _, err := io.ReadFull(results, result); err != nil {
					t.Fatalf("frame %d's result did not come before frame %d was sent: %v", i, i+1, err)
				}
				all = append(all, result...)
				copied.Reset()
			}
			in.Close()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			r, err := kind.reader(bytes.NewReader(all))
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for f, err := range r.Frames(t.Context()) {
				if err != nil || f.W != w || f.PTS != int64(n) {
					t.Fatalf("result %d: %v, %v", n, f, err)
				}
				n++
			}
			if n != frames {
				t.Errorf("%d results of %d frames", n, frames)
			}
		})
	}
}

// zeroLatencyJob runs a job with --zero-latency from one pipe to another. done gives its
// error when it has ended.
func zeroLatencyJob(t *testing.T, style string) (in, out *os.File, done <-chan error) {
	theirIn, in := pipes(t)
	out, theirOut := pipes(t)
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(),
		Stdin: theirIn, Stdout: theirOut, Stderr: devNull, Stop: t.Context()}
	j.ZeroLatency, j.Progress, j.Style = true, "none", []string{style}
	j.Filter.Iterations, j.Filter.FrameIterations = filter.Steps{1}, 1
	ended := make(chan error, 1)
	go func() {
		ended <- j.Run(t.Context())
		theirOut.Close()
		devNull.Close()
	}()
	out.SetReadDeadline(time.Now().Add(time.Minute))
	return in, out, ended
}

func pipes(t *testing.T) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// waves is a picture.
func waves(w, h int, seed float64) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		f.Pix[i] = float32(i%w^i/w%h) / float32(w+h) * float32(1+int(seed)%3) / 3
	}
	return f
}
