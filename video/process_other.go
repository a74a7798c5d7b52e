//go:build !unix

package video

import "os/exec"

// detach does nothing: cmd is killed when it is cancelled.
func detach(*exec.Cmd) {}
