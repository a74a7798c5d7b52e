package pipeline

import (
	"context"

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
		return func(yield func(*filter.Frame, error) bool) {
			for f, err := range in {
				if err == nil {
					f, err = fn(ctx, f)
				}
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// Prefetch reads up to n frames ahead in a goroutine of its own, which has ended
// when the loop over the stream ends.
func Prefetch(n int) Stage {
	type item struct {
		frame *filter.Frame
		err   error
	}
	return func(_ context.Context, in Frames) Frames {
		return func(yield func(*filter.Frame, error) bool) {
			ahead, stop := make(chan item, n), make(chan struct{})
			go func() {
				defer close(ahead)
				for f, err := range in {
					select {
					case ahead <- item{f, err}:
					case <-stop:
						return
					}
				}
			}()
			defer func() {
				close(stop)
				for range ahead {
				}
			}()
			for it := range ahead {
				if !yield(it.frame, it.err) || it.err != nil {
					return
				}
			}
		}
	}
}
