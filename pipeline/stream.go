package pipeline

import (
	"context"
	"errors"
	"iter"

	"nstfilter/filter"
)

// Frames is a stream of frames. It ends at its first error.
type Frames = iter.Seq2[*filter.Frame, error]

// Stage turns one stream into another. Run chains stages.
type Stage func(context.Context, Frames) Frames

// Source yields frames in order. It stops when its context is cancelled.
type Source interface{ Frames(context.Context) Frames }

// Sink takes frames in order, and then one call of End, which says why there are no more.
//
// After a nil cause End finishes the output and gives it its final name. If the cause is
// ErrInterrupted or a failure of the device, End keeps the frames that are done and says
// where they are. After any other cause it removes what is not whole. End returns the
// error of the whole input, which is nil only if the output is complete.
type Sink interface {
	WriteFrame(*filter.Frame) error
	End(cause error) error
}

// Writer writes frames, as video's writers and video.FilmSink do. After the last frame one of
// Close, which finishes the output, and Abort, which drops what is not whole, is called.
type Writer interface {
	WriteFrame(*filter.Frame) error
	Close() error
	Abort()
}

// WriterSink makes a Sink of a Writer. It closes the writer after a nil cause, and aborts it
// after any other one.
type WriterSink struct{ Writer Writer }

// WriteFrame passes f to the writer.
func (s WriterSink) WriteFrame(f *filter.Frame) error { return s.Writer.WriteFrame(f) }

// End closes or aborts the writer.
func (s WriterSink) End(cause error) error {
	if cause == nil {
		return s.Writer.Close()
	}
	s.Writer.Abort()
	return cause
}

// Run moves every frame of src through the stages, the first listed first, to dst, and
// ends dst: with nil when all frames have passed, else with the first error, or with
// ctx's if it is cancelled. Run returns what dst.End returns.
func Run(ctx context.Context, src Source, dst Sink, stages ...Stage) error {
	return dst.End(moveFrames(ctx, src, dst, stages))
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
			// The end of the loop waits for the read-ahead goroutine, which may wait for a
			// source that waits for input, so the source must be cancelled before.
			cancel()
			return err
		}
	}
	return ctx.Err()
}

// Prefetch reads up to n frames ahead in its own goroutine. The goroutine has ended when
// the loop over the stream ends.
func Prefetch(n int) Stage {
	return func(_ context.Context, in Frames) Frames { return readAhead(in, n) }
}

// readAhead reads a stream in a goroutine: up to n items wait while the next one is made.
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

// mapStream applies fn to each item of a stream.
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

// errReaderLeft ends the work when the reader of the stream leaves its loop.
var errReaderLeft = errors.New("left")

// takeAll hands each item of a stream to take. If take or the stream fails, takeAll calls rest,
// which yields what waits, unless ctx is cancelled; and then fail with the error, unless the reader
// has left. It does so inside the loop, because the end of the loop waits for the read-ahead
// goroutine.
func takeAll[T any](ctx context.Context, in iter.Seq2[T, error], take func(T) error, rest func() error, fail func(error)) error {
	for v, err := range in {
		if err == nil {
			err = take(v)
		}
		if err == nil {
			continue
		}
		if err != errReaderLeft && (ctx.Err() != nil || rest() != errReaderLeft) {
			fail(err)
		}
		return errReaderLeft
	}
	return nil
}

// Until ends a stream without an error when stop is cancelled: the current frame is
// finished and no other one is begun.
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

// StopSource is a source that ends when stop is cancelled, even while it waits for input.
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
