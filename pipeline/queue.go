package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// shareTasks does the tasks, in their order, on workers side by side.
func shareTasks(ctx context.Context, workers []*worker, tasks []paintTask) error {
	q := &taskQueue{all: len(tasks), left: tasks}
	var wg sync.WaitGroup
	for _, w := range workers[1:] {
		wg.Go(func() { w.paintQueued(ctx, q) })
	}
	workers[0].paintQueued(ctx, q)
	wg.Wait()
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
		w.reporter.end()
		if errors.Is(err, ErrInterrupted) || ctx.Err() != nil {
			q.interrupt()
			return
		}
		if err != nil {
			if q.fail(err); q.all > 1 {
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
	failed      int
	partly      int   // of those, how many were damaged, and painted in part
	last        error // of the tasks that failed
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

func (q *taskQueue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed++
	if errors.As(err, &PartlyError{}) {
		q.partly++
	}
	q.last = err
}

// outcome returns the error of the job: that of the only task, or how many failed.
func (q *taskQueue) outcome() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.all == 1 && q.last != nil:
		return q.last
	case q.interrupted:
		return ErrInterrupted
	case len(q.left) > 0:
		return fmt.Errorf("%d of %d inputs failed, and %d were not begun: no device is left", q.failed, q.all, len(q.left))
	case q.failed > 0 && q.failed == q.partly:
		return PartlyError{fmt.Errorf("%d of %d inputs could be read in part only", q.failed, q.all)}
	case q.failed > 0:
		return fmt.Errorf("%d of %d inputs failed", q.failed, q.all)
	}
	return nil
}
