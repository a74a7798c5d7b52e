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
