//go:build unix

package video

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program that does not answer ends when the work is cancelled.
func TestAskEndsWithItsContext(t *testing.T) {
	asked := filepath.Join(t.TempDir(), "asked")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for _, err := os.Stat(asked); err != nil; _, err = os.Stat(asked) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := ask(ctx, "sh", "-c", `: >"$0"; exec tail -f /dev/null`, asked); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAskSaysWhy(t *testing.T) {
	for _, c := range []struct{ program, script, want string }{
		{"sh", "echo why >&2; exit 3", "sh: why"},
		{"sh", "exit 3", "exit status 3"},
		{"no-such-program", "", "install ffmpeg"},
	} {
		if _, err := ask(context.Background(), c.program, "-c", c.script); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: error %v, want %q", c.program, c.script, err, c.want)
		}
	}
	if text, err := ask(context.Background(), "sh", "-c", "echo yes; echo no >&2"); text != "yes\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// A line that ffmpeg has not finished counts for what it says, as a finished one.
func TestTailWithoutItsEnd(t *testing.T) {
	var words tail
	words.Write([]byte("[error] broken\n[verbose] Output stre"))
	if got := words.String(); got != "broken" {
		t.Errorf("%q, want broken", got)
	}
	words.Write(bytes.Repeat([]byte("x"), 1<<20))
	if len(words.rest) > 1<<14 {
		t.Errorf("%d bytes of a line are kept", len(words.rest))
	}
}
