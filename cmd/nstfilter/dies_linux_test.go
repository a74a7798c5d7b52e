package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() { scriptCommands["dies"] = dies }

// dies runs a command in a process group of its own and, once FILE has a line, kills
// one of those that take part: dies CODE WHO FILE COMMAND…, where WHO is decoder,
// encoder, itself, or group, which is interrupted only. Then none of them may be left.
func dies(ts *testscript.TestScript, _ bool, args []string) {
	want, who, file := args[0], args[1], ts.MkAbs(args[2])
	os.Remove(file)
	c := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args[3:]...)...)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(ts.MkAbs("words"))
	ts.Check(err)
	defer log.Close()
	c.Stderr = log
	ts.Check(c.Start())
	kill := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer kill.Stop()
	for {
		if data, _ := os.ReadFile(file); bytes.Contains(data, []byte("\n")) {
			break
		}
		time.Sleep(5 * time.Millisecond)
		if syscall.Kill(c.Process.Pid, 0) != nil {
			ts.Fatalf("no line in %s:\n%s", file, ts.ReadFile("words"))
		}
	}
	ffmpegs := children(c.Process.Pid)
	if len(ffmpegs) != 2 {
		ts.Fatalf("%d children: %v", len(ffmpegs), ffmpegs)
	}
	switch who {
	case "itself":
		ts.Check(c.Process.Kill())
	case "group":
		ts.Check(syscall.Kill(-c.Process.Pid, syscall.SIGINT))
	default:
		role := map[string]string{"decoder": "pipe:1", "encoder": "pipe:0"}[who]
		for pid, line := range ffmpegs {
			if strings.Contains(line, role) {
				ts.Check(syscall.Kill(pid, syscall.SIGKILL))
			}
		}
	}
	c.Wait()
	if code := strconv.Itoa(c.ProcessState.ExitCode()); code != want {
		ts.Fatalf("exit code %s, want %s:\n%s", code, want, ts.ReadFile("words"))
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left := 0
		for pid := range ffmpegs {
			if alive(pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%d processes are left of %v", left, ffmpegs)
		}
	}
}

// children are the command lines of the processes that pid has started, by their
// numbers.
func children(pid int) map[int]string {
	found := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		if fields := statFields(stat); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			number, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(stat), "cmdline"))
			found[number] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	return found
}

// alive reports whether a process is there and not merely unburied.
func alive(pid int) bool {
	fields := statFields("/proc/" + strconv.Itoa(pid) + "/stat")
	return len(fields) > 0 && fields[0] != "Z"
}

// statFields are the fields of a stat file behind the name: state, parent, ….
func statFields(path string) []string {
	b, _ := os.ReadFile(path)
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}
