package pipeline

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// The name of what an interruption keeps is new, and one that a file system takes.
func TestInterruptedName(t *testing.T) {
	folder := t.TempDir()
	for _, base := range []string{"a", strings.Repeat("b", 244), strings.Repeat("ä", 125)} {
		seen := map[string]bool{}
		for range 3 {
			name := interruptedName(filepath.Join(folder, base+".mkv"))
			if seen[name] || !strings.Contains(name, ".interrupted") || !utf8.ValidString(name) {
				t.Errorf("%s of %s", name, base)
			}
			seen[name] = true
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

// A name that cannot be written says what to do about it. Not even root makes files in /sys.
func TestNameThatCannotBeWritten(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/sys is Linux's")
	}
	err := checkName("/sys/o.mkv")
	if err == nil || !strings.HasPrefix(err.Error(), "/sys/o.mkv: ") || !strings.Contains(err.Error(), "; choose another folder") && !strings.Contains(err.Error(), "; check the file and its folder") {
		t.Errorf("%v", err)
	}
}
