package main

import (
	"encoding/json"
	"os"
	"runtime/debug"
	"time"

	"nstfilter/bench/problem"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/host"
)

// timing is what one run of one program says, as a line of JSON.
type timing struct {
	Program string    `json:"program"` // and its version
	Seconds []float64 `json:"seconds"` // of each iteration, after one to warm up
	Memory  int64     `json:"peak_memory_bytes"`
}

// warm and then iterate until this has gone by, but at least three times.
const budget = 3 * time.Second

var precisions = map[string]engine.Precision{"fp32": engine.FP32, "mixed": engine.Mixed, "bf16": engine.BF16}

// ours works on the problem in dir with one of nstfilter's engines.
func ours(dir, device, precision, gradient string) error {
	debug.SetGCPercent(10) // as nstfilter does
	p, err := problem.Read(dir)
	if err != nil {
		return err
	}
	e, err := engines.Builtin.OpenOne(device, "auto", p.Threads)
	if err != nil {
		return err
	}
	s := p.Spec(precisions[precision])
	targets, err := problem.NewTargets(e, s, dir)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // of what reading took
	ev, err := e.Compile(s)
	if err != nil {
		return err
	}
	defer ev.Close()
	x, dx := ev.NewVector(3*p.W*p.H), ev.NewVector(3*p.W*p.H)
	if err := problem.Load(ev, x, dir, "content"); err != nil {
		return err
	}
	ev.Forward(x)
	ev.SetContent(nil)
	if err := problem.Load(ev, x, dir, "x"); err != nil {
		return err
	}
	t := timing{Program: "nstfilter, " + e.Name()}
	gs := make([]engine.Gradient, len(s.Taps))
	for began := time.Now(); len(t.Seconds) < 4 || time.Since(began) < budget; {
		start := time.Now()
		targets.Gradients(gs, ev.Forward(x))
		ev.Backward(dx, gs)
		t.Seconds = append(t.Seconds, time.Since(start).Seconds())
	}
	t.Seconds, t.Memory = t.Seconds[1:], host.PeakMemory()
	out := make([]float32, dx.Len())
	ev.Download(out, dx)
	if err := problem.WriteFloats(gradient, out); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}
