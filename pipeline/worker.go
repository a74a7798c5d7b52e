package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/preview"
	"nstfilter/pipeline/recipe"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// worker paints one input after another on one engine.
type worker struct {
	engine   engine.Engine
	filter   *filter.Filter
	workers  int // how many there are, with this one
	reporter reporter
	preview  *preview.Server // nil: none
	stats    io.Writer       // of --stats; nil if there is none
	stop     context.Context // Job.Stop

	made      *recipe.Recipe    // of every result, but for its input; nil with --no-record
	decisive  map[string]string // settingsText, and the device
	options   Options
	settings  filter.Options
	coherence coherence.Options
	video     video.Options
	styles    *styleTimeline
	keys      []keyFile
	styledKey int        // whose painting is the last of the filter's styles, if there are keys
	regions   *regionSet // nil: pictures are painted as a whole

	stdin, stdout, stderr *os.File
	tempDir               string

	own     guidePictures
	profile []byte // that the filter paints in; nil: sRGB

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
	case t.sequence != nil && t.pattern == "":
		paint = w.paintPicturesToFilm
	case t.sequence != nil:
		paint = w.paintSequence
	case t.pattern != "":
		paint = w.paintFilmToPictures
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
	w.preview.Steer(s.resumption.journal == nil)
	err := Run(ctx, StopSource(s.stop, src), interruptibleSink{statSink{dst, s.ledger}, ctx, s.stop}, w.stages(s.ledger, s.frames, s.stage())...)
	if err != nil && ctx.Err() != nil {
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
	r := w.reporter
	if p, ok := r.(*previewReporter); ok {
		r = p.reporter
	}
	switch r := r.(type) {
	case *barReporter:
		return r.container
	case *screenReporter:
		return r.screen
	}
	return w.stderr
}

// shareTasks does the tasks, in their order, on workers side by side.
func shareTasks(ctx context.Context, workers []*worker, tasks []paintTask) error {
	q := &taskQueue{all: len(tasks), left: tasks}
	var wg sync.WaitGroup
	for _, w := range workers[1:] {
		wg.Go(func() { w.paintQueued(ctx, q) })
	}
	workers[0].paintQueued(ctx, q)
	wg.Wait()
	if q.all > 1 {
		workers[0].reporter.say(q.summary())
	} else if q.skipped > 0 {
		workers[0].reporter.say(tasks[0].in + ": " + errDoneBefore.Error())
	}
	return q.outcome()
}

// paintQueued paints tasks of the queue until none is left or this worker's device is
// lost. Other workers then go on.
func (w *worker) paintQueued(ctx context.Context, q *taskQueue) {
	for {
		t, ok := q.next()
		if !ok {
			return
		}
		err := w.paint(ctx, t)
		w.reporter.end(true)
		if errors.Is(err, ErrInterrupted) || ctx.Err() != nil {
			q.interrupt()
			return
		}
		if errors.Is(err, errDoneBefore) {
			q.skip()
		} else if err == nil {
			q.finish()
		} else {
			if q.fail(t.in, err); q.all > 1 {
				fmt.Fprintln(w.errorWriter(), "nstfilter: error:", err)
			}
		}
		if w.stop.Err() != nil {
			q.interrupt()
		}
		if deviceLost(err) {
			return
		}
	}
}

// taskQueue hands out each task once. Several goroutines may use it.
type taskQueue struct {
	all int // how many tasks there were

	mu          sync.Mutex
	left        []paintTask
	done        int
	skipped     int      // that an earlier run has done
	failed      []string // inputs
	partly      int      // of those, how many were damaged, and painted in part
	last        error    // of the tasks that failed
	interrupted bool
}

func (q *taskQueue) next() (t paintTask, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.interrupted || len(q.left) == 0 {
		return t, false
	}
	t, q.left = q.left[0], q.left[1:]
	return t, true
}

func (q *taskQueue) interrupt() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.interrupted = true
}

func (q *taskQueue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.done++
}

func (q *taskQueue) skip() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.skipped++
}

func (q *taskQueue) fail(input string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed = append(q.failed, input)
	if errors.As(err, &PartlyError{}) {
		q.partly++
	}
	q.last = err
}

// summary says in one line what became of several tasks.
func (q *taskQueue) summary() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.skipped == q.all {
		return fmt.Sprintf("nothing to do: all %d inputs were done before (--restart paints them anew)", q.all)
	}
	text := fmt.Sprintf("%d inputs: %d painted", q.all, q.done)
	for _, part := range []struct {
		n    int
		what string
	}{{q.skipped, "done before"}, {len(q.failed), "failed"}, {q.all - q.done - q.skipped - len(q.failed), "not done"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// outcome returns the error of the job: that of the only task, or which failed.
func (q *taskQueue) outcome() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch failed := len(q.failed); {
	case q.all == 1 && q.last != nil:
		return q.last
	case q.interrupted:
		return ErrInterrupted
	case len(q.left) > 0:
		return fmt.Errorf("%d of %d inputs failed, and %d were not begun: no device is left", failed, q.all, len(q.left))
	case failed > 0 && failed == q.partly:
		return PartlyError{fmt.Errorf("%d of %d inputs could be read in part only: %s", failed, q.all, someNames(q.failed))}
	case failed > 0:
		return fmt.Errorf("%d of %d inputs failed: %s", failed, q.all, someNames(q.failed))
	}
	return nil
}

// someNames lists names, but not so many that nobody reads them.
func someNames(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
