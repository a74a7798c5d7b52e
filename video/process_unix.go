//go:build unix && !linux

package video

import (
	"os/exec"
	"syscall"
)

// detach gives cmd a process group, so that an interrupt at the terminal is ours to
// handle, and asks it to end before it is killed.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
}
