package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// peer is OpenCV in another process.
type peer struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	version string
}

type answer struct {
	Version string
	MS      float64 `json:"ms"`
	CPU     float64 `json:"cpu_ms"`
}

func startPeer(python, script string, threads int) (*peer, error) {
	p := &peer{cmd: exec.Command(python, script, strconv.Itoa(threads))}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: name a Python that has cv2, or none: -python ''", err)
	}
	a, err := p.answer()
	p.version = a.Version
	if err != nil {
		p.close()
	}
	return p, err
}

func (p *peer) answer() (a answer, err error) {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the peer ended: %w", err)
	}
	return a, json.Unmarshal(line, &a)
}

func (p *peer) ask(words ...string) (answer, error) {
	if _, err := fmt.Fprintln(p.in, strings.Join(words, "\t")); err != nil {
		return answer{}, err
	}
	return p.answer()
}

func (p *peer) close() error {
	p.in.Close()
	return p.cmd.Wait()
}
