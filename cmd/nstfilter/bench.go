package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/filter/limits"
	"nstfilter/pipeline"
	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/host"
	"nstfilter/weights"
)

type benchCmd struct {
	Device    string   `help:"What computes: auto, cuda, cuda:N, cpu, or gorgonia."`
	ISA       string   `name:"isa" env:"NSTFILTER_ISA" help:"Instructions to compute with: auto; the cpu's avx512, avx2, neon, or plain; cuda's tensor or simt."`
	Threads   int      `name:"threads" min:"0" max:"1024" help:"Threads to compute with; 0 takes all processors."`
	Network   string   `name:"network" oneof:"slim,vgg16,vgg19" help:"Network that sees: slim, vgg16 or vgg19."`
	Sizes     []string `aliases:"size" default:"128,256,512" help:"Sizes of the pictures, in pixels: 512 (a square) or 1920x1080, with commas between."`
	Precision string   `name:"precision" default:"fp32" oneof:"fp32,mixed,bf16" help:"What convolutions multiply: fp32, mixed or bf16."`
	JSON      bool     `help:"One JSON object a line."`
}

// benchResult is the measurement of one size. It counts the operations of a direct
// convolution, 2·9·C_in·C_out·H·W each way, though Winograd needs fewer.
type benchResult struct {
	Engine    string       `json:"engine"`
	Peak      float64      `json:"peak_flops,omitempty"` // measured, with fused multiply-adds in registers
	Network   string       `json:"network"`
	Precision string       `json:"precision"`
	W         int          `json:"width"`
	H         int          `json:"height"`
	Iteration float64      `json:"seconds_per_iteration"` // of the fastest iteration
	Flops     float64      `json:"flops"`                 // of one iteration
	Memory    int64        `json:"memory_bytes"`          // as the engine estimates it
	PeakRSS   int64        `json:"peak_memory_bytes"`     // of the whole process so far
	Picture   float64      `json:"seconds_adam"`
	Layers    []layerTimes `json:"layers,omitempty"`
}

// layerTimes are the mean seconds of an iteration in one layer.
type layerTimes struct {
	Tap      string  `json:"layer"`
	Forward  float64 `json:"forward"`
	Backward float64 `json:"backward"`
	Loss     float64 `json:"loss"` // Gram, content, and their gradients
	Flops    float64 `json:"flops"`
}

func (c *benchCmd) Run(e *commandEnv) error {
	if err := limits.Check(c); err != nil {
		return pipeline.UsageError{Err: err}
	}
	network, err := weights.Named(c.Network, networkFolder())
	if err != nil {
		return err
	}
	eng, err := engines.Builtin.OpenOne(c.Device, c.ISA, c.Threads)
	if err != nil {
		return err
	}
	s := engine.Spec{Network: network, Pooling: network.Pooling, Precision: precisionNames[c.Precision]}
	if m, ok := eng.(engine.Precisions); s.Precision != engine.FP32 && (!ok || !m.HasBF16()) {
		return pipeline.UsageErrorf("--precision %s: %s has no bfloat16 products (AVX512-BF16, or tensor cores)", c.Precision, eng.Name())
	}
	peak := 0.0
	if p, ok := eng.(engine.PeakFLOPS); ok {
		peak = p.PeakFLOPS()
	}
	for _, size := range c.Sizes {
		if s.W, s.H, err = parseSize(size); err != nil {
			return pipeline.UsageError{Err: err}
		}
		m, err := measureSize(e, eng, s)
		if err != nil {
			return err
		}
		m.Peak, m.Precision = peak, c.Precision
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
				return err
			}
			continue
		}
		m.print()
	}
	return nil
}

var precisionNames = map[string]engine.Precision{"fp32": engine.FP32, "mixed": engine.Mixed, "bf16": engine.BF16}

// parseSize reads 512 or 1920x1080.
func parseSize(s string) (w, h int, err error) {
	width, height, found := strings.Cut(s, "x")
	if !found {
		height = width
	}
	w, errW := strconv.Atoi(width)
	h, errH := strconv.Atoi(height)
	if errW != nil || errH != nil || min(w, h) < engine.MinSide || max(w, h) > 8192 {
		return 0, 0, fmt.Errorf("--sizes %q is not 512 or 1920x1080 with sides between %d and 8192", s, engine.MinSide)
	}
	return w, h, nil
}

func (m *benchResult) print() {
	fmt.Printf("%s; %s, %s; %s, %d×%d, %s\n", versionText(), processorName(), m.Engine, m.Network, m.W, m.H, m.Precision)
	fmt.Printf("  %.4f s an iteration, %.0f GFLOP/s as direct convolution counts", m.Iteration, m.Flops/m.Iteration/1e9)
	if m.Peak > 0 {
		fmt.Printf(" (%.0f %% of this machine's %.0f)", 100*m.Flops/m.Iteration/m.Peak, m.Peak/1e9)
	}
	fmt.Printf("; %.2f GB, the process at most %.2f\n", float64(m.Memory)/1e9, float64(m.PeakRSS)/1e9)
	if len(m.Layers) == 0 {
		return
	}
	fmt.Printf("  %-9s %9s %9s %9s %9s\n", "ms", "forward", "backward", "loss", "GFLOP/s")
	for _, l := range m.Layers {
		fmt.Printf("  %-9s %9.2f %9.2f %9.2f %9.0f\n", l.Tap, 1e3*l.Forward, 1e3*l.Backward, 1e3*l.Loss, l.Flops/(l.Forward+l.Backward)/1e9)
	}
	fmt.Printf("  %-9s %9s %9.2f\n", "Adam", "", 1e3*m.Picture)
}

