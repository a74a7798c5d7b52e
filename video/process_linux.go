package video

import (
	"os/exec"
	"syscall"
)

// detach gives cmd a process group, so that an interrupt at the terminal is ours to
// handle, asks it to end before it is killed, and lets it die with us.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
}
