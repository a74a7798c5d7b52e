package pipeline

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/host"
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

// memoryLimit returns how many bytes painting may take, of the device's own memory if it
// has any, or 0 if that is not known.
func (w *worker) memoryLimit() int64 {
	most := int64(w.options.MaxMemory)
	if e, ok := w.engine.(engine.DeviceMemory); ok {
		free := max(e.FreeMemory()/16*15, 1) // the driver takes some more
		if most > 0 {
			free = min(free, most)
		}
		return free
	}
	if most > 0 { // the program, the network and the styles have taken some of it
		return max((most-host.ResidentMemory())/int64(w.workers), 1)
	}
	return host.FreeMemory() / 4 * 3 / int64(w.workers)
}

// checkPlan reports a plan that needs more memory than there is.
func (w *worker) checkPlan(plan filter.Plan) error {
	free, kind := w.filter.MaxMemory, w.filter.MemoryName()
	remedy := "allow more with --max-memory, or end other programs"
	if plan.Host > 0 {
		remedy += " on it, or choose --device cpu"
		if free := host.FreeMemory() / 4 * 3; free > 0 && plan.Host > free {
			return fmt.Errorf("frames of this size need about %s of memory beside the GPU's, and %s can be had: end other programs, or scale the input down",
				formatGB(plan.Host), formatGB(free))
		}
	}
	switch {
	case free == 0 || plan.Memory <= free:
		return nil
	case w.settings.Size == 0:
		return fmt.Errorf("even a picture of %d×%d needs about %s of %s, and %s can be had: %s",
			plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), remedy)
	}
	fits := float64(max(plan.W, plan.H)) * math.Sqrt(float64(free)/float64(plan.Memory)) * 0.95
	return fmt.Errorf("painting at %d×%d needs about %s of %s, and %s can be had: --size %d fits",
		plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), int(fits))
}

func formatGB(bytes int64) string { return fmt.Sprintf("%.2g GB", float64(bytes)/1e9) }
