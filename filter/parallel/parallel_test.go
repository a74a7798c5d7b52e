package parallel

import (
	"sync/atomic"
	"testing"
)

// Every element is visited once, by no more workers than asked for.
func TestBlocks(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 7} {
		for _, n := range []int{0, 1, 3, 17, 1000} {
			visits := make([]atomic.Int32, n)
			Blocks(threads, n, 16, func(from, to int) {
				for i := from; i < to; i++ {
					visits[i].Add(1)
				}
			})
			for i := range visits {
				if got := visits[i].Load(); got != 1 {
					t.Errorf("%d threads, %d elements: %d visits of %d", threads, n, got, i)
				}
			}
		}
	}
}

func TestForWorkers(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		busy := make([]atomic.Int32, threads)
		For(threads, 200, func(worker, _ int) {
			if busy[worker].Add(1) != 1 {
				t.Error("two calls of one worker at once")
			}
			busy[worker].Add(-1)
		})
	}
}

// A band for each thread, none of them empty, covers every element once.
func TestBands(t *testing.T) {
	for _, threads := range []int{1, 2, 7} {
		for _, n := range []int{0, 1, 3, 17, 1000} {
			var bands, elements atomic.Int32
			Bands(threads, n, func(from, to int) {
				bands.Add(1)
				elements.Add(int32(to - from))
				if to <= from && n > 0 {
					t.Errorf("%d threads, %d elements: a band from %d to %d", threads, n, from, to)
				}
			})
			if int(elements.Load()) != n || int(bands.Load()) > max(threads, 1) {
				t.Errorf("%d threads, %d elements: %d bands of %d", threads, n, bands.Load(), elements.Load())
			}
		}
	}
}

// A crew's run visits every element once, on however many threads it has by then.
func TestCrew(t *testing.T) {
	c := NewCrew(3)
	for _, threads := range []int{3, 1, 7} {
		c.Threads = threads
		for _, n := range []int{0, 1, 2, 1000} {
			visits := make([]atomic.Int32, n)
			c.Run(n, func(i int) { visits[i].Add(1) })
			for i := range visits {
				if got := visits[i].Load(); got != 1 {
					t.Errorf("%d threads, %d elements: %d visits of %d", threads, n, got, i)
				}
			}
		}
	}
}

func TestCrewAllocatesNothing(t *testing.T) {
	var sum atomic.Int64
	f := func(i int) { sum.Add(int64(i)) }
	c := NewCrew(2)
	if n := testing.AllocsPerRun(100, func() { c.Run(10, f) }); n >= 1 {
		t.Errorf("%v allocations for a run", n)
	}
}

// What a loop costs beside its work.
func BenchmarkLoop(b *testing.B) {
	var sums [2]struct {
		n int
		_ [56]byte
	}
	b.Run("For", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			For(2, 64, func(worker, i int) { sums[worker].n += i })
		}
	})
	b.Run("Crew", func(b *testing.B) {
		b.ReportAllocs()
		c := NewCrew(2)
		f := func(int) {}
		for b.Loop() {
			c.Run(64, f)
		}
	})
}
