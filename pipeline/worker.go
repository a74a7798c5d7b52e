package pipeline

import (
	"context"
	"io"
	"os"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// worker paints one input after another on one engine.
type worker struct {
	engine   engine.Engine
	filter   *filter.Filter
	workers  int // how many there are, with this one
	reporter reporter
	stats    io.Writer       // of --stats; nil if there is none
	stop     context.Context // Job.Stop

	decisive  map[string]string // settingsText
	options   Options
	settings  filter.Options
	coherence coherence.Options
	video     video.Options
	styles    *styleTimeline

	stdin, stdout, stderr *os.File
	tempDir               string

	reducedMemory int64 // bytes that the device turned out to have once it ran out, or 0
}

// close frees what the worker holds.
func (w *worker) close() {
	w.filter.Close()
	w.engine.Close()
}

// paint paints one input.
func (w *worker) paint(ctx context.Context, t paintTask) error {
	if t.refused != nil {
		return t.refused
	}
	if t.batch != nil {
		return addRemedy(w.paintBatched(ctx, t))
	}
	if err := t.check(w.options.Overwrite); err != nil {
		return err
	}
	paint := w.paintFilm
	switch {
	case t.isPipe():
		paint = w.paintPipe
	case t.sequence != nil:
		paint = w.paintSequence
	case t.isPhoto():
		paint = w.paintPhoto
	}
	return addRemedy(paint(ctx, t))
}

// run moves an input's frames from src through the stylizer to dst. It returns
// ErrInterrupted if ctx or the stylizer's stop is cancelled.
func (w *worker) run(ctx context.Context, src Source, dst Sink, s *stylizer) error {
	if j := s.resumption.journal; j != nil {
		dst = journalSink{dst, j}
	}
	err := Run(ctx, StopSource(s.stop, src), interruptibleSink{statSink{dst, s.ledger}, ctx, s.stop}, w.stages(s.ledger, s.frames, s.stage())...)
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// stages returns what is between source and sink. Read-ahead keeps the processors busy.
// Without it, each result is written before the next frame is read.
func (w *worker) stages(l *statLedger, frames int64, paint Stage) []Stage {
	if !w.options.readsAhead() || frames == 1 {
		return []Stage{l.timeSource, paint}
	}
	return []Stage{l.timeSource, Prefetch(2), paint, Prefetch(1)}
}

// interruptibleSink ends its sink with ErrInterrupted if stop ended the stream, and with
// ctx's error if that is cancelled.
type interruptibleSink struct {
	Sink
	ctx, stop context.Context
}

func (s interruptibleSink) End(cause error) error {
	if s.ctx.Err() != nil {
		cause = s.ctx.Err()
	} else if cause == nil && s.stop.Err() != nil {
		cause = ErrInterrupted
	}
	return s.Sink.End(cause)
}

func (w *worker) newLedger(input string) *statLedger {
	return newLedger(input, w.stats, w.reporter)
}

// errorWriter is where an error is written while the job runs: above the bar if there is
// one.
func (w *worker) errorWriter() io.Writer {
	if b, ok := w.reporter.(*barReporter); ok {
		return b.container
	}
	return w.stderr
}