// processorName returns Linux's name of the processor, or its architecture.
func processorName() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// measureSize times the gradient of the loss and one step of Adam with the default layers.
func measureSize(e *commandEnv, eng engine.Engine, s engine.Spec) (_ *benchResult, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case engine.Failure:
			err = fmt.Errorf("%d×%d: %w", s.W, s.H, r)
		default:
			panic(r)
		}
	}()
	o := filter.DefaultOptions()
	if s.Taps, err = defaultTaps(&o, s.Network); err != nil {
		return nil, err
	}
	ev, err := eng.Compile(s)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	samples := 3 * s.W * s.H
	x, dx, m, v := ev.NewVector(samples), ev.NewVector(samples), ev.NewVector(samples), ev.NewVector(samples)
	picture := make([]float32, samples)
	for i := range picture {
		picture[i] = float32(i*2654435761%255) / 255
	}
	ev.Upload(x, picture)
	gradient := newGradient(ev, s, x, dx)
	sample := ev.View(x, 0, 1)
	wait := func() { ev.Dots([2]engine.Vector{sample, sample}) } // a device computes asynchronously
	profiler, _ := ev.(engine.Profiler)
	if profiler != nil {
		profiler.Profile(true)
	}
	best, adam, steps := time.Duration(1<<62), time.Duration(0), 0
	for began := time.Now(); steps < 3 || time.Since(began) < time.Second && steps < 100; {
		if err := e.ctx.Err(); err != nil || e.stop.Err() != nil {
			return nil, pipeline.ErrInterrupted
		}
		steps++
		start := time.Now()
		gradient()
		wait()
		network := time.Since(start)
		ev.Adam(x, m, v, nil, dx, engine.AdamStep{Rate: o.LearningRate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, T: steps, Clamp: true})
		wait()
		took := time.Since(start)
		best, adam = min(best, took), adam+took-network
	}
	out := &benchResult{Engine: eng.Name(), Network: s.Network.Name, W: s.W, H: s.H, Iteration: best.Seconds(),
		Memory: eng.Memory(s), PeakRSS: host.PeakMemory(), Picture: adam.Seconds() / float64(steps)}
	out.countLayers(s, profiler, steps)
	return out, nil
}

// defaultTaps returns the taps of the default style and content layers, in order.
func defaultTaps(o *filter.Options, n *weights.Network) ([]engine.Tap, error) {
	var taps []engine.Tap
	for _, l := range append(slices.Clone(o.StyleLayers), o.ContentLayers...) {
		at, err := n.Layer(l.Tap)
		if err != nil {
			return nil, err
		}
		style := slices.ContainsFunc(o.StyleLayers, func(x filter.LayerWeight) bool { return x.Tap == l.Tap })
		taps = append(taps, engine.Tap{Layer: at, Style: style, Content: !style})
	}
	slices.SortFunc(taps, func(a, b engine.Tap) int { return a.Layer - b.Layer })
	return taps, nil
}

// newGradient returns a function that computes the gradient dx at x as the filter does: by
// EvaluateLoss if the evaluator has it.
func newGradient(ev engine.Evaluator, s engine.Spec, x, dx engine.Vector) func() {
	grads := make([]engine.Gradient, len(s.Taps))
	metric, terms := make([][]float32, len(s.Taps)), make([]engine.Term, len(s.Taps))
	for i, t := range s.Taps {
		l := s.Network.Layers[t.Layer]
		if t.Style {
			grads[i].Gram = make([]float32, l.Out*l.Out)
		} else {
			grads[i].Content = 1
		}
		if l.Metric != nil {
			metric[i] = l.Metric.M
		}
		terms[i] = engine.Term{Target: grads[i].Gram, Metric: metric[i], Style: 1, Content: grads[i].Content}
	}
	ev.Forward(x)
	ev.SetContent(metric)
	if d, ok := ev.(engine.LossEvaluator); ok {
		d.SetTerms(terms)
		return func() { d.EvaluateLoss(dx, x, engine.PictureTerms{}) }
	}
	return func() {
		ev.Forward(x)
		ev.Backward(dx, grads)
	}
}

// countLayers adds each layer's operations, and its times if the engine has measured them.
func (m *benchResult) countLayers(s engine.Spec, profiler engine.Profiler, steps int) {
	ws, hs := engine.Sizes(s)
	for i, l := range s.Network.Layers[:s.Depth()] {
		flops := 2 * 2 * 9 * float64(l.In) * float64(l.Out) * float64(ws[i]) * float64(hs[i])
		m.Flops += flops
		if profiler != nil {
			t, k := profiler.Times()[i], float64(steps)
			m.Layers = append(m.Layers, layerTimes{strings.Replace(l.Tap(), "relu", "conv", 1),
				t.Forward / k, t.Backward / k, t.Loss / k, flops})
		}
	}
}
