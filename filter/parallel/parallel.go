// Package parallel has the project's parallel loop: For, Blocks for the elements of a
// slice, Bands for one part per thread, and Crew for a loop that runs often.
package parallel

import (
	"runtime"
	"sync/atomic"
)

// Threads returns n, or the number of processors that the program may use if n is 0.
func Threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// For calls f(worker, i) for every i below n, on at most the given number of goroutines;
// 0 is one for each processor. The caller is one of them. Calls of one worker follow each
// other, and worker is below the number of goroutines: each can have its own scratch.
func For(threads, n int, f func(worker, i int)) {
	threads = min(Threads(threads), n)
	if threads <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	NewCrew(threads).Run(threads, func(worker int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(worker, i)
		}
	})
}

// Blocks cuts [0,n) into parts of the given length, the last may be shorter, and calls f
// for each of them as For does.
func Blocks(threads, n, length int, f func(from, to int)) {
	For(threads, (n+length-1)/length, func(_, i int) { f(i*length, min((i+1)*length, n)) })
}

// Bands cuts [0,n) into one part for each thread, and calls f for each of them as For does.
func Bands(threads, n int, f func(from, to int)) {
	threads = max(min(Threads(threads), n), 1)
	For(threads, threads, func(_, i int) { f(i*n/threads, (i+1)*n/threads) })
}
