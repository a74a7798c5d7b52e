package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Landlock's versions: renamesABI is the first that lets a file be renamed into another folder,
// as results are, and networkABI the first that knows the network.
const (
	renamesABI = 2
	networkABI = 4
)

const (
	readRights    = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSReadDir)
	executeRights = readRights | ll.AccessFSExecute
	deviceRights  = readRights | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSIoctlDev
	writeRights   = readRights | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSMakeReg | ll.AccessFSMakeDir |
		ll.AccessFSRemoveFile | ll.AccessFSRemoveDir | ll.AccessFSRefer
	fileRights = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSExecute | ll.AccessFSTruncate | ll.AccessFSIoctlDev)
)

var rightsOf = [...]landlock.AccessFSSet{read: readRights, execute: executeRights, write: writeRights, device: deviceRights}

// Confine lets this process, and those that it starts, open no more than a names, what every
// job needs of the system, and what is open already; as far as the kernel's Landlock goes, no
// network either. There is no way back. Paths that do not exist then are left out. getenv is
// os.Getenv. how says in words what holds from now on; an error means that nothing is sure.
func Confine(a Access, getenv func(string) string) (how string, err error) {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < renamesABI {
		return "off: this system has no Landlock, or one of Linux before 5.19", nil
	}
	if path, err := exec.LookPath("ffmpeg"); err == nil && a.Film && isSnap(path) {
		return "off: ffmpeg is a snap, and starts in no sandbox but its own", nil
	}
	config := landlock.V10.BestEffort()
	config.Scoped = ll.ScopeAbstractUnixSocket // not of signals: before ABI 8 one thread's child is out of the others' scope
	if a.GPU {
		// Drivers talk through sockets to their daemons and to the display.
		config.Scoped, config.HandledAccessFS = 0, landlock.V8.HandledAccessFS
	}
	var paths []landlock.Rule
	for _, r := range rules(a, getenv, exec.LookPath) {
		// A pipe, /dev/fd/63, has no path, and needs no rule.
		path, err := filepath.EvalSymlinks(r.path)
		if err != nil {
			continue
		}
		rights := rightsOf[r.right]
		if info, err := os.Stat(path); err != nil {
			continue
		} else if !info.IsDir() {
			rights &= fileRights
		}
		paths = append(paths, landlock.PathAccess(rights, path).IgnoreIfMissing())
	}
	if err := config.Restrict(paths...); err != nil {
		return "", err
	}
	confined.Store(true)
	what := "files and network"
	if abi < networkABI {
		what = "files"
	}
	return fmt.Sprintf("on, by Landlock ABI %d: %s", abi, what), nil
}

// confined is true once Confine has restricted the process.
var confined atomic.Bool

// Remedy is what to do about an error that Denies reports.
const Remedy = "the sandbox opens only what was there under its name at the start: start again, or add --no-sandbox"

// Denies reports whether err is Confine's doing: a file cannot be opened though this user has
// the permission.
func Denies(err error) bool {
	var failed *fs.PathError
	return confined.Load() && errors.As(err, &failed) && errors.Is(err, fs.ErrPermission) && permitted(failed.Path)
}
