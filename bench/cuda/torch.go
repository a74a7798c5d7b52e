package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// torch is peer_torch.py, which starts once: that takes longer than most jobs.
type torch struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	log bytes.Buffer
}

func startTorch(python, program string) (*torch, error) {
	t := &torch{cmd: exec.Command(python, program)}
	t.cmd.Stderr = &t.log
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.out = json.NewDecoder(out)
	return t, t.cmd.Start()
}

// ask has it do a job and decodes its answer. Only the loss of the process is fatal to
// the next job.
func (t *torch) ask(j job, into any) error {
	if err := json.NewEncoder(t.in).Encode(j); err != nil {
		return t.gone(err)
	}
	var said json.RawMessage
	if err := t.out.Decode(&said); err != nil {
		return t.gone(err)
	}
	var failure struct{ Error string }
	if err := json.Unmarshal(said, &failure); err != nil {
		return err
	}
	if failure.Error != "" {
		return errors.New(failure.Error)
	}
	return json.Unmarshal(said, into)
}

// gone says why the process ended.
func (t *torch) gone(err error) error {
	t.in.Close()
	if ended := t.cmd.Wait(); ended != nil {
		err = ended
	}
	return fmt.Errorf("PyTorch is gone: %w\n%s", err, t.log.Bytes())
}

func (t *torch) close() {
	t.in.Close()
	t.cmd.Wait()
}
