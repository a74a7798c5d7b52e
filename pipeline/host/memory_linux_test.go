package host

import (
	"path"
	"slices"
	"strings"
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

// FuzzControlGroups: whatever the kernel says, only its accounts are read.
func FuzzControlGroups(f *testing.F) {
	for _, seed := range []string{"0::/user.slice/a.scope\n", "0::/../b\n", "5:cpu:/x\n4:memory,hugetlb:/d/e\n", "nonsense\n1:2\n", "1:memory:../../../etc"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range controlGroups(text) {
			if !strings.HasPrefix(c.folder, "/sys/fs/cgroup/") || !strings.HasSuffix(c.folder, "/") || path.Clean(c.folder)+"/" != c.folder {
				t.Errorf("%q leads to %q", text, c.folder)
			}
		}
	})
}

// FuzzKiB: a value is never negative, however large it is said to be.
func FuzzKiB(f *testing.F) {
	for _, seed := range []string{"VmRSS:\t  1234 kB\n", "VmHWM: 1\nVmRSS: 2", "VmRSS:", "VmRSS: -1", "VmRSS: 9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n := parseKiB(text, "VmRSS:"); n < 0 || n%1024 != 0 {
			t.Errorf("%q: %d bytes", text, n)
		}
	})
}
