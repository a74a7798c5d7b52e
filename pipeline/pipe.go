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
	"nstfilter/video"
)

// pipe paints from stdin, y4m or NUT by its magic, to stdout. Only whole frames are
// written.
func (j *Job) pipe(ctx context.Context) error {
	stdin, restore := expirable(j.Stdin)
	defer restore()
	src, dst, err := j.openPipe(ctx, stdin)
	if err != nil {
		if j.Stop.Err() != nil || ctx.Err() != nil {
			return ErrInterrupted
		}
		return fmt.Errorf("stdin: %w", err)
	}
	j.tell.begin("-", 0)
	l := newLedger("-", j.stats, j.tell)
	painter := &painter{job: j, ledger: l}
	err = Run(ctx, StopSource(j.Stop, pipeSource{src, stdin}), l.sink(pipeSink{dst}),
		l.decoded, Prefetch(2), Until(j.Stop), Map(painter.paint), Prefetch(1))
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case err != nil:
		return err
	case j.Stop.Err() != nil:
		j.tell.say(fmt.Sprintf("interrupted; %d whole frames were written", l.done))
		return ErrInterrupted
	}
	return nil
}

// openPipe reads the stream's header and makes the writer that answers it.
func (j *Job) openPipe(ctx context.Context, stdin *os.File) (Source, Sink, error) {
	expire := func() { stdin.SetReadDeadline(time.Now()) }
	defer context.AfterFunc(ctx, expire)()
	defer context.AfterFunc(j.Stop, expire)()
	in := bufio.NewReaderSize(stdin, 1<<16)
	if video.Sniff(in) == video.NUT {
		return j.openNUT(in)
	}
	return j.openY4M(in)
}

func (j *Job) openNUT(in io.Reader) (Source, Sink, error) {
	r, err := video.NewNUTReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = j.Video
	h := r.Header()
	if h.W, h.H, err = j.outputSize(h.W, h.H); err != nil {
		return nil, nil, err
	}
	if j.OutputFormat != "y4m" {
		return r, video.NewNUTWriter(j.Stdout, h), nil
	}
	if err := video.CheckY4M(h.Format); err != nil {
		return nil, nil, err
	}
	return r, &untimed{w: j.Stdout, h: video.Y4MHeader{Layout: h.Layout, Rate: h.Rate}, say: j.tell.say}, nil
}

func (j *Job) openY4M(in io.Reader) (Source, Sink, error) {
	r, err := video.NewY4MReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = j.Video
	h := r.Header()
	switch h.Interlace {
	case "t", "b", "m":
		j.tell.say("stdin: the stream is interlaced, and its frames are painted as they are: to paint without combs, add to the ffmpeg before the pipe: -vf bwdif=mode=send_frame")
	}
	w, ht, err := j.outputSize(h.W, h.H)
	if err != nil {
		return nil, nil, err
	}
	if j.OutputFormat != "nut" {
		return r, video.NewY4MWriter(j.Stdout, h.Resized(w, ht)), nil
	}
	n := video.NUTHeader{Layout: h.Layout, Rate: h.Rate, TimeBase: filter.Rational{Num: h.Rate.Den, Den: h.Rate.Num}}
	n.W, n.H = w, ht
	return r, video.NewNUTWriter(j.Stdout, n), nil
}

func (j *Job) outputSize(w, h int) (int, int, error) {
	if j.Filter.OutputSize != "work" || j.Filter.Iterations == 0 {
		return w, h, nil
	}
	plan, err := j.filter.Plan(w, h)
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
