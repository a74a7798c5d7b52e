//go:build unix && !linux

package host

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakMemory returns the most memory that the process has had resident, in bytes, or 0
// if it is not known. getrusage counts in KiB, on darwin in bytes.
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

// ResidentMemory returns PeakMemory, because getrusage tells no more.
func ResidentMemory() int64 { return PeakMemory() }

// FreeMemory returns 0: it is not known here.
func FreeMemory() int64 { return 0 }
