package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/pipeline"
	"nstfilter/weights"
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
	p, err := readProblem(dir)
	if err != nil {
		return err
	}
	e, err := pipeline.OpenEngine(device, "auto", p.Threads)
	if err != nil {
		return err
	}
	s := engine.Spec{Network: p.network, Pooling: weights.AveragePooling, W: p.W, H: p.H, Precision: precisions[precision]}
	for i, l := range p.Layers {
		if l.Style || l.Content {
			s.Taps = append(s.Taps, engine.Tap{Layer: i, Style: l.Style, Content: l.Content})
		}
	}
	targets, err := newTargets(e, s, dir)
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
	if err := load(ev, x, dir, "content"); err != nil {
		return err
	}
	ev.Forward(x)
	ev.SetContent(nil)
	if err := load(ev, x, dir, "x"); err != nil {
		return err
	}
	t := timing{Program: "nstfilter, " + e.Name()}
	gs := make([]engine.Gradient, len(s.Taps))
	for began := time.Now(); len(t.Seconds) < 4 || time.Since(began) < budget; {
		start := time.Now()
		targets.gradients(gs, ev.Forward(x))
		ev.Backward(dx, gs)
		t.Seconds = append(t.Seconds, time.Since(start).Seconds())
	}
	t.Seconds, t.Memory = t.Seconds[1:], pipeline.PeakMemory()
	out := make([]float32, dx.Len())
	ev.Download(out, dx)
	if err := writeFloats(gradient, out); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}

// targets are the Gram matrices A and 1/‖A‖², and 1/‖t‖², for each tap.
type targets struct {
	gram    [][]float32
	style   []float64
	content []float64
}

func newTargets(e engine.Engine, s engine.Spec, dir string) (*targets, error) {
	s.Taps = append([]engine.Tap(nil), s.Taps...)
	for i := range s.Taps { // the trace of a Gram matrix is ‖t‖²/P
		s.Taps[i].Style, s.Taps[i].Content = true, false
	}
	ev, err := e.Compile(s)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	t := &targets{}
	x := ev.NewVector(3 * s.W * s.H)
	if err := load(ev, x, dir, "style"); err != nil {
		return nil, err
	}
	for _, m := range ev.Forward(x) {
		square := 0.0
		for _, v := range m.Gram {
			square += float64(v) * float64(v)
		}
		t.gram, t.style = append(t.gram, append([]float32(nil), m.Gram...)), append(t.style, 1/square)
	}
	if err := load(ev, x, dir, "content"); err != nil {
		return nil, err
	}
	for i, m := range ev.Forward(x) {
		c, trace := s.Network.Layers[s.Taps[i].Layer].Out, 0.0
		for j := range c {
			trace += float64(m.Gram[j*c+j])
		}
		t.content = append(t.content, 1/(trace*m.P))
	}
	return t, nil
}

// gradients writes J's derivatives by the moments.
func (t *targets) gradients(gs []engine.Gradient, ms []engine.Moments) {
	for i, m := range ms {
		if m.Gram == nil {
			gs[i].Content = t.content[i]
			continue
		}
		if gs[i].Gram == nil {
			gs[i].Gram = make([]float32, len(m.Gram))
		}
		for j, v := range m.Gram {
			gs[i].Gram[j] = float32(2 * t.style[i] * float64(v-t.gram[i][j]))
		}
	}
}

func load(ev engine.Evaluator, x engine.Vector, dir, name string) error {
	pix, err := readFloats(filepath.Join(dir, name+".f32"))
	if err != nil {
		return err
	}
	if len(pix) != x.Len() {
		return fmt.Errorf("%s.f32: %d values, want %d", name, len(pix), x.Len())
	}
	ev.Upload(x, pix)
	return nil
}
