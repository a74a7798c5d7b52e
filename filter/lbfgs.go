package filter

import (
	"math"

	"nstfilter/filter/engine"
)

// lbfgs is limited-memory BFGS with a strong Wolfe line search: Nocedal and
// Wright 2006, algorithms 7.5, 3.5 and 3.6.
type lbfgs struct {
	ops     vectorOps
	x, dx   engine.Vector // iterate and gradient, owned by the caller
	history *lbfgsHistory

	x0, dx0, d engine.Vector // start of the line search, gradient there, and direction
	first      float64       // RMS of the first step per element
	started    bool
	losses     Losses // at x
}

const (
	lbfgsPairs  = 10   // at most
	wolfeC1     = 1e-4 // sufficient decrease
	wolfeC2     = 0.9  // curvature
	wolfeTrials = 20
)

// newLBFGS returns an optimiser with a history of the given number of pairs; first is the RMS
// of its first step.
func newLBFGS(ops vectorOps, x, dx engine.Vector, pairs int, first float64) *lbfgs {
	n := x.Len()
	return &lbfgs{ops: ops, x: x, dx: dx, history: newLBFGSHistory(ops, dx, pairs),
		x0: ops.NewVector(n), dx0: ops.NewVector(n), d: ops.NewVector(n), first: first}
}

// advance makes one step; j evaluates J and dJ at x. It returns false if no step lowers J.
func (l *lbfgs) advance(j func() Losses) (Losses, bool) {
	if !l.started {
		l.losses, l.started = j(), true
		l.history.start()
	}
	slope := l.history.direction(l.d)
	if !(slope < 0) { // not a descent direction
		l.history.reset()
		if slope = l.history.direction(l.d); !(slope < 0) {
			return l.losses, false
		}
	}
	step, steepest := 1.0, len(l.history.pairs) == 0
	if steepest {
		step = l.first * math.Sqrt(float64(l.x.Len())/-slope)
	}
	l.copy(l.x0, l.x)
	l.copy(l.dx0, l.dx)
	if l.search(j, step, slope) {
		l.history.update(l.x, l.x0, l.dx0)
		return l.losses, true
	}
	l.history.reset() // steepest descent may still go down
	return l.losses, !steepest
}

// restart forgets what is known of J, which is another one from now on.
func (l *lbfgs) restart() {
	l.started = false
	l.history.reset()
}

func (l *lbfgs) copy(y, x engine.Vector) { l.ops.Combine(y, engine.Multiple{By: 1, Of: x}) }

// try moves x to x0 + t·d and returns J and its slope along d there.
func (l *lbfgs) try(j func() Losses, t float64) (Losses, float64) {
	l.ops.Combine(l.x, engine.Multiple{By: 1, Of: l.x0}, engine.Multiple{By: t, Of: l.d})
	losses := j()
	return losses, l.ops.Dots([2]engine.Vector{l.dx, l.d})[0]
}

// search finds a step that meets the strong Wolfe conditions (algorithms 3.5 and 3.6) and
// moves x, dx and losses there. If it runs out of trials, it takes the best one with
// sufficient decrease; if there is none, it restores x and dx and returns false.
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
	l.copy(l.x, l.x0)
	l.copy(l.dx, l.dx0)
	return false
}

// interpolate returns the minimum of the parabola through (a, fa) with slope ga and (b, fb)
// (eq. 3.58), at least a tenth of the interval from either end.
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
