package pipeline

import (
	"context"
	"iter"

	"nstfilter/filter"
)

// Until ends a stream, without an error, when stop is cancelled: the frame at
// hand is finished and no other is begun.
func Until(stop context.Context) Stage {
	return func(_ context.Context, in Frames) Frames { return until(stop, in) }
}

func until[T any](stop context.Context, in iter.Seq2[T, error]) iter.Seq2[T, error] {
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
func StopSource(stop context.Context, src Source) Source { return stoppable{stop, src} }

type stoppable struct {
	stop context.Context
	src  Source
}

func (s stoppable) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.stop, cancel)()
		Until(s.stop)(ctx, s.src.Frames(ctx))(yield)
	}
}
