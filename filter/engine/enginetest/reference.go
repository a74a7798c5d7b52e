package enginetest

import (
	"math"
	"slices"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// Reference is the definition of an engine, for tests with small pictures and narrow networks:
// direct loops in float64, with each derivative written by hand beside its function. Every
// other engine must agree with it.
type Reference struct{}

var _ engine.Engine = Reference{}

func (Reference) Name() string { return "reference, float64" }

func (Reference) Memory(specs ...engine.Spec) (n int64) {
	for _, s := range specs {
		w, h := engine.Sizes(s)
		for i, l := range s.Network.Layers[:s.Depth()] {
			n += int64(l.In)*int64(w[i]+2)*int64(h[i]+2) + 5*int64(l.Out)*int64(w[i])*int64(h[i])
		}
	}
	return 8 * n
}

func (Reference) Compile(s engine.Spec) (engine.Evaluator, error) {
	w, h := engine.Sizes(s)
	e := &referenceEvaluator{
		Vectors: Vectors{w: s.W, h: s.H},
		spec:    s,
		layers:  make([]referenceLayer, s.Depth()),
		moments: make([]engine.Moments, len(s.Taps)),
		target:  make([][]float64, len(s.Taps)),
		metric:  make([][]float64, len(s.Taps)),
	}
	for i := range e.layers {
		e.layers[i] = referenceLayer{Layer: &s.Network.Layers[i], W: w[i], H: h[i]}
	}
	return e, nil
}

// referenceLayer is pooling if the layer asks for it, padding, convolution and
// ReLU, with what backward needs of the latest forward.
type referenceLayer struct {
	*weights.Layer
	W, H   int       // of the activation
	before []float64 // (In, H', W') before pooling
	x      []float64 // (In, H+2, W+2) pooled and padded
	z      []float64 // (Out, H, W) before the ReLU
	a      []float64 // (Out, H, W)
}

type referenceEvaluator struct {
	Vectors
	spec    engine.Spec
	layers  []referenceLayer
	moments []engine.Moments
	target  [][]float64 // (C, P) per tap
	metric  [][]float64 // (C, C) per tap, once there is a target
	regions [][]float32 // maps, of region 1 first
}

// Close does nothing.
func (Reference) Close() {}

func (e *referenceEvaluator) Forward(x engine.Vector) []engine.Moments {
	n, P := e.spec.Network, e.spec.W*e.spec.H
	a := make([]float64, 3*P)
	for i, v := range x.(Vector) {
		a[i] = (float64(v) - float64(n.Mean[i/P])) / float64(n.Std[i/P])
	}
	w, h := e.spec.W, e.spec.H
	for i := range e.layers {
		l := &e.layers[i]
		l.before = a
		if l.Pooled() {
			a = pool(a, l.In, w, h, e.spec.Pooling)
		}
		l.x = pad(a, l.In, l.W, l.H, i == 0)
		l.z = convolve(l.x, l.Layer, l.W, l.H)
		l.a = relu(l.z)
		a, w, h = l.a, l.W, l.H
	}
	for i, t := range e.spec.Taps {
		l := &e.layers[t.Layer]
		m, share := engine.Moments{}, e.shares(i)
		for _, v := range share {
			m.P += v
		}
		if t.Style {
			m.Gram, m.Mean = gram(l.a, share, l.Out, m.P), mean(l.a, share, l.Out, m.P)
		}
		if e.target[i] != nil {
			m.Content = content(l.a, share, e.target[i], e.metric[i], l.Out)
		}
		e.moments[i] = m
	}
	return e.moments
}

func (e *referenceEvaluator) SetMask(mask []float32, regions ...[]float32) {
	e.mask, e.regions = slices.Clone(mask), nil
	for _, m := range regions {
		e.regions = append(e.regions, slices.Clone(m))
	}
}

// weight of a pixel for a tap: of the mask times that of the tap's region.
func (e *referenceEvaluator) weight(t engine.Tap, pixel int) float64 {
	w := 1.
	if e.mask != nil {
		w = float64(e.mask[pixel])
	}
	if t.Region > 0 && len(e.regions) > 0 {
		w *= float64(e.regions[t.Region-1][pixel])
	}
	return w
}

// shares is the mean of the weights of the pixels that each position of tap i stands
// for: 2ᵏ×2ᵏ of them after k poolings.
func (e *referenceEvaluator) shares(i int) []float64 {
	last := e.spec.Taps[i].Layer
	side := 1
	for k := range last + 1 {
		if e.layers[k].Pooled() {
			side *= 2
		}
	}
	l := &e.layers[last]
	out := make([]float64, l.W*l.H)
	for p := range out {
		var sum float64
		for q := range side * side {
			sum += e.weight(e.spec.Taps[i], (p/l.W*side+q/side)*e.spec.W+p%l.W*side+q%side)
		}
		out[p] = sum / float64(side*side)
	}
	return out
}

func (e *referenceEvaluator) SetContent(metric [][]float32) {
	for i, t := range e.spec.Taps {
		if !t.Content {
			continue
		}
		l := &e.layers[t.Layer]
		e.target[i] = append([]float64(nil), l.a...)
		M := make([]float64, l.Out*l.Out)
		for k := range l.Out {
			M[k*l.Out+k] = 1
		}
		if metric != nil && metric[i] != nil {
			for j, v := range metric[i] {
				M[j] = float64(v)
			}
		}
		e.metric[i] = M
	}
}

func (e *referenceEvaluator) Backward(dx engine.Vector, g []engine.Gradient) {
	taps := e.spec.TapsOf()
	var da []float64 // (Out, H, W), from the layers above
	for i := len(e.layers) - 1; i >= 0; i-- {
		l := &e.layers[i]
		P := l.W * l.H
		if da == nil {
			da = make([]float64, l.Out*P)
		}
		for _, t := range taps[i] {
			if e.moments[t].P == 0 {
				continue
			}
			share := e.shares(t)
			if g[t].Gram != nil {
				dgram(da, g[t].Gram, l.a, share, l.Out, e.moments[t].P)
			}
			if g[t].Mean != nil {
				dmean(da, g[t].Mean, share, e.moments[t].P)
			}
			if e.target[t] != nil {
				dcontent(da, g[t].Content, l.a, share, e.target[t], e.metric[t], l.Out)
			}
		}
		dz := drelu(da, l.z)
		dp := dconvolve(dz, l.Layer, l.W, l.H)
		da = dpad(dp, l.In, l.W, l.H, i == 0)
		if l.Pooled() {
			b := &e.layers[i-1]
			da = dpool(da, l.before, l.In, b.W, b.H, e.spec.Pooling)
		}
	}
	P := e.spec.W * e.spec.H
	out := dx.(Vector)
	for i := range out {
		out[i] = float32(da[i] / float64(e.spec.Network.Std[i/P]))
		if e.mask != nil && e.mask[i%P] == 0 {
			out[i] = 0
		}
	}
}

func (e *referenceEvaluator) Close() {}

// Activation returns the latest activation of a tap, (C, H, W).
func (e *referenceEvaluator) Activation(tap int) []float64 {
	return e.layers[e.spec.Taps[tap].Layer].a
}

// pad surrounds each plane of a (C, H, W) by one pixel: zero, or the border's own.
func pad(a []float64, C, W, H int, replicate bool) []float64 {
	x := make([]float64, C*(H+2)*(W+2))
	for c := range C {
		for i := -1; i <= H; i++ {
			for j := -1; j <= W; j++ {
				ii, jj := min(max(i, 0), H-1), min(max(j, 0), W-1)
				if replicate || ii == i && jj == j {
					x[(c*(H+2)+i+1)*(W+2)+j+1] = a[(c*H+ii)*W+jj]
				}
			}
		}
	}
	return x
}

// dpad adds to each pixel the gradients of its copies in the border.
func dpad(dx []float64, C, W, H int, replicate bool) []float64 {
	da := make([]float64, C*H*W)
	for c := range C {
		for i := -1; i <= H; i++ {
			for j := -1; j <= W; j++ {
				ii, jj := min(max(i, 0), H-1), min(max(j, 0), W-1)
				if replicate || ii == i && jj == j {
					da[(c*H+ii)*W+jj] += dx[(c*(H+2)+i+1)*(W+2)+j+1]
				}
			}
		}
	}
	return da
}

// convolve: z[k,i,j] = b[k] + Σ_cuv w[k,c,u,v] x[c,i+u,j+v], x padded.
func convolve(x []float64, l *weights.Layer, W, H int) []float64 {
	z := make([]float64, l.Out*H*W)
	for k := range l.Out {
		for p := range H * W {
			z[k*H*W+p] = float64(l.Bias[k])
		}
		for c := range l.In {
			for u := range 3 {
				for v := range 3 {
					w := float64(l.Weight[((k*l.In+c)*3+u)*3+v])
					for i := range H {
						from := x[(c*(H+2)+i+u)*(W+2)+v:][:W]
						to := z[(k*H+i)*W:][:W]
						for j := range to {
							to[j] += w * from[j]
						}
					}
				}
			}
		}
	}
	return z
}

// dconvolve: dx[c,i+u,j+v] += w[k,c,u,v] dz[k,i,j].
func dconvolve(dz []float64, l *weights.Layer, W, H int) []float64 {
	dx := make([]float64, l.In*(H+2)*(W+2))
	for k := range l.Out {
		for c := range l.In {
			for u := range 3 {
				for v := range 3 {
					w := float64(l.Weight[((k*l.In+c)*3+u)*3+v])
					for i := range H {
						from := dz[(k*H+i)*W:][:W]
						to := dx[(c*(H+2)+i+u)*(W+2)+v:][:W]
						for j := range from {
							to[j] += w * from[j]
						}
					}
				}
			}
		}
	}
	return dx
}

func relu(z []float64) []float64 {
	a := make([]float64, len(z))
	for i, v := range z {
		a[i] = max(v, 0)
	}
	return a
}

func drelu(da, z []float64) []float64 {
	dz := make([]float64, len(z))
	for i, v := range z {
		if v > 0 {
			dz[i] = da[i]
		}
	}
	return dz
}

// pool takes the mean or the largest of each 2×2 window; an odd last row or
// column is dropped.
func pool(a []float64, C, W, H int, p weights.Pooling) []float64 {
	w, h := W/2, H/2
	y := make([]float64, C*h*w)
	for c := range C {
		for i := range h {
			for j := range w {
				q := window(c, i, j, W, H)
				if p == weights.MaxPooling {
					y[(c*h+i)*w+j] = a[largest(a, q)]
				} else {
					y[(c*h+i)*w+j] = (a[q[0]] + a[q[1]] + a[q[2]] + a[q[3]]) / 4
				}
			}
		}
	}
	return y
}

func dpool(dy, a []float64, C, W, H int, p weights.Pooling) []float64 {
	w, h := W/2, H/2
	da := make([]float64, C*H*W)
	for c := range C {
		for i := range h {
			for j := range w {
				q, d := window(c, i, j, W, H), dy[(c*h+i)*w+j]
				if p == weights.MaxPooling {
					da[largest(a, q)] += d
				} else {
					for _, at := range q {
						da[at] += d / 4
					}
				}
			}
		}
	}
	return da
}

// window gives the positions in (C, H, W) that pool to (c, i, j).
func window(c, i, j, W, H int) [4]int {
	q := (c*H+2*i)*W + 2*j
	return [4]int{q, q + 1, q + W, q + W + 1}
}

// largest is the first of equals: behind a ReLU, ties are zeros, which pass no
// gradient on.
func largest(a []float64, q [4]int) int {
	at := q[0]
	for _, p := range q[1:] {
		if a[p] > a[at] {
			at = p
		}
	}
	return at
}

// gram: Σ_p m[p] a[k,p] a[l,p] / Σ_p m[p], m the shares (Gatys 2015 eq. 3, divided by
// P); 0 where that is.
func gram(a, m []float64, C int, total float64) []float32 {
	P, G := len(m), make([]float32, C*C)
	for k := range C {
		for l := range C {
			var s float64
			for p := range P {
				s += m[p] * a[k*P+p] * a[l*P+p]
			}
			if total > 0 {
				G[k*C+l] = float32(s / total)
			}
		}
	}
	return G
}

// dgram: da[k,p] += 2 m[p]/Σm Σ_l dG[k,l] a[l,p], dG symmetric.
func dgram(da []float64, dG []float32, a, m []float64, C int, total float64) {
	P := len(m)
	for k := range C {
		for l := range C {
			d := 2 * float64(dG[k*C+l]) / total
			for p := range P {
				da[k*P+p] += d * m[p] * a[l*P+p]
			}
		}
	}
}

func mean(a, m []float64, C int, total float64) []float32 {
	P, out := len(m), make([]float32, C)
	for k := range C {
		var s float64
		for p, v := range a[k*P:][:P] {
			s += m[p] * v
		}
		if total > 0 {
			out[k] = float32(s / total)
		}
	}
	return out
}

func dmean(da []float64, dm []float32, m []float64, total float64) {
	P := len(m)
	for i := range da {
		da[i] += float64(dm[i/P]) * m[i%P] / total
	}
}

// content: Σ_p m_p Δ_pᵀ M Δ_p, Δ = a − target.
func content(a, m, target, M []float64, C int) float64 {
	P := len(m)
	var s float64
	for k := range C {
		for l := range C {
			for p := range P {
				s += m[p] * M[k*C+l] * (a[k*P+p] - target[k*P+p]) * (a[l*P+p] - target[l*P+p])
			}
		}
	}
	return s
}

// dcontent: da += 2 w m M Δ, M symmetric.
func dcontent(da []float64, w float64, a, m, target, M []float64, C int) {
	P := len(m)
	for k := range C {
		for l := range C {
			for p := range P {
				da[k*P+p] += 2 * w * m[p] * M[k*C+l] * (a[l*P+p] - target[l*P+p])
			}
		}
	}
}

// margin is how far the latest Forward stayed from the nearest kink: the
// smallest |z| before a ReLU and, under max pooling, the smallest lead of a
// window's largest, both relative to the layer's root mean square.
func (e *referenceEvaluator) margin() float64 {
	m := math.Inf(1)
	for i := range e.layers {
		l := &e.layers[i]
		var ss float64
		for _, z := range l.z {
			ss += z * z
		}
		rms := math.Sqrt(ss / float64(len(l.z)))
		for _, z := range l.z {
			m = min(m, math.Abs(z)/rms)
		}
		if e.spec.Pooling != weights.MaxPooling || i+1 >= len(e.layers) || !e.layers[i+1].Pooled() {
			continue
		}
		for c := range l.Out {
			for y := range l.H / 2 {
				for x := range l.W / 2 {
					q := window(c, y, x, l.W, l.H)
					top := largest(l.a, q)
					for _, p := range q {
						if p != top && l.a[top] > 0 {
							m = min(m, (l.a[top]-l.a[p])/rms)
						}
					}
				}
			}
		}
	}
	return m
}
