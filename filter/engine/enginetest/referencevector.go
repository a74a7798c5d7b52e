package enginetest

import (
	"fmt"
	"math"

	"nstfilter/filter/engine"
)

// Vector is an engine.Vector in Go's memory.
type Vector []float32

func (v Vector) Len() int { return len(v) }

// Vectors are the reference's operations on them, each rounded once; the zero value has no
// picture.
type Vectors struct {
	w, h int
	mask []float32 // nil: all pixels count
}

func (Vectors) NewVector(n int) engine.Vector { return make(Vector, n) }

func (Vectors) View(v engine.Vector, at, n int) engine.Vector {
	return v.(Vector)[at : at+n : at+n]
}

func (Vectors) Upload(dst engine.Vector, src []float32) {
	same(dst.Len(), len(src))
	copy(dst.(Vector), src)
}

func (Vectors) Download(dst []float32, src engine.Vector) {
	same(len(dst), src.Len())
	copy(dst, src.(Vector))
}

func (Vectors) Dots(pairs ...[2]engine.Vector) (out []float64) {
	for _, p := range pairs {
		same(p[0].Len(), p[1].Len())
		sum := 0.
		for i, v := range p[0].(Vector) {
			sum += float64(v) * float64(p[1].(Vector)[i])
		}
		out = append(out, sum)
	}
	return out
}

func (Vectors) Combine(y engine.Vector, sum ...engine.Multiple) {
	out := make([]float64, y.Len())
	for _, m := range sum {
		same(y.Len(), m.Of.Len())
		for i, v := range m.Of.(Vector) {
			out[i] += m.By * float64(v)
		}
	}
	for i, v := range out {
		y.(Vector)[i] = float32(v)
	}
}

func (Vectors) Adam(x, m, v, mean, dx engine.Vector, s engine.AdamStep) {
	same(x.Len(), m.Len(), v.Len(), dx.Len())
	c1, c2 := 1-math.Pow(s.Beta1, float64(s.T)), 1-math.Pow(s.Beta2, float64(s.T))
	for i, d := range dx.(Vector) {
		g := float64(d)
		mi := s.Beta1*float64(m.(Vector)[i]) + (1-s.Beta1)*g
		vi := s.Beta2*float64(v.(Vector)[i]) + (1-s.Beta2)*g*g
		xi := float64(x.(Vector)[i]) - s.Rate*(mi/c1)/(math.Sqrt(vi/c2)+s.Epsilon)
		if s.Clamp {
			xi = min(max(xi, 0), 1)
		}
		x.(Vector)[i], m.(Vector)[i], v.(Vector)[i] = float32(xi), float32(mi), float32(vi)
		if mean == nil {
			continue
		}
		if s.Average != 0 {
			xi = s.Average*float64(mean.(Vector)[i]) + (1-s.Average)*xi
		}
		mean.(Vector)[i] = float32(xi)
	}
}

func (Vectors) Enlarge(dst, base engine.Vector, a float64, low engine.Vector, w, h int) {
	engine.Enlarge(dst.(Vector), base.(Vector), a, low.(Vector), w, h)
}

func (Vectors) EnlargeAdjoint(dlow, d engine.Vector, w, h int) {
	engine.EnlargeAdjoint(dlow.(Vector), d.(Vector), w, h)
}

func (r Vectors) TV(dx, x engine.Vector, weight float64) float64 {
	same(dx.Len(), x.Len(), 3*r.w*r.h)
	p, d := x.(Vector), make([]float64, x.Len())
	var sum, n float64
	pair := func(a, b int) {
		k := 1.
		if P := r.w * r.h; r.mask != nil {
			k = float64(r.mask[a%P]) * float64(r.mask[b%P])
		}
		diff := float64(p[b]) - float64(p[a])
		n += k
		sum += k * diff * diff
		d[a] -= 2 * k * diff
		d[b] += 2 * k * diff
	}
	for c := range 3 {
		for i := range r.h {
			for j := range r.w {
				at := (c*r.h+i)*r.w + j
				if j+1 < r.w {
					pair(at, at+1)
				}
				if i+1 < r.h {
					pair(at, at+r.w)
				}
			}
		}
	}
	if n == 0 {
		return 0
	}
	for i := range d {
		dx.(Vector)[i] += float32(weight * d[i] / n)
	}
	return sum / n
}

func (r Vectors) Gamut(dx, x engine.Vector, weight float64) float64 {
	same(dx.Len(), x.Len(), 3*r.w*r.h)
	sum, n := 0., float64(x.Len())
	for i, v := range x.(Vector) {
		z := float64(v) - min(max(float64(v), 0), 1)
		sum += z * z
		dx.(Vector)[i] += float32(weight * 2 * z / n)
	}
	return sum / n
}

func (r Vectors) Prior(dx, x, prior, w engine.Vector, weight float64) float64 {
	P := r.w * r.h
	same(dx.Len(), x.Len(), prior.Len(), 3*P)
	same(w.Len(), P)
	var sum float64
	for i, v := range x.(Vector) {
		diff, wp := float64(v)-float64(prior.(Vector)[i]), float64(w.(Vector)[i%P])
		sum += wp * diff * diff
		dx.(Vector)[i] += float32(weight * 2 * wp * diff / float64(P))
	}
	return sum / float64(P)
}

func same(n ...int) {
	for _, m := range n[1:] {
		if m != n[0] {
			panic(fmt.Sprintf("enginetest: lengths %v differ", n))
		}
	}
}
