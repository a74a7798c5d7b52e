//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"nstfilter/bench/run"
)

// pipeBreaks are the ways to harm a program between two pipes, and what it may end with.
var pipeBreaks = []struct {
	name string
	ends string // how it may say that it ended: parts of os.ProcessState's text
}{
	{"stdout's reader leaves", "signal: broken pipe"},
	{"stdin is cut", "exit status 1"},
	{"SIGINT in a pipe", "exit status 130"},
	{"SIGKILL in a pipe", "signal: killed"},
	{"stderr's reader leaves", "exit status 0"},
}

// breakPipe harms one run in a pipe. A pipe cannot go on: what came out must be whole
// frames, the same as those of the run without harm.
func (t *trial) breakPipe(int) error {
	in, err := os.ReadFile(filepath.Join(t.folder, "..", "in.y4m"))
	if err != nil {
		return err
	}
	b := pipeBreaks[t.variant.next%len(pipeBreaks)]
	t.variant.next++
	at := t.random.IntN(len(in) - 1)
	got, p, words, err := t.pipe(in, at, b.name)
	t.note("%s at byte %d of %d: %v, %d bytes of %d came out\n%s", b.name, at, len(in), p.ProcessState, len(got), len(t.variant.want), words)
	if err != nil {
		return err
	}
	ended := p.ProcessState.String()
	late := ended == "exit status 0" && bytes.Equal(got, t.variant.want)
	t.hit(b.name, late, late && b.ends != ended)
	if p.Hung || !late && !strings.HasPrefix(ended, b.ends) && !wholeCut(b.name, ended, in[:at]) {
		return fmt.Errorf("after %q it ends with %s", b.name, ended)
	}
	if !bytes.HasPrefix(t.variant.want, got) {
		return errors.New("what came out is not the beginning of what comes out without harm")
	}
	if wants := b.name == "stdin is cut" || b.name == "SIGINT in a pipe"; wants && !wholeFrames(got, t.variant.want) {
		return errors.New("what came out is no whole frames")
	}
	if err := run.CheckLeft(t.folder, "out", func(string) bool { return false }); err != nil {
		return err
	}
	t.same()
	return nil
}

// wholeCut says that a stream was cut between frames, which is a stream's end.
func wholeCut(name, ended string, in []byte) bool {
	return name == "stdin is cut" && ended == "exit status 0" && wholeFrames(in, in)
}

// pipe runs the program between pipes and harms it once at bytes have gone in, or, if the
// reader leaves, have come out.
func (t *trial) pipe(in []byte, at int, how string) (got []byte, p *run.Program, words string, err error) {
	p = t.command(t.folder)
	stdin, err := p.StdinPipe()
	if err != nil {
		return nil, p, "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, p, "", err
	}
	p.Stdout = write
	err = p.Start()
	write.Close()
	if err != nil {
		return nil, p, "", err
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer stdin.Close()
		if _, err := stdin.Write(in[:at]); err != nil {
			return
		}
		switch how {
		case "stdin is cut":
			return
		case "SIGINT in a pipe":
			p.Process.Signal(os.Interrupt)
		case "SIGKILL in a pipe":
			p.Process.Signal(syscall.SIGKILL)
		case "stderr's reader leaves":
			p.CloseStderr()
		}
		stdin.Write(in[at:])
	}()
	var b bytes.Buffer
	if how == "stdout's reader leaves" {
		io.CopyN(&b, read, int64(at)*9/10) // more than a pipe holds is left
	} else {
		io.Copy(&b, read)
	}
	read.Close()
	words = p.Wait()
	<-fed
	return b.Bytes(), p, words, nil
}

// wholeFrames reports whether part ends where a frame of the y4m stream ends.
func wholeFrames(part, stream []byte) bool {
	header := bytes.IndexByte(stream, '\n') + 1
	frame := len("FRAME\n") + 160*96*3/2
	return len(part) == 0 || len(part) >= header && (len(part)-header)%frame == 0
}
