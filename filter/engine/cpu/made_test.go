//go:build cgo

package cpu

import (
	"math"
	"math/rand/v2"

	"nstfilter/weights"
)

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

// activation returns tap i's latest activation, (C, H, W), of an evaluator with
// one tile.
func (e *Evaluator) activation(i int) []float32 {
	t, vl := &e.taps[i], e.plan.vl
	src := floats(e.tiles[0].layers[t.Layer].act, t.c*t.p)
	out := make([]float32, e.plan.spec.Network.Layers[t.Layer].Out*t.p)
	for j := range out {
		c, q := j/t.p, j%t.p
		out[j] = src[(c/vl*t.p+q)*vl+c%vl]
	}
	return out
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
