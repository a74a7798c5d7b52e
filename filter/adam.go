package filter

import "nstfilter/filter/engine"

// adam is Adam (Kingma and Ba 2015) with the running mean of its iterates as the
// result. Moments and step count are carried from one scale to the next.
type adam struct {
	w          *workspace
	x, dx      engine.Vector // parameters and gradient, the caller's
	m, v, mean engine.Vector // mean nil: not averaged
	step       engine.AdamStep
	averaged   int // iterates in the mean
}

func newAdam(w *workspace, x, dx engine.Vector, o *Options) *adam {
	a := &adam{w: w, x: x, dx: dx, m: w.NewVector(x.Len()), v: w.NewVector(x.Len()),
		// β₂ = 0.99: a few hundred steps are all there are (as style-transfer-pytorch has it).
		step: engine.AdamStep{Rate: o.LearningRate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Average: o.Average, Clamp: o.Parameters == "pixels"}}
	if o.Average > 0 {
		a.mean = w.NewVector(x.Len())
	}
	return a
}

// advance makes one step, done of the steps being behind it; j evaluates J and dJ
// at x. The rate falls on a straight line to a tenth: steps of one size leave a
// noise of that size in flat areas.
func (a *adam) advance(j func() Losses, done float64) Losses {
	losses := j()
	a.step.T++
	s := a.step
	s.Rate *= 1 - 0.9*done
	if a.averaged == 0 {
		s.Average = 0 // the mean of one iterate is that iterate
	}
	a.averaged++
	a.w.Adam(a.x, a.m, a.v, a.mean, a.dx, s)
	return losses
}

// result is the vector that holds the outcome.
func (a *adam) result() engine.Vector {
	if a.mean != nil && a.averaged > 0 {
		return a.mean
	}
	return a.x
}
