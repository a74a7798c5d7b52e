package pipeline

import (
	"context"
	"iter"

	"nstfilter/filter"
)

// Run moves every frame of src through the stages, the first listed first, to
// dst. It closes dst when all frames have passed, and aborts it on the first
// error or when ctx is cancelled.
func Run(ctx context.Context, src Source, dst Sink, stages ...Stage) error {
	if err := moveFrames(ctx, src, dst, stages); err != nil {
		dst.Abort()
		return err
	}
	return dst.Close()
}

func moveFrames(ctx context.Context, src Source, dst Sink, stages []Stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames := src.Frames(ctx)
	for _, s := range stages {
		frames = s(ctx, frames)
	}
	for f, err := range frames {
		if err == nil {
			err = dst.WriteFrame(f)
		}
		if err != nil {
			// Leaving the loop waits for read-ahead, which may wait for a
			// source that waits for input: release it first.
			cancel()
			return err
		}
	}
	return ctx.Err()
}

// Map makes a stage of a function on one frame.
func Map(fn func(context.Context, *filter.Frame) (*filter.Frame, error)) Stage {
	return func(ctx context.Context, in Frames) Frames {
		return mapStream(in, func(f *filter.Frame) (*filter.Frame, error) { return fn(ctx, f) })
	}
}

// Prefetch reads up to n frames ahead in a goroutine of its own, which has ended
// when the loop over the stream ends.
func Prefetch(n int) Stage {
	return func(_ context.Context, in Frames) Frames { return readAhead(in, n) }
}

// each is a stream of what fn makes of another's items.
func mapStream[A, B any](in iter.Seq2[A, error], fn func(A) (B, error)) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for a, err := range in {
			var b B
			if err == nil {
				b, err = fn(a)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// ahead is a stream that is read ahead, as Prefetch says: n items wait, beside one
// that is made.
func readAhead[T any](in iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		waiting, stop := make(chan item, n), make(chan struct{})
		go func() {
			defer close(waiting)
			for v, err := range in {
				select {
				case waiting <- item{v, err}:
				case <-stop:
					return
				}
			}
		}()
		defer func() {
			close(stop)
			for range waiting {
			}
		}()
		for it := range waiting {
			if !yield(it.value, it.err) || it.err != nil {
				return
			}
		}
	}
}

// Frames is a stream that ends at its first error.
type Frames = iter.Seq2[*filter.Frame, error]

// Stage turns one stream into another; Run chains them.
type Stage func(context.Context, Frames) Frames

// Source yields frames in order, and stops when its context is cancelled.
type Source interface{ Frames(context.Context) Frames }

// Sink takes frames in order. Close finishes the output; Abort drops it, leaving
// nothing under the final name. Exactly one of the two is called.
type Sink interface {
	WriteFrame(*filter.Frame) error
	Close() error
	Abort()
}

// Until ends a stream, without an error, when stop is cancelled: the frame at
// hand is finished and no other is begun.
func Until(stop context.Context) Stage {
	return func(_ context.Context, in Frames) Frames { return untilStopped(stop, in) }
}

func untilStopped[T any](stop context.Context, in iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range in {
			if stop.Err() != nil || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// StopSource is a source that ends when stop is cancelled, even while it waits
// for input.
func StopSource(stop context.Context, src Source) Source { return stoppableSource{stop, src} }

type stoppableSource struct {
	stop context.Context
	src  Source
}

func (s stoppableSource) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.stop, cancel)()
		Until(s.stop)(ctx, s.src.Frames(ctx))(yield)
	}
}
