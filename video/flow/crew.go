package flow

import (
	"sync"
	"sync/atomic"
)

// crew shares out work among threads, without allocating.
type crew struct {
	threads int
	f       func(i int)
	n       int64
	next    atomic.Int64
	wait    sync.WaitGroup
	work    func()
}

func (c *crew) init(threads int) {
	c.threads = max(threads, 1)
	c.work = func() {
		c.take()
		c.wait.Done()
	}
}

func (c *crew) take() {
	for i := c.next.Add(1) - 1; i < c.n; i = c.next.Add(1) - 1 {
		c.f(int(i))
	}
}

// run calls f(i) for every i below n, and returns when all have returned.
func (c *crew) run(n int, f func(i int)) {
	threads := min(c.threads, n)
	if threads <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	c.f, c.n = f, int64(n)
	c.next.Store(0)
	c.wait.Add(threads - 1)
	for range threads - 1 {
		go c.work()
	}
	c.take()
	c.wait.Wait()
}
