//go:build unix

package host

import (
	"os"

	"golang.org/x/sys/unix"
)

// CellSize returns the size of a terminal's cells in pixels, or 0 if it does not say.
func CellSize(f *os.File) (w, h int) {
	s, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || s.Col == 0 || s.Row == 0 {
		return 0, 0
	}
	return int(s.Xpixel / s.Col), int(s.Ypixel / s.Row)
}

// WithDeadline opens the pipe f again so that its reads obey SetReadDeadline, and
// returns a function that closes it and makes f blocking again. It returns f itself if f
// is not a pipe, because reads of a file do not wait.
func WithDeadline(f *os.File) (*os.File, func()) {
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
		unix.SetNonblock(fd, false) // the pipe's other readers share this flag
		p.Close()
	}
}
