package host

import (
	"slices"
	"testing"
)

func TestControlGroups(t *testing.T) {
	for text, want := range map[string][]string{
		"0::/\n":                            {"/sys/fs/cgroup/memory.max"},
		"0::/user.slice/a.scope\n":          {"/sys/fs/cgroup/user.slice/a.scope/memory.max", "/sys/fs/cgroup/user.slice/memory.max", "/sys/fs/cgroup/memory.max"},
		"0::/../b\n":                        {"/sys/fs/cgroup/b/memory.max", "/sys/fs/cgroup/memory.max"},
		"5:cpu:/x\n4:memory,hugetlb:/d/e\n": {"/sys/fs/cgroup/memory/d/e/memory.limit_in_bytes", "/sys/fs/cgroup/memory/d/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		"":                                  nil,
		"nonsense\n1:2\n":                   nil,
	} {
		var got []string
		for _, c := range controlGroups(text) {
			got = append(got, c.folder+c.limit)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestMemoryIsKnown(t *testing.T) {
	if free, used, peak := FreeMemory(), ResidentMemory(), PeakMemory(); free <= 0 || used <= 0 || peak < used {
		t.Errorf("%d bytes free, %d resident, %d at most", free, used, peak)
	}
}
