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

// recorder keeps indices, and fails at its nth frame or when it is closed.
type recorder struct {
	got            []int
	failAt         int
	failClose      bool
	closed, abort  int
	onFrame        func(i int)
	afterCloseCall bool
}

func (r *recorder) WriteFrame(f *filter.Frame) error {
	r.afterCloseCall = r.afterCloseCall || r.closed+r.abort > 0
	r.got = append(r.got, f.Index)
	if r.onFrame != nil {
		r.onFrame(f.Index)
	}
	if len(r.got) == r.failAt {
		return errors.New("disk full")
	}
	return nil
}

func (r *recorder) Close() error {
	r.closed++
	if r.failClose {
		return errors.New("disk full at the end")
	}
	return nil
}

func (r *recorder) Abort() { r.abort++ }

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
		{"all frames", counter{n: 5}, recorder{}, Map(pass), 5, "<nil>"},
		{"no frames", counter{}, recorder{}, Map(pass), 0, "<nil>"},
		{"read error", counter{n: 3, err: errRead}, recorder{}, Map(pass), 3, "truncated"},
		{"write error", counter{n: 100}, recorder{failAt: 2}, Map(pass), 2, "disk full"},
		{"close error", counter{n: 2}, recorder{failClose: true}, Map(pass), 2, "disk full at the end"},
		{"stage error", counter{n: 100}, recorder{}, Map(boom), 0, "boom"},
		{"write error, source waits", counter{n: 3, stall: true}, recorder{failAt: 2}, Map(pass), 2, "disk full"},
		{"stage error, source waits", counter{n: 3, stall: true}, recorder{}, Map(boom), 0, "boom"},
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
				closes := 1
				if test.err != "<nil>" && !test.dst.failClose {
					closes = 0
				}
				if test.dst.closed != closes || test.dst.abort != 1-closes || test.dst.afterCloseCall {
					t.Errorf("closed %d times, aborted %d times, written after that: %v", test.dst.closed, test.dst.abort, test.dst.afterCloseCall)
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
	err := Run(ctx, &counter{n: 3, stall: true}, &dst, Prefetch(2), Map(pass), Prefetch(1))
	if !errors.Is(err, context.Canceled) || dst.abort != 1 || dst.closed != 0 {
		t.Errorf("error %v, aborted %d times, closed %d times", err, dst.abort, dst.closed)
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
				work := Map(func(_ context.Context, f *filter.Frame) (*filter.Frame, error) {
					if f.Index == test.at {
						interrupt()
					}
					return f, nil
				})
				var dst recorder
				err := Run(t.Context(), StopSource(stop, &test.src), &dst, Prefetch(2), Until(stop), work, Prefetch(1))
				if err != nil || dst.closed != 1 || len(dst.got) != test.frames {
					t.Errorf("error %v, closed %d times, %d frames, want %d", err, dst.closed, len(dst.got), test.frames)
				}
			})
		})
	}
}
