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
	if err := move(ctx, src, dst, stages); err != nil {
		dst.Abort()
		return err
	}
	return dst.Close()
}

func move(ctx context.Context, src Source, dst Sink, stages []Stage) error {
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
		return each(in, func(f *filter.Frame) (*filter.Frame, error) { return fn(ctx, f) })
	}
}

// Prefetch reads up to n frames ahead in a goroutine of its own, which has ended
// when the loop over the stream ends.
func Prefetch(n int) Stage {
	return func(_ context.Context, in Frames) Frames { return ahead(in, n) }
}

// each is a stream of what fn makes of another's items.
func each[A, B any](in iter.Seq2[A, error], fn func(A) (B, error)) iter.Seq2[B, error] {
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
func ahead[T any](in iter.Seq2[T, error], n int) iter.Seq2[T, error] {
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
