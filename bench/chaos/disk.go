//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"nstfilter/bench/run"
)

// fillDisk paints onto a disk that is too small, makes room, and lets the same command
// complete the film.
func (t *trial) fillDisk(int) error {
	out := filepath.Join(t.folder, "out")
	free, all := 48<<10+t.random.IntN(1500<<10), 32<<20
	freed := t.random.IntN(2) == 0 // else the disk grows
	size := free
	if freed {
		size = all
	}
	if err := mount("-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", out); err != nil {
		return err
	}
	defer exec.Command("umount", "-l", out).Run()
	ballast := filepath.Join(out, "ballast")
	if freed {
		if err := os.WriteFile(ballast, make([]byte, all-free), 0o600); err != nil {
			return err
		}
	}
	p := t.command(t.folder, t.variant.args...)
	words, err := p.Run()
	t.note("%d bytes are free, freed later: %v: %v\n%s", free, freed, p.ProcessState, words)
	if err != nil {
		return err
	}
	code := p.ProcessState.ExitCode()
	done := code == 0 && t.complete()
	if !done && (code != 1 || p.Hung || !strings.Contains(strings.ToLower(words), "no space left")) {
		return fmt.Errorf("on a full disk it ends with %v", p.ProcessState)
	}
	t.hit("disk is full", done, done)
	const part = "o.interrupted.mkv" // which a job leaves that has no room for a journal either
	if err := run.CheckLeft(t.folder, "out", func(name string) bool {
		return name == "ballast" || !done && (name == t.variant.journal || name == part) || done && t.variant.isResult(name)
	}); err != nil {
		return err
	}
	if !done {
		os.Remove(filepath.Join(out, part))
	}
	if freed {
		err = os.Remove(ballast)
	} else {
		err = mount("-o", fmt.Sprintf("remount,size=%d", all), out)
	}
	if err != nil {
		return err
	}
	if !done {
		p = t.command(t.folder, t.variant.args...)
		words, err = p.Run()
		t.note("with more room: %v\n%s", p.ProcessState, words)
		if err != nil || !p.ProcessState.Success() {
			return fmt.Errorf("the same command does not go on: %v %v", p.ProcessState, err)
		}
	}
	if err := t.compare(); err != nil {
		return err
	}
	t.same()
	return nil
}

func mount(args ...string) error {
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mount %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
