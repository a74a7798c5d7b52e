package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"syscall"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
)

// paintPipe paints from stdin to stdout. Whether stdin is y4m, NUT or a photo is known by its
// first bytes.
func (w *worker) paintPipe(ctx context.Context, t paintTask) error {
	stdin, restore := host.WithDeadline(w.stdin)
	defer restore()
	in := bufio.NewReaderSize(stdin, 1<<16)
	if head := w.photoHead(ctx, stdin, in); head != nil {
		return w.paintPipedPhoto(ctx, t, stdin, in, head)
	}
	src, dst, err := w.openPipe(ctx, stdin, in)
	if err == nil && t.out != "-" {
		err = fmt.Errorf("holds no photo, and %s is to be one: name - for frames", strings.Replace(t.out, "stdout", "-", 1))
	}
	if err != nil {
		if w.stop.Err() != nil || ctx.Err() != nil {
			return ErrInterrupted
		}
		return fmt.Errorf("stdin: %w", err)
	}
	w.reporter.begin("-", 0, 0)
	s := &stylizer{worker: w, ledger: w.newLedger("-"), beginHere: true, strength: t.strength, mask: t.mask, stop: w.stop}
	return w.run(ctx, pipeSource{src, stdin}, pipeSink{WriterSink{dst}, s.ledger}, s)
}

// openPipe reads the header of stdin and returns its reader and the writer to stdout.
func (w *worker) openPipe(ctx context.Context, stdin *os.File, in *bufio.Reader) (Source, Writer, error) {
	expire := func() { stdin.SetReadDeadline(time.Now()) }
	defer context.AfterFunc(ctx, expire)()
	defer context.AfterFunc(w.stop, expire)()
	if video.Sniff(in) == video.NUT {
		return w.openNUT(in)
	}
	return w.openY4M(in)
}

// photoHead returns the first bytes of stdin, which it leaves unread, if they are a photo's.
func (w *worker) photoHead(ctx context.Context, stdin *os.File, in *bufio.Reader) []byte {
	expire := func() { stdin.SetReadDeadline(time.Now()) }
	defer context.AfterFunc(ctx, expire)()
	defer context.AfterFunc(w.stop, expire)()
	if video.Sniff(in) != video.Other { // which waits for few bytes
		return nil
	}
	if head, _ := in.Peek(4096); photo.IsPicture(head) {
		return head
	}
	return nil
}

// paintPipedPhoto paints a photo from stdin, and writes it to stdout as the task's extension
// says, or in the format that it has.
func (w *worker) paintPipedPhoto(ctx context.Context, t paintTask, stdin *os.File, in *bufio.Reader, head []byte) error {
	if w.options.OutputFormat != "auto" {
		return UsageErrorf("--output-format %s is for frames, and on stdin is a photo: '-.webp' chooses its format", w.options.OutputFormat)
	}
	made := w.recipe(t)
	if t.in = "stdin"; t.out == "-" {
		t.out = "stdout" + photo.ExtensionOf(head)
	}
	s := &stylizer{worker: w, ledger: w.newLedger("-"), frames: 1, strength: t.strength, mask: t.mask, stop: context.Background()}
	src := photoSource{"stdin", s.checkInput, w.reporter, "-", func(name string, check func(w, h int) error) (*filter.Frame, error) {
		return photo.ReadOwnFrom(name, in, check)
	}}
	return w.run(ctx, pipeSource{src, stdin}, photoSink{t, false, made, s.ledger, w.stdout}, s)
}

func (w *worker) openNUT(in io.Reader) (Source, Writer, error) {
	r, err := video.NewNUTReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = w.video
	h := r.Header()
	if h.W, h.H, err = w.outputSize(h.W, h.H); err != nil {
		return nil, nil, err
	}
	if w.options.OutputFormat != "y4m" {
		return r, w.nutWriter(h), nil
	}
	y := w.y4mHeader(video.Y4MHeader{Layout: h.Layout, Rate: h.Rate})
	if err := video.CheckY4M(y.Format); err != nil {
		return nil, nil, err
	}
	return r, &y4mRateWriter{w: w.stdout, h: y, say: w.reporter.say}, nil
}

func (w *worker) openY4M(in io.Reader) (Source, Writer, error) {
	r, err := video.NewY4MReader(in)
	if err != nil {
		return nil, nil, err
	}
	r.Options = w.video
	h := r.Header()
	switch h.Interlace {
	case "t", "b", "m":
		w.reporter.say("stdin: the stream is interlaced, and its frames are painted as they are: to paint without combs, add to the ffmpeg before the pipe: -vf bwdif=mode=send_frame")
	}
	width, height, err := w.outputSize(h.W, h.H)
	if err != nil {
		return nil, nil, err
	}
	if w.options.OutputFormat != "nut" {
		return r, video.NewY4MWriter(w.stdout, w.y4mHeader(h.Resized(width, height))), nil
	}
	n := video.NUTHeader{Layout: h.Layout, Rate: h.Rate, TimeBase: filter.Rational{Num: h.Rate.Den, Den: h.Rate.Num}}
	n.W, n.H = width, height
	return r, w.nutWriter(n), nil
}

