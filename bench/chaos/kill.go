//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"nstfilter/bench/run"
)

// kill is a way to harm a running program.
type kill struct {
	name    string
	child   string // the argument by which the child to signal is known; empty: the program itself
	signals []syscall.Signal
	codes   []int // exit codes that it may lead to if the job is not done; -1: by signal
}

var programKills = []kill{
	{"SIGKILL", "", []syscall.Signal{syscall.SIGKILL}, []int{-1}},
	{"SIGTERM", "", []syscall.Signal{syscall.SIGTERM}, []int{130, -1}},
	{"SIGHUP", "", []syscall.Signal{syscall.SIGHUP}, []int{130, -1}},
	{"SIGINT", "", []syscall.Signal{syscall.SIGINT}, []int{130, -1}},
	{"SIGINT twice", "", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, []int{130, -1}},
	{"stderr's reader leaves", "", nil, nil},
}

var filmKills = slices.Concat(programKills, []kill{
	{"SIGKILL to the decoder", "pipe:1", []syscall.Signal{syscall.SIGKILL}, []int{1}},
	{"SIGTERM to the decoder", "pipe:1", []syscall.Signal{syscall.SIGTERM}, []int{1}},
	{"SIGKILL to the encoder", "pipe:0", []syscall.Signal{syscall.SIGKILL}, []int{1}},
	{"SIGTERM to the encoder", "pipe:0", []syscall.Signal{syscall.SIGTERM}, []int{1}},
})

// paintAndKill kills one job up to three times, and lets the same command complete it.
func (t *trial) paintAndKill(most int) error {
	for range min(most, 1+t.random.IntN(3)) {
		k := t.variant.kills[t.variant.next%len(t.variant.kills)] // in turn, so that none is left out
		t.variant.next++
		done, err := t.killed(k)
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	if !t.complete() {
		p := t.command(t.folder, t.variant.args...)
		words, err := p.Run()
		t.note("the same command: %v\n%s", p.ProcessState, words)
		if err != nil {
			return err
		}
		if !p.ProcessState.Success() || p.Hung {
			return fmt.Errorf("the same command does not go on: %v", p.ProcessState)
		}
	}
	if err := t.compare(); err != nil {
		return err
	}
	t.same()
	return nil
}

// killed runs the program and harms it at some moment. done says that the job is complete.
func (t *trial) killed(k kill) (done bool, err error) {
	p := t.command(t.folder, t.variant.args...)
	if err := p.Start(); err != nil {
		return false, err
	}
	ended := make(chan string, 1)
	go func() { ended <- p.Wait() }()
	words, late := t.waitForMoment(k, ended)
	if !late {
		late = t.strike(p, k)
		words = <-ended
	}
	code := p.ProcessState.ExitCode()
	done = t.complete()
	t.note("%s, late: %v, done: %v, %v\n%s", k.name, late, done, p.ProcessState, words)
	switch {
	case p.Hung:
		return false, fmt.Errorf("it hangs after %s", k.name)
	case code == 0 && !done, done && !late && len(k.signals) == 0 && code != 0, late && code != 0:
		return false, fmt.Errorf("after %s it ends with %d", k.name, code)
	case code != 0 && !slices.Contains(k.codes, code):
		return false, fmt.Errorf("after %s it ends with %d, not %v", k.name, code, k.codes)
	}
	t.hit(k.name, done, late || done && len(k.signals) > 0 && code == 0)
	return done, run.CheckLeft(t.folder, "out", func(name string) bool {
		return t.variant.isResult(name) || name == t.variant.journal || strings.HasPrefix(name, "o.interrupted.") ||
			t.hasHit("SIGKILL") && strings.Contains(name, ".partial.") // it had no time to tidy up
	})
}

// waitForMoment waits for a random moment of the job, or for the last result to appear,
// which is a moment that is hit too seldom otherwise. late says that the program has ended.
func (t *trial) waitForMoment(k kill, ended <-chan string) (words string, late bool) {
	share := 1.05
	if k.child != "" {
		share = 0.7 // the decoder is done before the film is
	}
	moment := time.Duration(t.random.Float64() * share * float64(t.variant.took))
	if k.child != "" || t.random.IntN(5) > 0 {
		t.note("after %v:", moment)
		select {
		case words = <-ended:
			return words, true
		case <-time.After(moment):
			return "", false
		}
	}
	last := filepath.Join(t.folder, "out", t.variant.results[len(t.variant.results)-1])
	t.note("as %s appears:", filepath.Base(last))
	for {
		select {
		case words = <-ended:
			return words, true
		case <-time.After(100 * time.Microsecond):
			if _, err := os.Lstat(last); err == nil {
				return "", false
			}
		}
	}
}

// strike harms p. late says that whom it was meant for has ended before.
func (t *trial) strike(p *run.Program, k kill) (late bool) {
	if len(k.signals) == 0 {
		p.CloseStderr()
		return false
	}
	pid := p.Process.Pid
	for k.child != "" {
		all := run.Processes(t.folder)
		if i := slices.IndexFunc(all, func(p run.Process) bool { return strings.Contains(p.Line, k.child) }); i >= 0 {
			pid = all[i].PID
			break
		}
		if !slices.ContainsFunc(all, func(q run.Process) bool { return q.PID == p.Process.Pid }) {
			return true
		}
		if _, err := os.Lstat(filepath.Join(t.folder, "out", t.variant.results[0])); err == nil {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	for i, s := range k.signals {
		if i > 0 { // signals that come at once are one
			time.Sleep(time.Duration(t.random.IntN(20)) * time.Millisecond)
		}
		if syscall.Kill(pid, s) != nil {
			return i == 0
		}
	}
	return false
}

// complete reports whether all results are there, and no journal but one that stays.
func (t *trial) complete() bool {
	for _, name := range t.variant.results {
		if _, err := os.Lstat(filepath.Join(t.folder, "out", name)); err != nil {
			return false
		}
	}
	_, err := os.Lstat(filepath.Join(t.folder, "out", t.variant.journal))
	return err != nil || t.variant.stays
}

func (v *variant) isResult(name string) bool { return slices.Contains(v.results, name) }
