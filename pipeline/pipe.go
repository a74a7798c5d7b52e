package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/video"
)

// pipe paints from stdin, y4m or NUT by its magic, to stdout. Only whole frames are
// written.
func (w *worker) paintPipe(ctx context.Context) error {
	stdin, restore := host.WithDeadline(w.Stdin)
	defer restore()
	src, dst, err := w.openPipe(ctx, stdin)
	if err != nil {
		if w.Stop.Err() != nil || ctx.Err() != nil {
			return ErrInterrupted
		}
		return fmt.Errorf("stdin: %w", err)
	}
	w.reporter.begin("-", 0)
	l := newLedger("-", w.stats, w.reporter)
	painting := &stylizer{worker: w, ledger: l, stream: true}
	err = Run(ctx, StopSource(w.Stop, pipeSource{src, stdin}), l.sink(pipeSink{dst}), w.stages(l, painting.stage())...)
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case err != nil:
		return err
	case w.Stop.Err() != nil:
		w.reporter.say(fmt.Sprintf("interrupted; %d whole frames were written", l.done))
		return ErrInterrupted
	}
	return nil
}

// openPipe reads the stream's header and makes the writer that answers it.
func (w *worker) openPipe(ctx context.Context, stdin *os.File) (Source, Sink, error) {
	expire := func() { stdin.SetReadDeadline(time.Now()) }
	defer context.AfterFunc(ctx, expire)()
	defer context.AfterFunc(w.Stop, expire)()
	in := bufio.NewReaderSize(stdin, 1<<16)
	if video.Sniff(in) == video.NUT {
		return w.openNUT(in)
	}
	return w.openY4M(in)
}

func (w *worker) openNUT(in io.Reader) (Source, Sink, error) {
	r, err := video.NewNUTReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = w.Video
	h := r.Header()
	if h.W, h.H, err = w.outputSize(h.W, h.H); err != nil {
		return nil, nil, err
	}
	if w.OutputFormat != "y4m" {
		return r, w.nutWriter(h), nil
	}
	y := w.y4mHeader(video.Y4MHeader{Layout: h.Layout, Rate: h.Rate})
	if err := video.CheckY4M(y.Format); err != nil {
		return nil, nil, err
	}
	return r, &y4mRateWriter{w: w.Stdout, h: y, say: w.reporter.say}, nil
}

func (w *worker) openY4M(in io.Reader) (Source, Sink, error) {
	r, err := video.NewY4MReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = w.Video
	h := r.Header()
	switch h.Interlace {
	case "t", "b", "m":
		w.reporter.say("stdin: the stream is interlaced, and its frames are painted as they are: to paint without combs, add to the ffmpeg before the pipe: -vf bwdif=mode=send_frame")
	}
	width, height, err := w.outputSize(h.W, h.H)
	if err != nil {
		return nil, nil, err
	}
	if w.OutputFormat != "nut" {
		return r, video.NewY4MWriter(w.Stdout, w.y4mHeader(h.Resized(width, height))), nil
	}
	n := video.NUTHeader{Layout: h.Layout, Rate: h.Rate, TimeBase: filter.Rational{Num: h.Rate.Den, Den: h.Rate.Num}}
	n.W, n.H = width, height
	return r, w.nutWriter(n), nil
}

// nutWriter writes to stdout; painted, grey frames get colours.
func (w *worker) nutWriter(h video.NUTHeader) Sink {
	if w.Filter.Paints() {
		h = h.Coloured(w.Video)
	}
	return video.NewNUTWriter(w.Stdout, h)
}

// y4mHeader is h for what comes of the frames; painted, grey ones get colours.
func (w *worker) y4mHeader(h video.Y4MHeader) video.Y4MHeader {
	if w.Filter.Paints() {
		h = h.Coloured(w.Video)
	}
	return h
}

func (w *worker) outputSize(width, height int) (int, int, error) {
	if w.Filter.OutputSize != "work" || !w.Filter.Paints() {
		return width, height, nil
	}
	plan, err := w.filter.Plan(width, height)
	return plan.W, plan.H, err
}

// pipeSource ends src's read when its context is cancelled.
type pipeSource struct {
	src   Source
	stdin *os.File
}

func (p pipeSource) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		defer context.AfterFunc(ctx, func() { p.stdin.SetReadDeadline(time.Now()) })()
		for f, err := range p.src.Frames(ctx) {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = ctx.Err()
			} else if err != nil {
				err = fmt.Errorf("stdin: %w", err)
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// pipeSink names stdout in errors.
type pipeSink struct{ Sink }

func (p pipeSink) WriteFrame(f *filter.Frame) error {
	if err := p.Sink.WriteFrame(f); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

func (p pipeSink) Close() error {
	if err := p.Sink.Close(); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}
