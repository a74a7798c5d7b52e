package filter

import (
	"math"

	"nstfilter/filter/engine"
)

// space is what L-BFGS needs of an evaluator: vectors and their arithmetic.
type space interface {
	NewVector(n int) engine.Vector
	Dot(a, b engine.Vector) float64
	Axpby(y engine.Vector, a float64, x engine.Vector, b float64)
}

// lbfgs is limited-memory BFGS with a strong Wolfe line search: Nocedal and
// Wright 2006, algorithms 7.4, 7.5, 3.5 and 3.6.
type lbfgs struct {
	sp    space
	x, dx engine.Vector // iterate and gradient, the caller's

	s, y  []engine.Vector // steps and gradient changes, a ring of history pairs
	rho   []float64       // 1/(yᵀs)
	pairs int             // made so far
	alpha []float64

	x0, dx0, d engine.Vector // where the line search began, and its direction
	first      float64       // RMS of the first step per element
	started    bool
	losses     Losses // at x
}

const (
	lbfgsHistory = 10   // at most
	wolfeC1      = 1e-4 // sufficient decrease
	wolfeC2      = 0.9  // curvature
	wolfeTrials  = 20
)

// newLBFGS remembers so many pairs; first is the RMS of its first step.
func newLBFGS(sp space, x, dx engine.Vector, pairs int, first float64) *lbfgs {
	n := x.Len()
	l := &lbfgs{sp: sp, x: x, dx: dx, x0: sp.NewVector(n), dx0: sp.NewVector(n), d: sp.NewVector(n),
		first: first, rho: make([]float64, pairs), alpha: make([]float64, pairs)}
	for range pairs {
		l.s = append(l.s, sp.NewVector(n))
		l.y = append(l.y, sp.NewVector(n))
	}
	return l
}

// advance makes one step; j evaluates J and dJ at x. It reports false when no
// step lowers J any more.
func (l *lbfgs) advance(j func() Losses) (Losses, bool) {
	if !l.started {
		l.losses, l.started = j(), true
	}
	sp := l.sp
	sp.Axpby(l.x0, 1, l.x, 0)
	sp.Axpby(l.dx0, 1, l.dx, 0)
	l.direction()
	slope := sp.Dot(l.dx0, l.d)
	if !(slope < 0) { // not a descent direction: forget the history
		l.pairs = 0
		l.direction()
		slope = sp.Dot(l.dx0, l.d)
		if !(slope < 0) {
			return l.losses, false
		}
	}
	step := 1.0
	if l.pairs == 0 {
		step = l.first * math.Sqrt(float64(l.x.Len())/sp.Dot(l.d, l.d))
	}
	found := l.search(j, step, slope)
	if !found {
		if l.pairs == 0 {
			return l.losses, false
		}
		l.pairs = 0 // steepest descent may still go down
		return l.losses, true
	}
	k := l.pairs % len(l.rho)
	sp.Axpby(l.s[k], 1, l.x, 0)
	sp.Axpby(l.s[k], -1, l.x0, 1)
	sp.Axpby(l.y[k], 1, l.dx, 0)
	sp.Axpby(l.y[k], -1, l.dx0, 1)
	if sy := sp.Dot(l.s[k], l.y[k]); sy > 1e-10*sp.Dot(l.y[k], l.y[k]) {
		l.rho[k] = 1 / sy
		l.pairs++
	}
	return l.losses, true
}

// direction writes d = −H·dx by the two-loop recursion (algorithm 7.4).
func (l *lbfgs) direction() {
	sp := l.sp
	sp.Axpby(l.d, -1, l.dx, 0)
	m := min(l.pairs, len(l.rho))
	if m == 0 {
		return
	}
	for i := l.pairs - 1; i >= l.pairs-m; i-- {
		k := i % len(l.rho)
		l.alpha[k] = l.rho[k] * sp.Dot(l.s[k], l.d)
		sp.Axpby(l.d, -l.alpha[k], l.y[k], 1)
	}
	last := (l.pairs - 1) % len(l.rho)
	sp.Axpby(l.d, 0, l.d, 1/(l.rho[last]*sp.Dot(l.y[last], l.y[last]))) // γ of eq. 7.20
	for i := l.pairs - m; i < l.pairs; i++ {
		k := i % len(l.rho)
		beta := l.rho[k] * sp.Dot(l.y[k], l.d)
		sp.Axpby(l.d, l.alpha[k]-beta, l.s[k], 1)
	}
}

// try moves x to x0 + t·d and returns J and its slope along d there.
func (l *lbfgs) try(j func() Losses, t float64) (Losses, float64) {
	l.sp.Axpby(l.x, 1, l.x0, 0)
	l.sp.Axpby(l.x, t, l.d, 1)
	losses := j()
	return losses, l.sp.Dot(l.dx, l.d)
}

// search finds a step that meets the strong Wolfe conditions (algorithms 3.5 and
// 3.6) and leaves x, dx and losses there. If its trials run out it takes the best
// that decreases J enough; if none does it restores x and reports false.
func (l *lbfgs) search(j func() Losses, t, slope0 float64) bool {
	f0 := l.losses.Total
	type point struct{ t, f, slope float64 }
	low, high := point{0, f0, slope0}, point{}
	bracketed := false
	for trial := range wolfeTrials {
		losses, slope := l.try(j, t)
		p := point{t, losses.Total, slope}
		enough := losses.finite() && p.f <= f0+wolfeC1*t*slope0
		switch {
		case !enough || p.f >= low.f && (trial > 0 || bracketed):
			high, bracketed = p, true
		case math.Abs(slope) <= -wolfeC2*slope0:
			l.losses = losses
			return true
		default:
			if bracketed && slope*(high.t-low.t) >= 0 || !bracketed && slope >= 0 {
				high, bracketed = low, true
			}
			low = p
		}
		if !bracketed {
			t *= 2
			continue
		}
		t = interpolate(low.t, low.f, low.slope, high.t, high.f)
		if math.Abs(high.t-low.t)*math.Abs(low.slope) < 1e-12*math.Abs(f0) {
			break
		}
	}
	if low.t > 0 {
		l.losses, _ = l.try(j, low.t)
		return true
	}
	l.sp.Axpby(l.x, 1, l.x0, 0)
	l.sp.Axpby(l.dx, 1, l.dx0, 0)
	return false
}

// interpolate is the minimum of the parabola through (a, fa) with slope ga and
// (b, fb) (eq. 3.58), kept away from the ends by a tenth of the interval.
func interpolate(a, fa, ga, b, fb float64) float64 {
	h := b - a
	t := a - ga*h*h/(2*(fb-fa-ga*h))
	from, to := min(a, b)+0.1*math.Abs(h), max(a, b)-0.1*math.Abs(h)
	if math.IsNaN(t) || t < from || t > to {
		if math.IsNaN(fb) || math.IsInf(fb, 0) {
			return a + 0.1*h
		}
		return a + 0.5*h
	}
	return t
}
