package gorgonia

import (
	"fmt"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// building guards graph construction, which races in Gorgonia v0.9.18. Running
// two graphs in two goroutines does not.
var building sync.Mutex

// inputs are the buffers that both graphs read; an evaluator writes into them.
type inputs struct {
	x    []float32 // (1, 3, H+2, W+2), normalised, border replicated
	taps []tapInputs
}

type tapInputs struct {
	dGram   []float32 // (C, C): dJ/d(F·Fᵀ)
	dMean   []float32 // (C, 1): dJ/d(F·share)
	dDelta  []float32 // (C, C): dJ/d(Δ·Δᵀ) = weight · M
	target  []float32 // (P, C)
	share   []float32 // (P, 1)
	root    []float32 // (P, C): √share for each channel; nil without a mask
	content bool      // the target is set
}

// graph is the network with its moments, before derivation and compilation.
type graph struct {
	*G.ExprGraph
	x    *G.Node
	taps []tapNodes
}

// tapNodes are sums over positions, by shares; F is the tap's activation as (C, P).
type tapNodes struct {
	F     *G.Node // (C, P)
	gram  *G.Node // (C, C): F·Fᵀ, for style
	mean  *G.Node // (C, 1): F·share, for style
	delta *G.Node // (C, C): Δ·Δᵀ, Δ = F − target, for content
}

// input adds a node that reads data. Gorgonia merges inputs of one name.
func (g *graph) input(name string, data []float32, shape ...int) *G.Node {
	t := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	return G.NewTensor(g.ExprGraph, tensor.Float32, len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(t))
}

func newGraph(s engine.Spec, in *inputs) *graph {
	g := &graph{ExprGraph: G.NewGraph()}
	w, h := engine.Sizes(s)
	g.x = g.input("x", in.x, 1, 3, s.H+2, s.W+2)
	a := g.x
	taps := s.TapsOf()
	for i := range s.Network.Layers[:s.Depth()] {
		l := &s.Network.Layers[i]
		if l.Pooled() {
			a = g.pool(a, i, s.Pooling)
		}
		padding := 1
		if i == 0 {
			padding = 0 // x has its border
		}
		a = g.layer(a, l, padding)
		for _, tap := range taps[i] {
			g.taps = append(g.taps, g.moments(a, s.Taps[tap], tap, &in.taps[tap], l.Out, w[i]*h[i]))
		}
	}
	return g
}

// layer is convolution, bias and ReLU. Gorgonia's Rectify passes the gradient
// at zero, so the mask is made with >.
func (g *graph) layer(a *G.Node, l *weights.Layer, padding int) *G.Node {
	name := l.Tap()
	w := g.input(name+" weight", l.Weight, l.Out, l.In, 3, 3)
	b := g.input(name+" bias", l.Bias, 1, l.Out, 1, 1)
	z := G.Must(G.Conv2d(a, w, tensor.Shape{3, 3}, []int{padding, padding}, []int{1, 1}, []int{1, 1}))
	z = G.Must(G.BroadcastAdd(z, b, nil, []byte{0, 2, 3}))
	return G.Must(G.HadamardProd(z, G.Must(G.Gt(z, G.NewConstant(float32(0)), true))))
}

// pool halves the (1, C, H, W) before layer i. AveragePool2D of v0.9.18 divides
// by the input's width, so the mean is a convolution of each channel, as a batch
// of C pictures, with a 2×2 kernel of ¼ at stride 2.
func (g *graph) pool(a *G.Node, i int, p weights.Pooling) *G.Node {
	if p == weights.MaxPooling {
		return G.Must(G.MaxPool2D(a, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	C, H, W := a.Shape()[1], a.Shape()[2], a.Shape()[3]
	quarter := g.input(fmt.Sprintf("pool %d", i), []float32{.25, .25, .25, .25}, 1, 1, 2, 2)
	y := G.Must(G.Reshape(a, tensor.Shape{C, 1, H, W}))
	y = G.Must(G.Conv2d(y, quarter, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}, []int{1, 1}))
	return G.Must(G.Reshape(y, tensor.Shape{1, C, H / 2, W / 2}))
}

// moments adds those of a tap, by its position in Spec.Taps.
func (g *graph) moments(a *G.Node, t engine.Tap, tap int, in *tapInputs, C, P int) tapNodes {
	n := tapNodes{F: G.Must(G.Reshape(a, tensor.Shape{C, P}))}
	if t.Style {
		n.gram = outer(n.F)
		if in.root != nil {
			n.gram = outer(g.weigh(g.copied(a, P, C), tap, in, P, C))
		}
		n.mean = G.Must(G.Mul(n.F, g.input(fmt.Sprintf("shares %d", tap), in.share, P, 1)))
	}
	if t.Content {
		delta := G.Must(G.Sub(g.copied(a, P, C), g.input(fmt.Sprintf("target %d", tap), in.target, P, C)))
		if in.root == nil {
			n.delta = outer(G.Must(G.Transpose(delta, 1, 0)))
		} else {
			n.delta = outer(g.weigh(delta, tap, in, P, C))
		}
	}
	return n
}

// copied is a as (P, C). The tape subtracts and multiplies in place where it sees no
// later use of F, but a reshape shares memory without its knowing. Unrolling 1×1
// patches copies, to (1, h, w, C).
func (g *graph) copied(a *G.Node, P, C int) *G.Node {
	one, none := []int{1, 1}, []int{0, 0}
	return G.Must(G.Reshape(G.Must(G.Im2Col(a, tensor.Shape{1, 1}, none, one, one)), tensor.Shape{P, C}))
}

// weigh multiplies a (P, C) by the roots of the shares, to (C, P).
func (g *graph) weigh(a *G.Node, tap int, in *tapInputs, P, C int) *G.Node {
	root := g.input(fmt.Sprintf("root %d", tap), in.root, P, C)
	return G.Must(G.Transpose(G.Must(G.HadamardProd(a, root)), 1, 0))
}

// outer is A·Aᵀ.
func outer(a *G.Node) *G.Node { return G.Must(G.Mul(a, G.Must(G.Transpose(a, 1, 0)))) }

// cost is the scalar whose derivatives by the moments are the inputs':
// Σ_taps ⟨dGram, F·Fᵀ⟩ + ⟨dMean, F·share⟩ + ⟨dDelta, Δ·Δᵀ⟩.
func (g *graph) cost(s engine.Spec, in *inputs) *G.Node {
	var sum *G.Node
	add := func(name string, i int, d []float32, moment *G.Node) {
		if moment == nil {
			return
		}
		dm := g.input(fmt.Sprintf("d%s %d", name, i), d, moment.Shape()...)
		term := G.Must(G.Sum(G.Must(G.HadamardProd(dm, moment))))
		if sum == nil {
			sum = term
		} else {
			sum = G.Must(G.Add(sum, term))
		}
	}
	for i, n := range g.taps {
		add("gram", i, in.taps[i].dGram, n.gram)
		add("mean", i, in.taps[i].dMean, n.mean)
		add("delta", i, in.taps[i].dDelta, n.delta)
	}
	return sum
}

// run is a compiled graph; the tape reuses its registers, so results are read
// through G.Read nodes.
type run struct {
	machine G.VM
}

// compile keeps of g only what the reads need: the derivatives by the weights
// fall away.
func (g *graph) compile(reads G.Nodes) (*run, error) {
	prog, locations, err := G.CompileFunction(g.ExprGraph, G.Nodes{g.x}, reads)
	if err != nil {
		return nil, fmt.Errorf("gorgonia: compile: %w", err)
	}
	return &run{G.NewTapeMachine(g.ExprGraph, G.WithPrecompiled(prog, locations))}, nil
}

// do runs the graph. It fails only on a graph that is built wrongly.
func (r *run) do() {
	r.machine.Reset()
	if err := r.machine.RunAll(); err != nil {
		panic(fmt.Sprintf("gorgonia: run: %v", err))
	}
}
