package parallel

import (
	"sync"
	"sync/atomic"
)

// Crew runs loops one after another and keeps its memory: Run allocates nothing. It is for one
// goroutine at a time.
type Crew struct {
	Threads int // at most so many goroutines; may change between runs

	f    func(i int)
	n    int64
	next atomic.Int64
	wait sync.WaitGroup
	work func() // of a goroutine that Run starts
}

// NewCrew returns a crew of at most so many goroutines; 0 is one for each processor.
func NewCrew(threads int) *Crew {
	c := &Crew{Threads: Threads(threads)}
	c.work = func() {
		c.take()
		c.wait.Done()
	}
	return c
}

// Run calls f(i) for every i below n, and returns when all have returned. The caller is one of
// the goroutines.
func (c *Crew) Run(n int, f func(i int)) {
	threads := min(c.Threads, n)
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

func (c *Crew) take() {
	for i := c.next.Add(1) - 1; i < c.n; i = c.next.Add(1) - 1 {
		c.f(int(i))
	}
}
