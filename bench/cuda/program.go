package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"nstfilter/bench/problem"
)

// patience is what one turn of ours may take: a driver compiles kernels the first time.
const patience = 3 * time.Minute

// program is one that takes part, and what has been measured of it.
type program struct {
	Name      string  `json:"name"`
	Version   string  `json:"version"`
	Precision string  `json:"precision"`
	Own       bool    `json:"own"`
	Seconds   float64 `json:"seconds"`                // median over turns of a turn's median
	Host      float64 `json:"host_seconds,omitempty"` // ours: the same, through the host
	Memory    int64   `json:"memory_bytes"`
	Taken     int64   `json:"taken_bytes,omitempty"` // ours: by which the device's free memory sank
	Cosine    float64 `json:"gradient_cosine"`       // to PyTorch's in fp32
	Ratio     float64 `json:"ratio,omitempty"`       // PyTorch's time over ours (compare says of which)
	Flops     float64 `json:"flops_per_second"`
	OfFP32    float64 `json:"share_of_fp32_peak"`
	OfBF16    float64 `json:"share_of_bf16_peak"`
	Error     string  `json:"error,omitempty"`

	class       string // PyTorch's precision; with the others of it, it is compared
	do          func(job) (answer, error)
	job         job
	turns, host []float64
	absent      bool
}

// classes are in the table's order.
var classes = []string{"fp32", "tf32", "bf16"}

// peerOf is the precision of PyTorch that one of ours is compared with.
var peerOf = map[string]string{"fp32": "fp32", "mixed": "tf32", "bf16": "bf16"}

// programs are those that can run here. The first is PyTorch whose gradient is right.
func (r *runner) programs(folder string) ([]*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*program
	add := func(name, class string, own bool, j job, do func(job) (answer, error)) {
		j.Folder, j.Seconds = folder, r.seconds
		j.Gradient = filepath.Join(folder, strings.ReplaceAll(name+" "+j.Precision+".f32", " ", "-"))
		all = append(all, &program{Name: name, Precision: j.Precision, Own: own, class: class, job: j, do: do})
	}
	ours := func(j job) (answer, error) { return own(self, j) }
	peer := func(j job) (a answer, err error) {
		err = r.torch.ask(j, &a)
		return a, err
	}
	modes := []string{"eager"}
	if r.card.GPU {
		modes = append(modes, "graph")
	}
	if r.card.GPU && r.compile {
		modes = append(modes, "compiled")
	}
	oracle := job{Precision: "fp32", Layout: "nchw", Mode: "eager"}
	add("PyTorch nchw eager", "fp32", false, oracle, peer)
	for _, precision := range r.precisions {
		class, ok := peerOf[precision]
		if !ok {
			return nil, fmt.Errorf("precision %q is not one of %s", precision, everyPrecision)
		}
		for _, layout := range []string{"nchw", "nhwc"} {
			for _, mode := range modes {
				if j := (job{Precision: class, Layout: layout, Mode: mode}); j != oracle {
					add("PyTorch "+layout+" "+mode, class, false, j, peer)
				}
			}
		}
		add("nstfilter", class, true, job{Precision: precision, Device: r.device, ISA: "auto"}, ours)
		if precision == "fp32" && r.device == "cuda" {
			add("nstfilter simt", class, true, job{Precision: precision, Device: r.device, ISA: "simt"}, ours)
		}
	}
	return all, nil
}

// own does a job in a process of its own, which a failing device then ends.
func own(self string, j job) (a answer, err error) {
	line, err := json.Marshal(j)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "-work", string(line))
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return a, fmt.Errorf("%w: %s", errors.Join(err, ctx.Err()), bytes.TrimSpace(log.Bytes()))
	}
	return a, json.Unmarshal(out.Bytes(), &a)
}

// turn times the program once more.
func (p *program) turn() {
	a, err := p.do(p.job)
	if err != nil {
		p.Error = err.Error()
		return
	}
	p.Version, p.Memory, p.Taken, p.absent = a.Program, a.Memory, a.Taken, a.Absent != ""
	if p.absent {
		return
	}
	p.turns = append(p.turns, problem.Median(a.Seconds))
	p.Seconds = problem.Median(p.turns)
	if len(a.Host) > 0 {
		p.host = append(p.host, problem.Median(a.Host))
		p.Host = problem.Median(p.host)
	}
}

// beaten says that p need not go on: another PyTorch was faster in its precision.
func beaten(p *program, all []*program) bool {
	if p.absent {
		return true
	}
	best := fastest(all, p.class, false)
	return !p.Own && best != nil && p != best
}

// fastest of those in a class that are ours, or PyTorch; nil where none was timed.
func fastest(all []*program, class string, own bool) (best *program) {
	for _, p := range all {
		if p.class == class && p.Own == own && p.Seconds > 0 && p.Error == "" && (best == nil || p.Seconds < best.Seconds) {
			best = p
		}
	}
	return best
}
