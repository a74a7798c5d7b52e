package filter

import (
	"math"
	"math/rand/v2"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

func random(r *rand.Rand, n int) enginetest.Vector {
	v := make(enginetest.Vector, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func product(a, b enginetest.Vector) float64 {
	return enginetest.Vectors{}.Dots([2]engine.Vector{a, b})[0]
}

// twoLoops is −H·g by algorithm 7.4 as it is written, in float64, from pairs of which the
// latest is the last.
func twoLoops(g enginetest.Vector, s, y []enginetest.Vector) []float64 {
	dot := func(v enginetest.Vector, q []float64) (sum float64) {
		for i, x := range v {
			sum += float64(x) * q[i]
		}
		return sum
	}
	q, alpha := make([]float64, len(g)), make([]float64, len(s))
	for i, v := range g {
		q[i] = -float64(v)
	}
	for k := len(s) - 1; k >= 0; k-- {
		alpha[k] = dot(s[k], q) / product(s[k], y[k])
		for i := range q {
			q[i] -= alpha[k] * float64(y[k][i])
		}
	}
	if last := len(s) - 1; last >= 0 {
		for i := range q {
			q[i] *= product(s[last], y[last]) / product(y[last], y[last])
		}
	}
	for k := range s {
		beta := dot(y[k], q) / product(s[k], y[k])
		for i := range q {
			q[i] += (alpha[k] - beta) * float64(s[k][i])
		}
	}
	return q
}

// Directions are the two loops', while pairs are few, when they push others out, and
// where one has no curvature to tell of.
func TestDirectionIsTwoLoops(t *testing.T) {
	const n, history = 9, 3
	r := rand.New(rand.NewPCG(3, 4))
	x, g := random(r, n), random(r, n)
	h := newLBFGSHistory(enginetest.Vectors{}, g, history)
	h.start()
	var s, y []enginetest.Vector
	for step := range 12 {
		d := make(enginetest.Vector, n)
		slope := h.direction(d)
		want := twoLoops(g, s, y)
		var off, size, wantSlope float64
		for i, v := range want {
			off += math.Pow(float64(d[i])-v, 2)
			size += v * v
			wantSlope += float64(g[i]) * v
		}
		if !(off <= 1e-12*size) {
			t.Fatalf("step %d: %v, want %v", step, d, want)
		}
		if !(math.Abs(slope-wantSlope) <= 1e-6*math.Abs(wantSlope)) {
			t.Errorf("step %d: slope %g, want %g", step, slope, wantSlope)
		}

		x0, g0 := append(enginetest.Vector{}, x...), append(enginetest.Vector{}, g...)
		si, yi := random(r, n), random(r, n)
		if curved := product(si, yi) > 0; curved == (step%5 == 4) { // every fifth pair is turned down
			for i := range yi {
				yi[i] = -yi[i]
			}
		}
		for i := range x {
			x[i] += si[i]
			g[i] += yi[i]
			si[i], yi[i] = x[i]-x0[i], g[i]-g0[i] // as they are rounded
		}
		h.update(x, x0, g0)
		if product(si, yi) > 0 {
			s, y = append(s, si), append(y, yi)
		} else if len(s) == history {
			s, y = s[1:], y[1:] // it had made room
		}
		s, y = s[max(0, len(s)-history):], y[max(0, len(y)-history):]
		if step == 8 {
			h.reset()
			s, y = nil, nil
		}
	}
}

// counted counts what is asked of a space.
type counted struct {
	enginetest.Vectors
	dots, combinations *int
}

func (c counted) Dots(pairs ...[2]engine.Vector) []float64 {
	*c.dots++
	return c.Vectors.Dots(pairs...)
}

func (c counted) Combine(y engine.Vector, sum ...engine.Multiple) {
	*c.combinations++
	c.Vectors.Combine(y, sum...)
}

// A step asks for products once for each trial and once in the end: a device is waited
// for each time.
func TestStepsAskForProductsSeldom(t *testing.T) {
	x, dx := make(enginetest.Vector, 20), make(enginetest.Vector, 20)
	dots, combinations, trials := 0, 0, 0
	l := newLBFGS(counted{dots: &dots, combinations: &combinations}, x, dx, lbfgsPairs, 0.05)
	const steps = 15
	for range steps {
		l.advance(func() Losses { trials++; return Losses{Total: rosenbrock(x, dx)} })
	}
	trials-- // where it began
	if want := 1 + trials + steps; dots != want {
		t.Errorf("%d calls of Dots for %d trials in %d steps, want %d", dots, trials, steps, want)
	}
	if want := trials + 5*steps; combinations != want {
		t.Errorf("%d calls of Combine for %d trials in %d steps, want %d", combinations, trials, steps, want)
	}
}
