//go:build unix

package pipeline

import (
	"os"

	"golang.org/x/sys/unix"
)

// expirable returns a file of the same pipe whose reads obey SetReadDeadline, and
// what undoes that. Anything but a pipe comes back as it is: a file does not wait.
func expirable(f *os.File) (*os.File, func()) {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return f, func() {}
	}
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		return f, func() {}
	}
	unix.CloseOnExec(fd)
	if unix.SetNonblock(fd, true) != nil {
		unix.Close(fd)
		return f, func() {}
	}
	p := os.NewFile(uintptr(fd), f.Name())
	return p, func() {
		unix.SetNonblock(fd, false) // the pipe's other readers share it
		p.Close()
	}
}
