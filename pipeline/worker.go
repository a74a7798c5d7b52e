package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/host"
)

// worker paints one input after another on one engine.
type worker struct {
	*Job
	engine        engine.Engine
	filter        *filter.Filter
	reporter      reporter // of its inputs alone
	workers       int      // workers that there are, this one counted
	reducedMemory int64    // bytes that the device's memory leaves, once it has run out
}

// close frees what the worker holds.
func (w *worker) close() {
	w.filter.Close()
	closeEngine(w.engine)
}

// shut closes an engine that can be.
func closeEngine(e engine.Engine) {
	if c, ok := e.(interface{ Close() }); ok {
		c.Close()
	}
}

// memory is what painting may take, in bytes, of the device's own where it has some;
// 0: not known.
func (w *worker) memoryLimit() int64 {
	if e, ok := w.engine.(engine.Limited); ok {
		free := max(e.FreeMemory()/16*15, 1) // the driver's own comes on top
		if w.MaxMemory > 0 {
			free = min(free, int64(w.MaxMemory))
		}
		return free
	}
	free := host.FreeMemory() / 4 * 3 / int64(w.workers)
	if w.MaxMemory > 0 { // of which the program, the network and the styles have taken some
		free = max((int64(w.MaxMemory)-host.ResidentMemory())/int64(w.workers), 1)
	}
	return free
}

// fits reports a plan that needs more memory than there is.
func (w *worker) checkPlan(plan filter.Plan) error {
	free, kind := w.filter.MaxMemory, w.filter.MemoryName()
	remedy := "allow more with --max-memory, or end other programs"
	if plan.Host > 0 {
		remedy += " on it, or choose --device cpu"
		if host := host.FreeMemory() / 4 * 3; host > 0 && plan.Host > host {
			return fmt.Errorf("frames of this size need about %s of memory beside the GPU's, and %s can be had: end other programs, or scale the input down",
				formatGB(plan.Host), formatGB(host))
		}
	}
	switch {
	case free == 0 || plan.Memory <= free:
		return nil
	case w.Filter.Size == 0:
		return fmt.Errorf("even a picture of %d×%d needs about %s of %s, and %s can be had: %s",
			plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), remedy)
	}
	fits := float64(max(plan.W, plan.H)) * math.Sqrt(float64(free)/float64(plan.Memory)) * 0.95
	return fmt.Errorf("painting at %d×%d needs about %s of %s, and %s can be had: --size %d fits",
		plan.W, plan.H, formatGB(plan.Memory), kind, formatGB(free), int(fits))
}

// alert is where an error goes while the job runs: above the bar if there is one.
func (w *worker) alert() io.Writer {
	if b, ok := w.reporter.(*barReporter); ok {
		return b.container
	}
	return w.Stderr
}

// do paints one input.
func (w *worker) paint(ctx context.Context, t paintTask) (err error) {
	switch {
	case t.pipe():
		err = w.paintPipe(ctx)
	case t.pictures != nil:
		err = w.paintSequence(ctx, t)
	case t.photo():
		err = w.paintPhoto(ctx, t)
	default:
		err = w.paintFilm(ctx, t)
	}
	return remedied(err)
}

// stages are what frames pass between reader and writer; paint ends after Stop.
// Read-ahead keeps the processors busy; without it each result is out before another
// frame is asked for.
func (j *Job) stages(l *statLedger, paint Stage) []Stage {
	if j.ZeroLatency {
		return []Stage{l.decoded, paint}
	}
	return []Stage{l.decoded, Prefetch(2), paint, Prefetch(1)}
}

// endWithDevice is a stage that ends the stream, without an error, where the device
// fails after the first frame: what is done is whole. failed is then why.
func endWithDevice(failed *error) Stage {
	return func(_ context.Context, in Frames) Frames {
		return func(yield func(*filter.Frame, error) bool) {
			some := false
			for f, err := range in {
				if some && (deviceLost(err) || errors.Is(err, engine.ErrMemory)) {
					*failed = err
					return
				}
				if !yield(f, err) || err != nil {
					return
				}
				some = true
			}
		}
	}
}
