//go:build unix && !linux

package pipeline

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakMemory returns the most memory the process has had resident, in bytes:
// getrusage counts it in KiB, on darwin in bytes. 0 if it is not known.
func PeakMemory() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}

// residentMemory returns the bytes that the process has resident, or had at most.
func residentMemory() int64 { return PeakMemory() }

// freeMemory is not known here.
func freeMemory() int64 { return 0 }
