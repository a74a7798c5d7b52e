package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/host"
)

// worker paints one input after another on one engine.
type worker struct {
	*Job
	engine engine.Engine
	filter *filter.Filter
	tell   teller // of its inputs alone
	beside int    // workers that there are, this one counted
	less   int64  // bytes that the device's memory leaves, once it has run out
}

// close frees what the worker holds.
func (w *worker) close() {
	w.filter.Close()
	shut(w.engine)
}

// shut closes an engine that can be.
func shut(e engine.Engine) {
	if c, ok := e.(interface{ Close() }); ok {
		c.Close()
	}
}

// memory is what painting may take, in bytes, of the device's own where it has some;
// 0: not known.
func (w *worker) memory() int64 {
	if e, ok := w.engine.(engine.Limited); ok {
		free := max(e.FreeMemory()/16*15, 1) // the driver's own comes on top
		if w.MaxMemory > 0 {
			free = min(free, int64(w.MaxMemory))
		}
		return free
	}
	free := host.FreeMemory() / 4 * 3 / int64(w.beside)
	if w.MaxMemory > 0 { // of which the program, the network and the styles have taken some
		free = max((int64(w.MaxMemory)-host.ResidentMemory())/int64(w.beside), 1)
	}
	return free
}

// fits reports a plan that needs more memory than there is.
func (w *worker) fits(plan filter.Plan) error {
	free, kind := w.filter.MaxMemory, w.filter.MemoryName()
	remedy := "allow more with --max-memory, or end other programs"
	if plan.Host > 0 {
		remedy += " on it, or choose --device cpu"
		if host := host.FreeMemory() / 4 * 3; host > 0 && plan.Host > host {
			return fmt.Errorf("frames of this size need about %s of memory beside the GPU's, and %s can be had: end other programs, or scale the input down",
				gigabytes(plan.Host), gigabytes(host))
		}
	}
	switch {
	case free == 0 || plan.Memory <= free:
		return nil
	case w.Filter.Size == 0:
		return fmt.Errorf("even a picture of %d×%d needs about %s of %s, and %s can be had: %s",
			plan.W, plan.H, gigabytes(plan.Memory), kind, gigabytes(free), remedy)
	}
	fits := float64(max(plan.W, plan.H)) * math.Sqrt(float64(free)/float64(plan.Memory)) * 0.95
	return fmt.Errorf("painting at %d×%d needs about %s of %s, and %s can be had: --size %d fits",
		plan.W, plan.H, gigabytes(plan.Memory), kind, gigabytes(free), int(fits))
}

// alert is where an error goes while the job runs: above the bar if there is one.
func (w *worker) alert() io.Writer {
	if b, ok := w.tell.(*bar); ok {
		return b.container
	}
	return w.Stderr
}

// do paints one input.
func (w *worker) do(ctx context.Context, t task) (err error) {
	switch {
	case t.pipe():
		err = w.pipe(ctx)
	case t.pictures != nil:
		err = w.folder(ctx, t)
	case t.photo():
		err = w.photo(ctx, t)
	default:
		err = w.film(ctx, t)
	}
	return remedied(err)
}

// remedied says what to do where the device has failed.
func remedied(err error) error {
	switch {
	case errors.Is(err, engine.ErrMemory):
		return fmt.Errorf("%w: end other programs on the device, paint smaller with --size, or choose --device cpu", err)
	case lost(err):
		return fmt.Errorf("%w, or choose --device cpu", err)
	}
	return err
}

// lost reports a device that is of no more use.
func lost(err error) bool {
	return errors.As(err, &engine.Failure{}) && !errors.Is(err, engine.ErrMemory)
}

// share does the tasks, in their order, on workers side by side.
func share(ctx context.Context, workers []*worker, tasks []task) error {
	q := &queue{all: len(tasks), left: tasks}
	var wg sync.WaitGroup
	for _, w := range workers[1:] {
		wg.Go(func() { w.work(ctx, q) })
	}
	workers[0].work(ctx, q)
	wg.Wait()
	return q.outcome()
}

// work does what the queue hands out, until there is nothing left or the device is
// lost, which others may not be.
func (w *worker) work(ctx context.Context, q *queue) {
	for {
		t, ok := q.next()
		if !ok {
			return
		}
		err := w.do(ctx, t)
		w.tell.end()
		if errors.Is(err, ErrInterrupted) || ctx.Err() != nil {
			q.interrupt()
			return
		}
		if err != nil {
			if q.fail(err); q.all > 1 {
				fmt.Fprintln(w.alert(), "nstfilter: error:", err)
			}
		}
		if w.Stop.Err() != nil {
			q.interrupt()
		}
		if lost(err) {
			return
		}
	}
}

// queue hands tasks out, each once. It is for several goroutines.
type queue struct {
	all int // there were

	mu          sync.Mutex
	left        []task
	failed      int
	last        error // of those that failed
	interrupted bool
}

func (q *queue) next() (t task, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.interrupted || len(q.left) == 0 {
		return t, false
	}
	t, q.left = q.left[0], q.left[1:]
	return t, true
}

func (q *queue) interrupt() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.interrupted = true
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed++
	q.last = err
}

// outcome is the error of the whole: the only task's own, or how many failed.
func (q *queue) outcome() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.all == 1 && q.last != nil:
		return q.last
	case q.interrupted:
		return ErrInterrupted
	case len(q.left) > 0:
		return fmt.Errorf("%d of %d inputs failed, and %d were not begun: no device is left", q.failed, q.all, len(q.left))
	case q.failed > 0:
		return fmt.Errorf("%d of %d inputs failed", q.failed, q.all)
	}
	return nil
}
