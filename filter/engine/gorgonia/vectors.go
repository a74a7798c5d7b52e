package gorgonia

import (
	"math"

	"nstfilter/filter/engine"
)

// vector is an engine.Vector in Go's memory.
type vector []float32

func (v vector) Len() int { return len(v) }

// block is how many terms are summed before their sum joins the others'.
const block = 4096

// vectors holds the vector operations of a picture of w×h, in float64 inside.
type vectors struct {
	w, h int
	mask []float32 // nil: all pixels count
}

func (vectors) NewVector(n int) engine.Vector { return make(vector, n) }

func (vectors) View(v engine.Vector, at, n int) engine.Vector { return v.(vector)[at : at+n : at+n] }

func (vectors) Upload(dst engine.Vector, src []float32) {
	same(len(src), dst.Len())
	copy(dst.(vector), src)
}

func (vectors) Download(dst []float32, src engine.Vector) {
	same(len(dst), src.Len())
	copy(dst, src.(vector))
}

func (vectors) Dots(pairs ...[2]engine.Vector) (out []float64) {
	for _, p := range pairs {
		x, y := p[0].(vector), p[1].(vector)
		same(len(y), len(x))
		var sum float64
		for from := 0; from < len(x); from += block {
			to := min(from+block, len(x))
			var s float64
			for i := from; i < to; i++ {
				s += float64(x[i]) * float64(y[i])
			}
			sum += s
		}
		out = append(out, sum)
	}
	return out
}

func (vectors) Combine(dst engine.Vector, sum ...engine.Multiple) {
	y := dst.(vector)
	var parts [block]float64
	for from := 0; from < len(y); from += block {
		part := parts[:min(block, len(y)-from)]
		clear(part)
		for _, m := range sum {
			x := m.Of.(vector)
			same(len(x), len(y))
			for i := range part {
				part[i] += float64(m.By * float64(x[from+i])) // rounded by itself
			}
		}
		for i, v := range part {
			y[from+i] = float32(v)
		}
	}
}

func (vectors) Adam(px, pm, pv, pmean, pdx engine.Vector, s engine.AdamStep) {
	x, m, v, dx := px.(vector), pm.(vector), pv.(vector), pdx.(vector)
	same(len(m), len(x))
	same(len(v), len(x))
	same(len(dx), len(x))
	var mean vector
	if pmean != nil {
		mean = pmean.(vector)
		same(len(mean), len(x))
	}
	rate := s.Rate / (1 - math.Pow(s.Beta1, float64(s.T)))
	correct := 1 / (1 - math.Pow(s.Beta2, float64(s.T)))
	for i, d := range dx {
		g := float64(d)
		mi := s.Beta1*float64(m[i]) + (1-s.Beta1)*g
		vi := s.Beta2*float64(v[i]) + (1-s.Beta2)*g*g
		xi := float64(x[i]) - rate*mi/(math.Sqrt(vi*correct)+s.Epsilon)
		if s.Clamp {
			xi = min(max(xi, 0), 1)
		}
		m[i], v[i], x[i] = float32(mi), float32(vi), float32(xi)
		switch {
		case mean == nil:
		case s.Average == 0:
			mean[i] = x[i]
		default:
			mean[i] = float32(s.Average*float64(mean[i]) + (1-s.Average)*xi)
		}
	}
}

func (vectors) Enlarge(dst, base engine.Vector, a float64, low engine.Vector, w, h int) {
	engine.Enlarge(dst.(vector), base.(vector), a, low.(vector), w, h)
}

func (vectors) EnlargeAdjoint(dlow, d engine.Vector, w, h int) {
	engine.EnlargeAdjoint(dlow.(vector), d.(vector), w, h)
}

// TV sums by rows.
func (p vectors) TV(pdx, px engine.Vector, weight float64) float64 {
	W, H := p.w, p.h
	dx, x := pdx.(vector), px.(vector)
	same(len(x), 3*W*H)
	same(len(dx), len(x))
	n := float64(3 * (H*(W-1) + (H-1)*W))
	pair := func(i, j int) float64 { return 1 }
	if p.mask != nil {
		n = 3 * engine.Pairs(p.mask, W, H)
		pair = func(i, j int) float64 { return float64(p.mask[i%(W*H)]) * float64(p.mask[j%(W*H)]) }
	}
	if n == 0 {
		return 0
	}
	a := 2 * weight / n
	var sum float64
	for row := range 3 * H {
		first, last := row%H == 0, row%H == H-1
		var s float64
		for j := range W {
			i := row*W + j
			at, d := float64(x[i]), 0.
			if j > 0 {
				d += pair(i, i-1) * (at - float64(x[i-1]))
			}
			if !first {
				d += pair(i, i-W) * (at - float64(x[i-W]))
			}
			if j < W-1 {
				e := float64(x[i+1]) - at
				k := pair(i, i+1)
				s += k * e * e
				d -= k * e
			}
			if !last {
				e := float64(x[i+W]) - at
				k := pair(i, i+W)
				s += k * e * e
				d -= k * e
			}
			dx[i] += float32(a * d)
		}
		sum += s
	}
	return sum / n
}

func (p vectors) Gamut(pdx, px engine.Vector, weight float64) float64 {
	dx, x := pdx.(vector), px.(vector)
	same(len(x), 3*p.w*p.h)
	same(len(dx), len(x))
	n := float64(len(x))
	var sum float64
	for from := 0; from < len(x); from += block {
		var s float64
		for i := from; i < min(from+block, len(x)); i++ {
			v := float64(x[i])
			z := v - min(max(v, 0), 1)
			s += z * z
			dx[i] += float32(2 * weight / n * z)
		}
		sum += s
	}
	return sum / n
}

func (p vectors) Prior(pdx, px, pprior, pw engine.Vector, weight float64) float64 {
	P := p.w * p.h
	dx, x, prior, w := pdx.(vector), px.(vector), pprior.(vector), pw.(vector)
	same(len(x), 3*P)
	same(len(dx), len(x))
	same(len(prior), len(x))
	same(len(w), P)
	a := 2 * weight / float64(P)
	var sum float64
	for from := 0; from < P; from += block {
		var s float64
		for c := range 3 {
			for q := from; q < min(from+block, P); q++ {
				i := c*P + q
				d := float64(x[i]) - float64(prior[i])
				wd := float64(w[q]) * d
				s += wd * d
				dx[i] += float32(a * wd)
			}
		}
		sum += s
	}
	return sum / float64(P)
}
