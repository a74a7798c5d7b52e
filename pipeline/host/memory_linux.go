package host

import (
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strings"
)

// PeakMemory returns the most memory that the process has had resident, in bytes
// (VmHWM of proc(5)), or 0 if it is not known.
func PeakMemory() int64 { return readKiB("/proc/self/status", "VmHWM:") }

// ResidentMemory returns how many bytes the process has resident (VmRSS of proc(5)), or
// 0 if it is not known.
func ResidentMemory() int64 { return readKiB("/proc/self/status", "VmRSS:") }

// FreeMemory returns how many bytes can be allocated without swapping, within the limits
// of the process's control group and of the groups above it, or 0 if it is not known.
func FreeMemory() int64 {
	free := readKiB("/proc/meminfo", "MemAvailable:")
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for _, c := range controlGroups(string(groups)) {
		var limit, used, cache int64
		if !readNumber(c.folder+c.limit, &limit) || !readNumber(c.folder+c.used, &used) {
			continue
		}
		stat, _ := os.ReadFile(c.folder + "memory.stat")
		_, rest, _ := strings.Cut("\n"+string(stat), "\n"+c.cache+" ")
		fmt.Sscan(rest, &cache) // cached files that were not used lately, which the kernel drops first
		free = min(free, max(limit-used+cache, 1<<20))
	}
	return free
}

// controlGroup names the files in which cgroups(7) accounts for one group's memory. The
// folder ends with a slash.
type controlGroup struct{ folder, limit, used, cache string }

// controlGroups parses /proc/self/cgroup and returns the process's group and the groups
// above it, of version 2 or of version 1's memory controller. A container may see its own
// group as the root, so the root is among them.
func controlGroups(text string) (all []controlGroup) {
	for _, line := range strings.Split(text, "\n") {
		part := strings.SplitN(line, ":", 3)
		if len(part) < 3 {
			continue
		}
		c := controlGroup{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}
		switch {
		case slices.Contains(strings.Split(part[1], ","), "memory"):
			c = controlGroup{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
		case part[1] != "":
			continue
		}
		root := c.folder
		for group := path.Clean("/" + part[2]); ; group = path.Dir(group) {
			c.folder = strings.TrimSuffix(root+group, "/") + "/"
			all = append(all, c)
			if group == "/" {
				break
			}
		}
	}
	return all
}

// readKiB returns the bytes behind a key of a file whose values are in KiB, or 0.
func readKiB(file, key string) int64 {
	text, _ := os.ReadFile(file)
	return parseKiB(string(text), key)
}

func parseKiB(text, key string) int64 {
	_, rest, _ := strings.Cut("\n"+text, "\n"+key)
	var n int64
	if _, err := fmt.Sscan(rest, &n); err != nil || n < 0 || n > math.MaxInt64>>10 {
		return 0
	}
	return n << 10
}

// readNumber reads the number in a file; a limit of "max" is none.
func readNumber(file string, n *int64) bool {
	text, _ := os.ReadFile(file)
	_, err := fmt.Sscan(string(text), n)
	return err == nil
}
