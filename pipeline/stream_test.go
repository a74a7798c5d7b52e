package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"nstfilter/filter"
)

// counter yields n frames, then fails with err, or waits like a live input.
type counter struct {
	n     int
	err   error
	stall bool
	ended bool
}

func (c *counter) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		defer func() { c.ended = true }()
		for i := range c.n {
			if !yield(&filter.Frame{Index: i}, nil) {
				return
			}
		}
		if c.stall {
			<-ctx.Done()
			yield(nil, ctx.Err())
		} else if c.err != nil {
			yield(nil, c.err)
		}
	}
}

// recorder keeps indices, and fails at its nth frame or at its successful end.
type recorder struct {
	got            []int
	failAt         int
	failEnd        bool
	ends           int
	cause          error // of End
	onFrame        func(i int)
	writtenTooLate bool
}

func (r *recorder) WriteFrame(f *filter.Frame) error {
	r.writtenTooLate = r.writtenTooLate || r.ends > 0
	r.got = append(r.got, f.Index)
	if r.onFrame != nil {
		r.onFrame(f.Index)
	}
	if len(r.got) == r.failAt {
		return errors.New("disk full")
	}
	return nil
}

func (r *recorder) End(cause error) error {
	r.ends++
	r.cause = cause
	if r.failEnd && cause == nil {
		return errors.New("disk full at the end")
	}
	return cause
}

// mapStage makes a stage of a function on one frame.
func mapStage(fn func(context.Context, *filter.Frame) (*filter.Frame, error)) Stage {
	return func(ctx context.Context, in Frames) Frames {
		return mapStream(in, func(f *filter.Frame) (*filter.Frame, error) { return fn(ctx, f) })
	}
}

func pass(_ context.Context, f *filter.Frame) (*filter.Frame, error) { return f, nil }

func boom(context.Context, *filter.Frame) (*filter.Frame, error) { return nil, errors.New("boom") }

func TestRun(t *testing.T) {
	errRead := errors.New("truncated")
	for _, test := range []struct {
		name   string
		src    counter
		dst    recorder
		stage  Stage
		frames int
		err    string
	}{
		{"all frames", counter{n: 5}, recorder{}, mapStage(pass), 5, "<nil>"},
		{"no frames", counter{}, recorder{}, mapStage(pass), 0, "<nil>"},
		{"read error", counter{n: 3, err: errRead}, recorder{}, mapStage(pass), 3, "truncated"},
		{"write error", counter{n: 100}, recorder{failAt: 2}, mapStage(pass), 2, "disk full"},
		{"close error", counter{n: 2}, recorder{failEnd: true}, mapStage(pass), 2, "disk full at the end"},
		{"stage error", counter{n: 100}, recorder{}, mapStage(boom), 0, "boom"},
		{"write error, source waits", counter{n: 3, stall: true}, recorder{failAt: 2}, mapStage(pass), 2, "disk full"},
		{"stage error, source waits", counter{n: 3, stall: true}, recorder{}, mapStage(boom), 0, "boom"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a deadlock or a goroutine left behind fails
				err := Run(t.Context(), &test.src, &test.dst, Prefetch(2), test.stage, Prefetch(1))
				if fmt.Sprint(err) != test.err {
					t.Errorf("error %v, want %s", err, test.err)
				}
				if len(test.dst.got) != test.frames {
					t.Errorf("%d frames, want %d", len(test.dst.got), test.frames)
				}
				for i, index := range test.dst.got {
					if i != index {
						t.Fatalf("frame %d came at place %d", index, i)
					}
				}
				if !test.src.ended {
					t.Error("the source still runs")
				}
				cause := test.err
				if test.dst.failEnd {
					cause = "<nil>"
				}
				if test.dst.ends != 1 || fmt.Sprint(test.dst.cause) != cause || test.dst.writtenTooLate {
					t.Errorf("ended %d times by %v, written after that: %v", test.dst.ends, test.dst.cause, test.dst.writtenTooLate)
				}
			})
		})
	}
}

func TestRunCancelled(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	dst := recorder{onFrame: func(i int) {
		if i == 1 {
			cancel()
		}
	}}
	err := Run(ctx, &counter{n: 3, stall: true}, &dst, Prefetch(2), mapStage(pass), Prefetch(1))
	if !errors.Is(err, context.Canceled) || dst.ends != 1 || !errors.Is(dst.cause, context.Canceled) {
		t.Errorf("error %v, ended %d times by %v", err, dst.ends, dst.cause)
	}
	for end := time.Now().Add(time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines left behind", runtime.NumGoroutine()-before)
		}
	}
}

func TestUntil(t *testing.T) {
	for _, test := range []struct {
		name   string
		src    counter
		at     int // the frame during which the run is interrupted
		frames int
	}{
		{"endless input", counter{n: 1 << 30}, 3, 4},
		{"waiting input", counter{n: 4, stall: true}, 3, 4},
		{"last frame", counter{n: 4}, 3, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				work := mapStage(func(_ context.Context, f *filter.Frame) (*filter.Frame, error) {
					if f.Index == test.at {
						interrupt()
					}
					return f, nil
				})
				var dst recorder
				err := Run(t.Context(), StopSource(stop, &test.src), &dst, Prefetch(2), Until(stop), work, Prefetch(1))
				if err != nil || dst.ends != 1 || dst.cause != nil || len(dst.got) != test.frames {
					t.Errorf("error %v, ended %d times by %v, %d frames, want %d", err, dst.ends, dst.cause, len(dst.got), test.frames)
				}
			})
		})
	}
}

// A sink learns from the two contexts of a job why the stream has ended.
func TestInterruptibleSink(t *testing.T) {
	failed := errors.New("disk full")
	for _, c := range []struct {
		name               string
		cancelled, stopped bool
		cause, want        error
	}{
		{"all frames", false, false, nil, nil},
		{"an error", false, false, failed, failed},
		{"stopped", false, true, nil, ErrInterrupted},
		{"stopped, and an error in the last frame", false, true, failed, failed},
		{"cancelled", true, true, failed, context.Canceled},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stop, interrupt := context.WithCancel(t.Context())
		if c.cancelled {
			cancel()
		}
		if c.stopped {
			interrupt()
		}
		var dst recorder
		if err := (interruptibleSink{&dst, ctx, stop}).End(c.cause); err != c.want || dst.cause != c.want || dst.ends != 1 {
			t.Errorf("%s: ended %d times by %v, %v; want %v", c.name, dst.ends, dst.cause, err, c.want)
		}
		cancel()
		interrupt()
	}
}
