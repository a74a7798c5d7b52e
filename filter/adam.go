package filter

import "nstfilter/filter/engine"

// adam is Adam (Kingma and Ba 2015, algorithm 1) whose result is the running mean of its
// iterates (section 7.2). The next scale continues with its moments and step count.
type adam struct {
	w          *workspace
	x, dx      engine.Vector // parameters and gradient, the caller's
	m, v, mean engine.Vector // mean nil: not averaged
	step       engine.AdamStep
	averaged   int // iterates in the mean
}

func newAdam(w *workspace, x, dx engine.Vector, o *Options) *adam {
	a := &adam{w: w, x: x, dx: dx, m: w.NewVector(x.Len()), v: w.NewVector(x.Len()),
		// β₂ = 0.99, as in style-transfer-pytorch: there are only a few hundred steps.
		step: engine.AdamStep{Rate: o.LearningRate, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Average: o.Average, Clamp: o.Parameters == "pixels"}}
	if o.Average > 0 {
		a.mean = w.NewVector(x.Len())
	}
	return a
}

// advance makes one step; done is the share of the steps already made, and j evaluates J and
// dJ at x. The rate falls linearly to a tenth: constant steps leave noise of their size in
// flat areas.
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

// result returns the mean of the iterates, or the latest one if they are not averaged.
func (a *adam) result() engine.Vector {
	if a.mean != nil && a.averaged > 0 {
		return a.mean
	}
	return a.x
}
