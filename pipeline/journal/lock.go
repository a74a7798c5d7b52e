package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lock is held by the process that paints an output. The system releases it when the
// process ends, however that is.
type lock struct {
	path string
	held *flock.Flock
}

// lockFolder makes the folder and locks it. It fails if another process holds it, and says
// which, and if the folder is not of this user's making.
func lockFolder(folder, output string) (*lock, error) {
	for {
		if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s: %w: choose another folder, or add --no-resume", output, err)
		}
		if info, err := os.Lstat(folder); err == nil && !info.IsDir() {
			return nil, fmt.Errorf("%s: %s is no folder, and there the job would be kept: remove it, or add --no-resume", output, folder)
		}
		l := &lock{path: filepath.Join(folder, "lock")}
		l.held = flock.New(l.path, flock.SetPermissions(0o600))
		ok, err := l.held.TryLock()
		if errors.Is(err, fs.ErrNotExist) {
			continue // the process before has just removed it
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: add --no-resume if this file system has no locks", output, err)
		}
		if !ok {
			owner, _ := os.ReadFile(l.path)
			return nil, fmt.Errorf("%s is being painted by another process%s: wait for it, end it, or choose another name", output, withSpace(owner))
		}
		if l.current() {
			host, _ := os.Hostname()
			text := fmt.Sprintf("(%d on %s, since %s)\n", os.Getpid(), host, time.Now().Format("2006-01-02 15:04"))
			return l, os.WriteFile(l.path, []byte(text), 0o600)
		}
		l.release()
	}
}

func withSpace(owner []byte) string {
	if text := strings.TrimSpace(string(owner)); text != "" {
		return " " + text
	}
	return ""
}

// current reports whether the lock is of the file that has the name now: the process
// before may have removed it between our opening and locking it.
func (l *lock) current() bool {
	ours, err := l.held.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(l.path)
	return err == nil && os.SameFile(ours, named)
}

func (l *lock) release() error { return l.held.Close() }
