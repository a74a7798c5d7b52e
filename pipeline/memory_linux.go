package pipeline

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// PeakMemory returns the most memory the process has had resident, in bytes:
// VmHWM of proc(5). 0 if it is not known.
func PeakMemory() int64 { return kib("/proc/self/status", "VmHWM:") }

// residentMemory returns the bytes that the process has resident. 0 if they are
// not known.
func residentMemory() int64 { return kib("/proc/self/status", "VmRSS:") }

// freeMemory returns the bytes that can be had without swapping, within the
// limits of the process's control group and those above it. 0 if they are not known.
func freeMemory() int64 {
	free := kib("/proc/meminfo", "MemAvailable:")
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for _, c := range controlGroups(string(groups)) {
		var limit, used, cache int64
		if !number(c.folder+c.limit, &limit) || !number(c.folder+c.used, &used) {
			continue
		}
		stat, _ := os.ReadFile(c.folder + "memory.stat")
		_, rest, _ := strings.Cut("\n"+string(stat), "\n"+c.cache+" ")
		fmt.Sscan(rest, &cache) // files not used lately: the kernel gives them up
		free = min(free, max(limit-used+cache, 1<<20))
	}
	return free
}

// controlGroup is where cgroups(7) keeps one group's memory: the folder, with a
// slash, and the names in it.
type controlGroup struct{ folder, limit, used, cache string }

// controlGroups reads /proc/self/cgroup: the process's group and those above it, of
// version 2 or of version 1's memory controller. A container may see its own group
// as the root whatever its name is.
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
