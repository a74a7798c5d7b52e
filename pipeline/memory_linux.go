package pipeline

import (
	"fmt"
	"os"
	"strings"
)

// peakMemory returns the most memory the process has had resident, in bytes:
// VmHWM of proc(5). 0 if it is not known.
func peakMemory() int64 { return kib("/proc/self/status", "VmHWM:") }

// freeMemory returns the bytes that can be had without swapping, within the
// limit of the control group. 0 if they are not known.
func freeMemory() int64 {
	free := kib("/proc/meminfo", "MemAvailable:")
	var limit, used int64
	if number("/sys/fs/cgroup/memory.max", &limit) && number("/sys/fs/cgroup/memory.current", &used) {
		free = min(free, max(limit-used, 1<<20))
	}
	return free
}

func kib(file, key string) int64 {
	text, _ := os.ReadFile(file)
	_, rest, _ := strings.Cut("\n"+string(text), "\n"+key)
	var n int64
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return 0
	}
	return n << 10
}

func number(file string, n *int64) bool { // "max" is none
	text, _ := os.ReadFile(file)
	_, err := fmt.Sscan(string(text), n)
	return err == nil
}
