package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline"
	"nstfilter/weights"
)

type benchCmd struct {
	Device  string `help:"What computes: auto, cpu, or gorgonia."`
	Threads int    `help:"Threads to compute with; 0 takes all processors."`
	Network string `help:"Network that sees: slim or vgg16."`
	Sizes   []int  `default:"128,256,512" help:"Sides of the square pictures, in pixels."`
	JSON    bool   `help:"One JSON object a line."`
}

// measurement is one line of nstfilter bench.
type measurement struct {
	Engine    string  `json:"engine"`
	Network   string  `json:"network"`
	Size      int     `json:"size"`
	Iteration float64 `json:"seconds_per_iteration"` // fastest
	Memory    int64   `json:"memory_bytes"`          // as the engine estimates it
}

func (c *benchCmd) Run(e *env) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	network, err := weights.Load(c.Network, cache)
	if err != nil {
		return err
	}
	eng, err := pipeline.OpenEngine(c.Device, c.Threads)
	if err != nil {
		return err
	}
	for _, size := range c.Sizes {
		if size < engine.MinSide || size > 8192 {
			return pipeline.UsageError{Err: fmt.Errorf("--sizes %d is not between %d and 8192", size, engine.MinSide)}
		}
		m, err := measure(e, eng, network, size)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
				return err
			}
			continue
		}
		fmt.Printf("%s, %s, %d×%d: %.4f s an iteration, %.2f GB\n", m.Engine, m.Network, size, size, m.Iteration, float64(m.Memory)/1e9)
	}
	return nil
}

// measure times Forward, Backward and one step of Adam with the default layers.
func measure(e *env, eng engine.Engine, n *weights.Network, size int) (*measurement, error) {
	s := engine.Spec{Network: n, Pooling: n.Pooling, W: size, H: size}
	o := filter.DefaultOptions()
	for _, l := range append(slices.Clone(o.StyleLayers), o.ContentLayers...) {
		at, err := n.Layer(l.Tap)
		if err != nil {
			return nil, err
		}
		style := slices.ContainsFunc(o.StyleLayers, func(x filter.LayerWeight) bool { return x.Tap == l.Tap })
		s.Taps = append(s.Taps, engine.Tap{Layer: at, Style: style, Content: !style})
	}
	slices.SortFunc(s.Taps, func(a, b engine.Tap) int { return a.Layer - b.Layer })
	ev, err := eng.Compile(s)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	samples := 3 * size * size
	x, dx, m, v := ev.NewVector(samples), ev.NewVector(samples), ev.NewVector(samples), ev.NewVector(samples)
	picture := make([]float32, samples)
	for i := range picture {
		picture[i] = float32(i*2654435761%255) / 255
	}
	ev.Upload(x, picture)
	grads := make([]engine.Gradient, len(s.Taps))
	metric := make([][]float32, len(s.Taps))
	for i, t := range s.Taps {
		out := n.Layers[t.Layer].Out
		if t.Style {
			grads[i].Gram = make([]float32, out*out)
		} else {
			grads[i].Content = 1
		}
		if l := n.Layers[t.Layer]; l.Metric != nil {
			metric[i] = l.Metric.M
		}
	}
	ev.Forward(x)
	ev.SetContent(metric)
	best := time.Duration(1 << 62)
	for t, began := 1, time.Now(); t <= 3 || time.Since(began) < time.Second && t <= 100; t++ {
		if err := e.ctx.Err(); err != nil || e.stop.Err() != nil {
			return nil, pipeline.ErrInterrupted
		}
		start := time.Now()
		ev.Forward(x)
		ev.Backward(dx, grads)
		ev.Adam(x, m, v, nil, dx, engine.AdamStep{Rate: o.LearningRate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, T: t, Clamp: true})
		best = min(best, time.Since(start))
	}
	return &measurement{eng.Name(), n.Name, size, best.Seconds(), eng.Memory(s)}, nil
}
