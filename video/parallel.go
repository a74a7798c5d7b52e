package video

import (
	"runtime"
	"sync"
)

// Threads returns n, or the number of processors where n is 0.
func Threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// Bands cuts [0,n) into one band for each thread and runs do on all of them at once.
func Bands(threads, n int, do func(from, to int)) {
	threads = min(threads, n)
	if threads == 1 {
		do(0, n)
		return
	}
	var wait sync.WaitGroup
	for i := range threads {
		wait.Go(func() { do(i*n/threads, (i+1)*n/threads) })
	}
	wait.Wait()
}
