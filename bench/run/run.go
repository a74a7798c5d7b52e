//go:build linux

// Package run starts the program for tests that harm it, and finds what it leaves behind.
package run

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Patience is how long a run may take on a busy machine before it counts as hung.
const Patience = 60 * time.Second

// Program is a running command, which has a folder for temporary files of its own.
type Program struct {
	*exec.Cmd
	Folder string // it works in
	Hung   bool   // it was killed after Patience; valid after Wait

	words  bytes.Buffer
	stderr *os.File // our end
	read   sync.WaitGroup
}

// Temp returns the folder for temporary files of the programs that work in folder.
func Temp(folder string) string { return filepath.Join(folder, "tmp") }

// New returns a command that works in folder, with Temp(folder) for temporary files.
func New(folder, name string, args ...string) *Program {
	p := &Program{Cmd: exec.Command(name, args...), Folder: folder}
	p.Dir = folder
	p.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "TMPDIR=") }), mark(folder))
	return p
}

// mark is in the environment of all processes that were started for folder, and of no
// other.
func mark(folder string) string { return "TMPDIR=" + Temp(folder) }

// Start starts the program and reads its stderr.
func (p *Program) Start() error {
	if err := os.MkdirAll(Temp(p.Folder), 0o755); err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	p.stderr, p.Stderr = read, write
	err = p.Cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		return err
	}
	p.read.Go(func() { io.Copy(&p.words, read) })
	return nil
}

// CloseStderr takes the reader of stderr away.
func (p *Program) CloseStderr() { p.stderr.Close() }

// Wait waits for the end and returns what the program wrote to stderr.
func (p *Program) Wait() string {
	late := time.AfterFunc(Patience, func() {
		p.Hung = true
		p.Process.Kill()
	})
	p.Cmd.Wait()
	late.Stop()
	p.stderr.SetReadDeadline(time.Now().Add(Patience)) // a child that is left may hold it
	p.read.Wait()
	p.stderr.Close()
	return p.words.String()
}

// Run starts the program and waits for its end.
func (p *Program) Run() (words string, err error) {
	if err := p.Start(); err != nil {
		return "", err
	}
	return p.Wait(), nil
}

// Process is a process and its command line.
type Process struct {
	PID  int
	Line string
}

// Processes returns the processes that were started for folder.
func Processes(folder string) (all []Process) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		environment, _ := os.ReadFile(file) // which is empty for a zombie
		if !slices.Contains(strings.Split(string(environment), "\x00"), mark(folder)) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		p := Process{Line: strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))}
		fmt.Sscan(filepath.Base(filepath.Dir(file)), &p.PID)
		all = append(all, p)
	}
	return all
}

// CheckLeft reports processes that were started for folder and do not end, files in its
// folder for temporary files, and names in out, below folder, that allowed does not know.
func CheckLeft(folder, out string, allowed func(name string) bool) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := Processes(folder)
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("processes are left: %v", left)
		}
	}
	temp, err := os.ReadDir(Temp(folder))
	if err != nil || len(temp) > 0 {
		return fmt.Errorf("temporary files are left: %v %v", temp, err)
	}
	names, err := os.ReadDir(filepath.Join(folder, out))
	if err != nil {
		return err
	}
	for _, n := range names {
		if !allowed(n.Name()) {
			return fmt.Errorf("%s is left in %s", n.Name(), out)
		}
	}
	return nil
}
