//go:build unix

package video

import (
	"os/exec"
	"reflect"
	"syscall"
)

// detach gives cmd a process group, so that an interrupt at the terminal is ours to
// handle, asks it to end before it is killed, and on Linux lets it die with us.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Linux alone has the field.
	if field := reflect.ValueOf(cmd.SysProcAttr).Elem().FieldByName("Pdeathsig"); field.IsValid() {
		field.Set(reflect.ValueOf(syscall.SIGKILL))
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
}