// nutWriter returns a writer to stdout. A grey stream becomes a coloured one, unless no
// pixel is painted.
func (w *worker) nutWriter(h video.NUTHeader) Writer {
	if w.settings.Paints() {
		h = h.Coloured(w.video)
	}
	return video.NewNUTWriter(w.stdout, h)
}

// y4mHeader returns the header of the results. A grey stream becomes a coloured one, unless
// no pixel is painted.
func (w *worker) y4mHeader(h video.Y4MHeader) video.Y4MHeader {
	if w.settings.Paints() {
		h = h.Coloured(w.video)
	}
	return h
}

// outputSize returns the size of the results of frames of a size. It fails if they are too
// large to be decoded.
func (w *worker) outputSize(width, height int) (int, int, error) {
	if err := w.checkSize(width, height); err != nil {
		return 0, 0, err
	}
	if w.settings.OutputSize != "work" || !w.settings.Paints() {
		return width, height, nil
	}
	plan, err := w.filter.Plan(width, height)
	return plan.W, plan.H, err
}

// pipeSource ends a read of stdin when its context is cancelled.
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
			} else if err != nil && !strings.HasPrefix(err.Error(), "stdin: ") {
				err = fmt.Errorf("stdin: %w", err)
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// pipeSink writes whole frames to stdout, however the input ends.
type pipeSink struct {
	WriterSink
	ledger *statLedger
}

func (p pipeSink) WriteFrame(f *filter.Frame) error { return nameStdout(p.WriterSink.WriteFrame(f)) }

func (p pipeSink) End(cause error) error {
	interrupted := errors.Is(cause, ErrInterrupted)
	if cause != nil && !interrupted {
		return p.WriterSink.End(cause)
	}
	if err := p.WriterSink.End(nil); err != nil {
		return nameStdout(err)
	}
	if interrupted {
		p.ledger.reporter.say(fmt.Sprintf("interrupted; %d whole frames were written", p.ledger.done))
	}
	return cause
}

func nameStdout(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w: %w", ErrStdoutLeft, err)
	}
	return fmt.Errorf("stdout: %w", err)
}

// y4mRateWriter writes frames with times as y4m, which has only a frame rate. It keeps every
// frame, and says which is the first that y4m shows half a frame too early or too late.
type y4mRateWriter struct {
	w   io.Writer
	h   video.Y4MHeader // if its Rate is 0, the first two frames' times give it
	say func(string)

	y4m   *video.Y4MWriter // nil until the rate is known
	first *filter.Frame    // kept until the rate is known, else nil
	count int
	begin float64 // seconds
	said  bool
}

func (u *y4mRateWriter) WriteFrame(f *filter.Frame) error {
	at := float64(f.PTS) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
	if u.count == 0 {
		u.begin = at
	}
	u.count++
	if u.count == 1 && u.h.Rate.Num == 0 {
		u.first = f
		return nil
	}
	if u.first != nil {
		if ticks := (f.PTS - u.first.PTS) * f.TimeBase.Num; ticks > 0 && ticks <= math.MaxInt32 {
			u.h.Rate = reduceFraction(f.TimeBase.Den, ticks)
		}
		if err := u.flush(); err != nil {
			return err
		}
	}
	rate := float64(u.h.Rate.Num) / float64(u.h.Rate.Den)
	if shown := float64(u.count-1) / rate; !u.said && math.Abs(at-u.begin-shown)*rate > 0.5 {
		u.said = true
		u.say(fmt.Sprintf("stdout: frame %d comes at %.3f s, and y4m, which has no times, shows it at %.3f s (%.6g frames a second): all frames are written, but sound would fall out of step; --output-format nut keeps the times, and -fps_mode cfr in the ffmpeg before the pipe makes them even",
			f.Index, at-u.begin, shown, rate))
	}
	return u.open().WriteFrame(f)
}

// open returns the writer, and makes it if there is none. Without a rate, y4m means 25
// frames a second.
func (u *y4mRateWriter) open() *video.Y4MWriter {
	if u.y4m == nil {
		if u.h.Rate.Num == 0 {
			u.h.Rate = filter.Rational{Num: 25, Den: 1}
		}
		u.y4m = video.NewY4MWriter(u.w, u.h)
	}
	return u.y4m
}

// flush writes the first frame if it is still kept.
func (u *y4mRateWriter) flush() error {
	f := u.first
	u.first = nil
	w := u.open()
	if f == nil {
		return nil
	}
	return w.WriteFrame(f)
}

func (u *y4mRateWriter) Close() error {
	if err := u.flush(); err != nil {
		return err
	}
	return u.y4m.Close()
}

// Abort leaves what is written, and writes the first frame if it is still kept.
func (u *y4mRateWriter) Abort() { u.flush() }

func reduceFraction(a, b int64) filter.Rational {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return filter.Rational{Num: a / g, Den: b / g}
}
