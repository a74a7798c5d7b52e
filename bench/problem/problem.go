// Package problem is what programs that compute J and its gradient at the pixels are
// given, so that their time and their gradients can be compared.
package problem

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// Problem is a folder that each program reads: problem.json, this; weights.f32, every
// layer's weight (out, in, 3, 3) and then its bias (out); and the pictures x.f32,
// style.f32 and content.f32, (3, height, width) of RGB in [0,1]. All numbers are
// little-endian float32.
//
// J = Σ ‖G − A‖²/‖A‖² over relu1_1, 2_1, 3_1, 4_1, 5_1 + ‖a − t‖²/‖t‖² at relu4_2.
// G = F·Fᵀ/P is a layer's Gram matrix at x, F (C, P) its activation, A the same at
// style; a and t are the activations at x and content. The first layer sees the
// picture's border replicated, the others zeros; pooling is the average of 2×2.
// One iteration is J and dJ/dx.
type Problem struct {
	Network string     `json:"network"`
	Mean    [3]float32 `json:"mean"`
	Std     [3]float32 `json:"std"`
	Layers  []Layer    `json:"layers"`
	W       int        `json:"width"`
	H       int        `json:"height"`
	Threads int        `json:"threads"`

	network *weights.Network
}

// Layer is one of the network's, up to relu5_1.
type Layer struct {
	Block   int  `json:"block"`
	Index   int  `json:"index"`
	In      int  `json:"in"`
	Out     int  `json:"out"`
	Style   bool `json:"style"`
	Content bool `json:"content"`
}

// New makes the problem that is called NETWORK:WxH, of vgg19 (random weights), vgg16
// or slim.
func New(name string, threads int) (*Problem, error) {
	network, size, _ := strings.Cut(name, ":")
	var w, h int
	if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil || min(w, h) < engine.MinSide {
		return nil, fmt.Errorf("case %q is not like slim:512x512 with sides from %d", name, engine.MinSide)
	}
	n, err := open(network)
	if err != nil {
		return nil, err
	}
	p := &Problem{Network: n.Name, Mean: n.Mean, Std: n.Std, W: w, H: h, Threads: threads, network: n}
	for _, l := range n.Layers {
		p.Layers = append(p.Layers, Layer{l.Block, l.Index, l.In, l.Out, l.Index == 1, l.Block == 4 && l.Index == 2})
		if l.Block == 5 {
			break
		}
	}
	return p, nil
}

// Write makes the folder.
func (p *Problem) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "problem.json"), text, 0o666); err != nil {
		return err
	}
	var all []float32
	for i := range p.Layers {
		l := &p.network.Layers[i]
		all = append(append(all, l.Weight...), l.Bias...)
	}
	if err := WriteFloats(filepath.Join(dir, "weights.f32"), all); err != nil {
		return err
	}
	for i, name := range []string{"x", "style", "content"} {
		if err := WriteFloats(filepath.Join(dir, name+".f32"), picture(p.W, p.H, uint64(i))); err != nil {
			return err
		}
	}
	return nil
}

// Read reads the folder that Write made.
func Read(dir string) (*Problem, error) {
	text, err := os.ReadFile(filepath.Join(dir, "problem.json"))
	if err != nil {
		return nil, err
	}
	p := &Problem{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, err
	}
	all, err := ReadFloats(filepath.Join(dir, "weights.f32"))
	if err != nil {
		return nil, err
	}
	take := func(n int) (part []float32) {
		part, all = all[:n:n], all[n:]
		return part
	}
	p.network = &weights.Network{Name: p.Network, Mean: p.Mean, Std: p.Std}
	for _, l := range p.Layers {
		p.network.Layers = append(p.network.Layers, weights.Layer{Block: l.Block, Index: l.Index,
			In: l.In, Out: l.Out, Weight: take(9 * l.In * l.Out), Bias: take(l.Out)})
	}
	return p, nil
}

// Spec is what an evaluator of J is compiled for.
func (p *Problem) Spec(precision engine.Precision) engine.Spec {
	s := engine.Spec{Network: p.network, Pooling: weights.AveragePooling, W: p.W, H: p.H, Precision: precision}
	for i, l := range p.Layers {
		if l.Style || l.Content {
			s.Taps = append(s.Taps, engine.Tap{Layer: i, Style: l.Style, Content: l.Content})
		}
	}
	return s
}
