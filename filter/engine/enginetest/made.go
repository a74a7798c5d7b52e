package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func normal(r *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(scale * r.NormFloat64())
	}
	return v
}

// network makes a network of the given channels per block, its weights drawn so
// that activations keep their size (He et al. 2015).
func network(name string, blocks ...[]int) *weights.Network {
	r := random(uint64(len(name)))
	n := &weights.Network{
		Name:     name,
		Mean:     [3]float32{.485, .456, .406},
		Std:      [3]float32{.229, .224, .225},
		Pooling:  weights.AveragePooling,
		Poolings: []weights.Pooling{weights.AveragePooling, weights.MaxPooling},
	}
	in := 3
	for b, block := range blocks {
		for i, out := range block {
			n.Layers = append(n.Layers, weights.Layer{
				Block: b + 1, Index: i + 1, In: in, Out: out,
				Weight: normal(r, out*in*9, math.Sqrt(2/float64(9*in))),
				Bias:   normal(r, out, .1),
			})
			in = out
		}
	}
	return n
}

func networks() []*weights.Network {
	return []*weights.Network{
		network("narrow", []int{8, 8}, []int{12, 12}, []int{16, 16, 16}, []int{16, 16}, []int{16}),
		network("odd channels", []int{5, 24}, []int{7, 24}, []int{5, 24, 1}, []int{33}),
		network("one conv first", []int{8}, []int{16, 16}, []int{24}),
	}
}

// sizes include odd ones, whose last row or column pooling drops.
var sizes = [][2]int{{16, 16}, {17, 23}, {35, 21}, {64, 48}}

// tapSets names subsets of a network's taps.
func tapSets(n *weights.Network) map[string][]engine.Tap {
	all := make([]engine.Tap, len(n.Layers))
	sets := map[string][]engine.Tap{"all": all}
	var pooled, mixed []engine.Tap
	for i := range n.Layers {
		all[i] = engine.Tap{Layer: i, Style: true, Content: true}
		if i+1 < len(n.Layers) && n.Layers[i+1].Pooled() {
			pooled = append(pooled, engine.Tap{Layer: i, Style: true})
		}
		if n.Layers[i].Index == 1 {
			mixed = append(mixed, engine.Tap{Layer: i, Style: i%2 == 0, Content: i%2 == 1})
		}
	}
	sets["before pools"] = pooled
	sets["style here, content there"] = mixed
	sets["content of the last"] = []engine.Tap{{Layer: len(n.Layers) - 1, Content: true}}
	sets["the first alone"] = []engine.Tap{{Layer: 0, Style: true, Content: true}}
	sets["neither"] = []engine.Tap{{Layer: 0}, {Layer: 1, Style: true}}
	return sets
}

func picture(seed uint64, w, h int) []float32 {
	r := random(seed)
	p := make([]float32, 3*w*h)
	for i := range p {
		x, y := i%w, i/w%h
		wave := math.Sin(float64(x)/3+float64(seed)) * math.Cos(float64(y)/4)
		p[i] = float32(.5 + .2*wave + .25*(2*r.Float64()-1))
	}
	return p
}

// kinkMargin is how far every ReLU and every maximum must stay from where its
// derivative jumps, relative to the layer's root mean square: an engine in
// float32 errs by less, so it takes the same side, and gradients can be
// compared closely. Nearer than that, one unit that flips moves the gradient by
// more than any tolerance worth having.
const kinkMargin = 1e-5

// smooth returns the first made-up picture that keeps the margin.
func smooth(t *testing.T, n *weights.Network, p weights.Pooling, w, h int) []float32 {
	t.Helper()
	last := engine.Tap{Layer: len(n.Layers) - 1, Style: true}
	ev, _ := Reference{}.Compile(engine.Spec{Network: n, Pooling: p, Taps: []engine.Tap{last}, W: w, H: h})
	for seed := uint64(1); seed < 100; seed++ {
		x := picture(seed, w, h)
		ev.Forward(Vector(x))
		if ev.(*referenceEvaluator).margin() > kinkMargin {
			return x
		}
	}
	t.Fatalf("network %s, %d×%d: no picture keeps %g from every kink", n.Name, w, h, kinkMargin)
	return nil
}

// metrics makes a symmetric positive M for every second tap, nil for the rest.
func metrics(s engine.Spec) [][]float32 {
	m := make([][]float32, len(s.Taps))
	for i, t := range s.Taps {
		if i%2 == 1 && len(s.Taps) > 1 {
			continue
		}
		C := s.Network.Layers[t.Layer].Out
		A := normal(random(uint64(i)), C*C, 1/math.Sqrt(float64(C)))
		m[i] = make([]float32, C*C)
		for k := range C {
			for l := range C {
				for j := range C {
					m[i][k*C+l] += A[j*C+k] * A[j*C+l]
				}
			}
		}
	}
	return m
}

// gradients draws J's derivatives by every moment of s.
func gradients(s engine.Spec) []engine.Gradient {
	w, h := engine.Sizes(s)
	g := make([]engine.Gradient, len(s.Taps))
	for i, t := range s.Taps {
		C, r := s.Network.Layers[t.Layer].Out, random(uint64(100+i))
		if t.Style {
			g[i].Mean = normal(r, C, 1)
			g[i].Gram = normal(r, C*C, 1/float64(C))
			for k := range C {
				for l := range k {
					g[i].Gram[k*C+l] = g[i].Gram[l*C+k]
				}
			}
		}
		if t.Content {
			g[i].Content = 1 / float64(C*w[t.Layer]*h[t.Layer])
		}
	}
	return g
}

func compile(t *testing.T, e engine.Engine, s engine.Spec) engine.Evaluator {
	t.Helper()
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatalf("%s: %v", e.Name(), err)
	}
	return ev
}

func upload(e engine.Evaluator, x []float32) engine.Vector {
	v := e.NewVector(len(x))
	e.Upload(v, x)
	return v
}

func download(e engine.Evaluator, v engine.Vector) []float32 {
	x := make([]float32, v.Len())
	e.Download(x, v)
	return x
}

func title(s engine.Spec) string {
	return fmt.Sprintf("%s %s %d×%d", s.Network.Name, s.Pooling, s.W, s.H)
}
