//go:build cgo

package cpu

import (
	"math"
	"math/rand/v2"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// The definition in float64, directly: convolutions as sums, planar tensors.

type tensor struct {
	c, h, w int
	v       []float64
}

func newTensor(c, h, w int) tensor { return tensor{c, h, w, make([]float64, c*h*w)} }

func (t tensor) at(c, y, x int) *float64 { return &t.v[(c*t.h+y)*t.w+x] }

// refConv convolves in; outside it sees zeros, or the edge replicated.
func refConv(in tensor, l *weights.Layer, replicate bool) tensor {
	out := newTensor(l.Out, in.h, in.w)
	refEach(in, l, replicate, func(o, y, x, i, yy, xx int, w float64) { *out.at(o, y, x) += w * *in.at(i, yy, xx) })
	for o := range l.Out {
		for p := range in.h * in.w {
			out.v[o*in.h*in.w+p] += float64(l.Bias[o])
		}
	}
	return out
}

func refConvBack(dout tensor, l *weights.Layer, replicate bool) tensor {
	din := newTensor(l.In, dout.h, dout.w)
	refEach(din, l, replicate, func(o, y, x, i, yy, xx int, w float64) { *din.at(i, yy, xx) += w * *dout.at(o, y, x) })
	return din
}

// refEach visits every product of a convolution.
func refEach(in tensor, l *weights.Layer, replicate bool, f func(o, y, x, i, yy, xx int, w float64)) {
	for o := range l.Out {
		for i := range l.In {
			for k := range 9 {
				w := float64(l.Weight[(o*l.In+i)*9+k])
				for y := range in.h {
					for x := range in.w {
						yy, xx := y+k/3-1, x+k%3-1
						if replicate {
							yy, xx = min(max(yy, 0), in.h-1), min(max(xx, 0), in.w-1)
						} else if yy < 0 || xx < 0 || yy >= in.h || xx >= in.w {
							continue
						}
						f(o, y, x, i, yy, xx, w)
					}
				}
			}
		}
	}
}

// refPool pools a; share(c, y, x, yy, xx, s) is told of each input's share s.
func refPool(a tensor, maximum bool, share func(c, y, x, yy, xx int, s float64)) tensor {
	out := newTensor(a.c, a.h/2, a.w/2)
	for c := range a.c {
		for y := range out.h {
			for x := range out.w {
				by, bx := 2*y, 2*x
				for k := range 4 {
					yy, xx := 2*y+k/2, 2*x+k%2
					if *a.at(c, yy, xx) > *a.at(c, by, bx) {
						by, bx = yy, xx
					}
					if !maximum {
						*out.at(c, y, x) += *a.at(c, yy, xx) / 4
						share(c, y, x, yy, xx, 0.25)
					}
				}
				if maximum {
					*out.at(c, y, x) = *a.at(c, by, bx)
					share(c, y, x, by, bx, 1)
				}
			}
		}
	}
	return out
}

// reference evaluates a Spec.
type reference struct {
	spec    engine.Spec
	acts    []tensor // of each layer
	inputs  []tensor // of each layer's convolution
	targets []tensor
	metrics [][]float32
}

type refMoments struct {
	gram, mean []float64
	content    float64
}

func (r *reference) forward(x []float32) []refMoments {
	n := r.spec.Network
	in := newTensor(3, r.spec.H, r.spec.W)
	for i, v := range x {
		c := i / (in.h * in.w)
		in.v[i] = (float64(v) - float64(n.Mean[c])) / float64(n.Std[c])
	}
	r.acts, r.inputs = nil, nil
	for i := range r.spec.Depth() {
		l := &n.Layers[i]
		if l.Pooled() {
			in = refPool(in, r.spec.Pooling == weights.MaxPooling, func(_, _, _, _, _ int, _ float64) {})
		}
		r.inputs = append(r.inputs, in)
		out := refConv(in, l, i == 0)
		for j := range out.v {
			out.v[j] = max(0, out.v[j])
		}
		r.acts = append(r.acts, out)
		in = out
	}
	var ms []refMoments
	for i, t := range r.spec.Taps {
		a := r.acts[t.Layer]
		p := a.h * a.w
		m := refMoments{gram: make([]float64, a.c*a.c), mean: make([]float64, a.c)}
		for c := range a.c {
			for q := range p {
				m.mean[c] += a.v[c*p+q] / float64(p)
				for d := range a.c {
					m.gram[c*a.c+d] += a.v[c*p+q] * a.v[d*p+q] / float64(p)
				}
			}
		}
		if r.targets != nil {
			d := r.delta(i)
			for j, md := range r.metricDelta(i) {
				m.content += d[j] * md
			}
		}
		ms = append(ms, m)
	}
	return ms
}

func (r *reference) setContent(metrics [][]float32) {
	r.targets, r.metrics = nil, metrics
	for _, t := range r.spec.Taps {
		r.targets = append(r.targets, r.acts[t.Layer])
	}
}

func (r *reference) delta(i int) []float64 {
	a := r.acts[r.spec.Taps[i].Layer]
	d := make([]float64, len(a.v))
	for j := range d {
		d[j] = a.v[j] - r.targets[i].v[j]
	}
	return d
}

func (r *reference) metricDelta(i int) []float64 {
	d := r.delta(i)
	if r.metrics == nil || r.metrics[i] == nil {
		return d
	}
	a := r.acts[r.spec.Taps[i].Layer]
	p := a.h * a.w
	md := make([]float64, len(d))
	for c := range a.c {
		for k := range a.c {
			for q := range p {
				md[c*p+q] += float64(r.metrics[i][c*a.c+k]) * d[k*p+q]
			}
		}
	}
	return md
}

func (r *reference) backward(g []engine.Gradient) []float64 {
	n := r.spec.Network
	var da tensor
	for l := r.spec.Depth() - 1; l >= 0; l-- {
		a := r.acts[l]
		p := a.h * a.w
		if l == r.spec.Depth()-1 {
			da = newTensor(a.c, a.h, a.w)
		}
		for i, t := range r.spec.Taps {
			if t.Layer != l {
				continue
			}
			for c := range a.c {
				for q := range p {
					s := 0.0
					if g[i].Gram != nil {
						for d := range a.c {
							s += 2 * float64(g[i].Gram[c*a.c+d]) * a.v[d*p+q]
						}
					}
					if g[i].Mean != nil {
						s += float64(g[i].Mean[c])
					}
					da.v[c*p+q] += s / float64(p)
				}
			}
			if g[i].Content != 0 && r.targets != nil {
				for j, md := range r.metricDelta(i) {
					da.v[j] += 2 * g[i].Content * md
				}
			}
		}
		for j := range da.v {
			if a.v[j] <= 0 {
				da.v[j] = 0
			}
		}
		da = refConvBack(da, &n.Layers[l], l == 0)
		if n.Layers[l].Pooled() {
			below := r.acts[l-1]
			full := newTensor(below.c, below.h, below.w)
			refPool(below, r.spec.Pooling == weights.MaxPooling, func(c, y, x, yy, xx int, s float64) {
				*full.at(c, yy, xx) += s * *da.at(c, y, x)
			})
			da = full
		}
	}
	for j := range da.v {
		da.v[j] /= float64(n.Std[j/(da.h*da.w)])
	}
	return da.v
}

// network makes one up: blocks[b] lists the channels of block b+1.
func network(seed uint64, blocks ...[]int) *weights.Network {
	r := rand.New(rand.NewPCG(seed, 1))
	n := &weights.Network{Name: "made up", Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
	in := 3
	for b, block := range blocks {
		for i, out := range block {
			l := weights.Layer{Block: b + 1, Index: i + 1, In: in, Out: out,
				Weight: make([]float32, out*in*9), Bias: make([]float32, out)}
			for j := range l.Weight {
				l.Weight[j] = float32(r.NormFloat64() * math.Sqrt(2/(9*float64(in))))
			}
			for j := range l.Bias {
				l.Bias[j] = float32(0.1 * r.NormFloat64())
			}
			n.Layers = append(n.Layers, l)
			in = out
		}
	}
	return n
}

func uniform(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = r.Float32()
	}
	return v
}

func normal(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 3))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// symmetric is a random symmetric matrix.
func symmetric(seed uint64, n int) []float32 {
	v := normal(seed, n*n)
	for i := range n {
		for j := range i {
			v[i*n+j] = v[j*n+i]
		}
	}
	return v
}

// relative is ‖got − want‖₂ / ‖want‖₂.
func relative[T, U float32 | float64](got []T, want []U) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	d, s := 0.0, 0.0
	for i := range want {
		e := float64(got[i]) - float64(want[i])
		d += e * e
		s += float64(want[i]) * float64(want[i])
	}
	if d == 0 {
		return 0
	}
	return math.Sqrt(d / s)
}
