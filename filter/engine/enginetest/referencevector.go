package enginetest

import (
	"fmt"
	"math"

	"nstfilter/filter/engine"
)

// vector is the reference's engine.Vector.
type vector []float32

func (v vector) Len() int { return len(v) }

// referenceVectors holds the operations on vectors, each rounded once.
type referenceVectors struct {
	w, h int
	mask []float32 // nil: all pixels count
}

func (referenceVectors) NewVector(n int) engine.Vector { return make(vector, n) }

func (referenceVectors) View(v engine.Vector, at, n int) engine.Vector {
	return v.(vector)[at : at+n : at+n]
}

func (referenceVectors) Upload(dst engine.Vector, src []float32) {
	same(dst.Len(), len(src))
	copy(dst.(vector), src)
}

func (referenceVectors) Download(dst []float32, src engine.Vector) {
	same(len(dst), src.Len())
	copy(dst, src.(vector))
}

func (referenceVectors) Dots(pairs ...[2]engine.Vector) (out []float64) {
	for _, p := range pairs {
		same(p[0].Len(), p[1].Len())
		sum := 0.
		for i, v := range p[0].(vector) {
			sum += float64(v) * float64(p[1].(vector)[i])
		}
		out = append(out, sum)
	}
	return out
}

func (referenceVectors) Combine(y engine.Vector, sum ...engine.Multiple) {
	out := make([]float64, y.Len())
	for _, m := range sum {
		same(y.Len(), m.Of.Len())
		for i, v := range m.Of.(vector) {
			out[i] += m.By * float64(v)
		}
	}
	for i, v := range out {
		y.(vector)[i] = float32(v)
	}
}

func (referenceVectors) Adam(x, m, v, mean, dx engine.Vector, s engine.AdamStep) {
	same(x.Len(), m.Len(), v.Len(), dx.Len())
	c1, c2 := 1-math.Pow(s.Beta1, float64(s.T)), 1-math.Pow(s.Beta2, float64(s.T))
	for i, d := range dx.(vector) {
		g := float64(d)
		mi := s.Beta1*float64(m.(vector)[i]) + (1-s.Beta1)*g
		vi := s.Beta2*float64(v.(vector)[i]) + (1-s.Beta2)*g*g
		xi := float64(x.(vector)[i]) - s.Rate*(mi/c1)/(math.Sqrt(vi/c2)+s.Epsilon)
		if s.Clamp {
			xi = min(max(xi, 0), 1)
		}
		x.(vector)[i], m.(vector)[i], v.(vector)[i] = float32(xi), float32(mi), float32(vi)
		if mean == nil {
			continue
		}
		if s.Average != 0 {
			xi = s.Average*float64(mean.(vector)[i]) + (1-s.Average)*xi
		}
		mean.(vector)[i] = float32(xi)
	}
}

func (referenceVectors) Enlarge(dst, base engine.Vector, a float64, low engine.Vector, w, h int) {
	engine.Enlarge(dst.(vector), base.(vector), a, low.(vector), w, h)
}

func (referenceVectors) EnlargeAdjoint(dlow, d engine.Vector, w, h int) {
	engine.EnlargeAdjoint(dlow.(vector), d.(vector), w, h)
}

func (r referenceVectors) TV(dx, x engine.Vector, weight float64) float64 {
	same(dx.Len(), x.Len(), 3*r.w*r.h)
	p, d := x.(vector), make([]float64, x.Len())
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
		dx.(vector)[i] += float32(weight * d[i] / n)
	}
	return sum / n
}

func (r referenceVectors) Prior(dx, x, prior, w engine.Vector, weight float64) float64 {
	P := r.w * r.h
	same(dx.Len(), x.Len(), prior.Len(), 3*P)
	same(w.Len(), P)
	var sum float64
	for i, v := range x.(vector) {
		diff, wp := float64(v)-float64(prior.(vector)[i]), float64(w.(vector)[i%P])
		sum += wp * diff * diff
		dx.(vector)[i] += float32(weight * 2 * wp * diff / float64(P))
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
