package filter

import "nstfilter/filter/engine"

// space is what L-BFGS needs of an evaluator: vectors and their arithmetic.
type vectorOps interface {
	NewVector(n int) engine.Vector
	Dots(pairs ...[2]engine.Vector) []float64
	Combine(y engine.Vector, sum ...engine.Multiple)
}

// lbfgsHistory is the curvature information of L-BFGS: the latest steps s and the changes y
// of the gradient g along them. The two-loop recursion (Nocedal and Wright 2006, algorithm
// 7.4) needs only the inner products of these vectors, which are kept in float64 from step
// to step. A step then reads the vectors twice, once for new products and once to write the
// direction; the loops as printed read each four times (Chen, Wang and Zhou, NIPS 2014,
// section 3.1).
type lbfgsHistory struct {
	ops vectorOps
	g   engine.Vector // owned by the caller

	s, y  []engine.Vector
	pairs []int // positions in s and y of the pairs in use, the latest last
	next  int   // position of the next pair

	gg     float64
	sg, yg []float64   // by position: s·g, y·g
	sy, yy [][]float64 // sᵢ·yⱼ, yᵢ·yⱼ
}

// newLBFGSHistory holds at most the given number of pairs.
func newLBFGSHistory(ops vectorOps, g engine.Vector, pairs int) *lbfgsHistory {
	h := &lbfgsHistory{ops: ops, g: g, sg: make([]float64, pairs), yg: make([]float64, pairs)}
	for range pairs {
		h.s, h.y = append(h.s, ops.NewVector(g.Len())), append(h.y, ops.NewVector(g.Len()))
		h.sy, h.yy = append(h.sy, make([]float64, pairs)), append(h.yy, make([]float64, pairs))
	}
	return h
}

// start reads the first gradient.
func (h *lbfgsHistory) start() { h.gg = h.ops.Dots([2]engine.Vector{h.g, h.g})[0] }

// reset drops all pairs: the next direction is steepest descent.
func (h *lbfgsHistory) reset() { h.pairs = h.pairs[:0] }

// update adds the step from x0, with gradient g0, to x, with gradient g, unless the curvature
// along it is not positive.
func (h *lbfgsHistory) update(x, x0, g0 engine.Vector) {
	k := h.next
	if len(h.pairs) == len(h.s) {
		h.pairs = h.pairs[1:]
	}
	h.ops.Combine(h.s[k], engine.Multiple{By: 1, Of: x}, engine.Multiple{By: -1, Of: x0})
	h.ops.Combine(h.y[k], engine.Multiple{By: 1, Of: h.g}, engine.Multiple{By: -1, Of: g0})
	pairs := [][2]engine.Vector{{h.g, h.g}, {h.g, h.s[k]}, {h.g, h.y[k]}, {h.s[k], h.y[k]}, {h.y[k], h.y[k]}}
	for _, i := range h.pairs {
		pairs = append(pairs, [][2]engine.Vector{{h.g, h.s[i]}, {h.g, h.y[i]}, {h.s[k], h.y[i]}}...)
	}
	dots := h.ops.Dots(pairs...)
	h.gg, h.sg[k], h.yg[k], h.sy[k][k], h.yy[k][k] = dots[0], dots[1], dots[2], dots[3], dots[4]
	for n, i := range h.pairs {
		d := dots[5+3*n:]
		h.sy[i][k], h.yy[i][k] = d[0]-h.sg[i], d[1]-h.yg[i] // y is g − g0
		h.sg[i], h.yg[i], h.sy[k][i], h.yy[k][i] = d[0], d[1], d[2], h.yy[i][k]
	}
	if h.sy[k][k] > 1e-10*h.yy[k][k] {
		h.pairs, h.next = append(h.pairs, k), (k+1)%len(h.s)
	}
}

// direction writes d = −H·g and returns g·d; H is the L-BFGS estimate of the inverse Hessian.
func (h *lbfgsHistory) direction(d engine.Vector) float64 {
	// d = onG·g + Σ onS·s + onY·y
	onG, onS, onY := -1., make([]float64, len(h.s)), make([]float64, len(h.s))
	for n := range h.pairs {
		i := h.pairs[len(h.pairs)-1-n]
		along := onG * h.sg[i] // sᵢ·d
		for _, j := range h.pairs {
			along += onY[j] * h.sy[i][j]
		}
		onY[i] = -along / h.sy[i][i]
	}
	alpha := make([]float64, len(h.s))
	if n := len(h.pairs); n > 0 {
		last := h.pairs[n-1]
		gamma := h.sy[last][last] / h.yy[last][last] // eq. 7.20
		onG *= gamma
		for _, i := range h.pairs {
			alpha[i], onY[i] = -onY[i], gamma*onY[i]
		}
	}
	for _, i := range h.pairs {
		along := onG * h.yg[i] // yᵢ·d
		for _, j := range h.pairs {
			along += onY[j]*h.yy[i][j] + onS[j]*h.sy[j][i]
		}
		onS[i] = alpha[i] - along/h.sy[i][i]
	}
	slope := onG * h.gg
	sum := []engine.Multiple{{By: onG, Of: h.g}}
	for _, i := range h.pairs {
		slope += onS[i]*h.sg[i] + onY[i]*h.yg[i]
		sum = append(sum, engine.Multiple{By: onS[i], Of: h.s[i]}, engine.Multiple{By: onY[i], Of: h.y[i]})
	}
	h.ops.Combine(d, sum...)
	return slope
}
