package filter

import "nstfilter/filter/engine"

// painter moves the parameters of a picture down its objective: pixels or a
// pyramid, by Adam or L-BFGS.
type painter struct {
	w      *workspace
	j      *objective
	levels *pyramid // one level: the parameters are the pixels

	params, grad    engine.Vector
	parts, gradient []engine.Vector // their levels; gradient[0] is dJ/dx
	margin          int             // around the picture, in pixels
	adam            *adam           // or
	lbfgs           *lbfgs
	last            Losses // that were read
}

// newPainter starts from pix.
func newPainter(o *Options, w *workspace, j *objective, pix []float32) *painter {
	st := &j.stage
	p := &painter{w: w, j: j, levels: newPyramid(w.size, 0), params: w.x, margin: o.Margin}
	if st.pyramid {
		p.levels = newPyramid(w.size, pyramidLevels)
	}
	n := p.levels.len()
	if p.pyramidal() {
		p.params = w.NewVector(n)
	}
	p.grad = w.NewVector(n)
	p.parts, p.gradient = p.levels.views(w, p.params), p.levels.views(w, p.grad)
	p.levels.split(w.threads, w, p.parts, pix)
	if st.lbfgs {
		p.lbfgs = newLBFGS(w, p.params, p.grad, st.pairs(), st.first)
	} else {
		p.adam = newAdam(w, p.params, p.grad, o)
	}
	return p
}

func (p *painter) pyramidal() bool { return len(p.levels.sizes) > 1 }

// step advances the optimiser once, done the share of the stage's steps before it;
// false: it cannot get any lower. Adam does not look at J itself: without read its
// losses are those of a step before.
func (p *painter) step(done float64, read bool) (Losses, bool) {
	if p.lbfgs != nil {
		return p.lbfgs.advance(func() Losses { return p.evaluate(true) })
	}
	return p.adam.advance(func() Losses { return p.evaluate(read) }, done), true
}

// evaluate gives J, if it is to be read, and its gradient at the parameters.
func (p *painter) evaluate(read bool) Losses {
	if p.pyramidal() {
		p.levels.join(p.w, p.w.x, p.parts, p.gradient)
	}
	p.j.at(p.gradient[0])
	if read {
		p.last = p.j.losses()
	}
	p.levels.gradient(p.w, p.gradient)
	return p.last
}

// picture is the result so far, in [0,1]; it overwrites the gradient and, for a
// pyramid, x.
func (p *painter) picture() []float32 {
	result := p.params
	if p.adam != nil {
		result = p.adam.result()
	}
	if p.pyramidal() {
		p.levels.join(p.w, p.w.x, p.levels.views(p.w, result), p.gradient)
		result = p.w.x
	}
	pix := make([]float32, result.Len())
	p.w.Download(pix, result)
	clamp01(p.w.threads, pix)
	return pix
}

// judge gives the losses of a finished picture, each layer's among them.
func (p *painter) judge(pix []float32) Losses {
	p.w.Upload(p.w.x, pix)
	p.j.at(p.gradient[0])
	losses := p.j.losses()
	losses.Layers = p.j.byLayer()
	return losses
}

// moments is Adam's state on its way from one scale to the next.
type moments struct {
	levels *pyramid
	m, v   []float32
	t      int
}

func (p *painter) moments() *moments {
	if p.adam == nil {
		return nil
	}
	n := p.params.Len()
	s := &moments{levels: p.levels, m: make([]float32, n), v: make([]float32, n), t: p.adam.step.T}
	p.w.Download(s.m, p.adam.m)
	p.w.Download(s.v, p.adam.v)
	return s
}

// receive resizes the moments of another scale, level by level, and mirrors them
// anew: the margin has the same width at every scale. Beside masked pixels, whose v
// is 0, m is resized as v is: Adam's |m| < 2.4·√v then stays true (Cauchy, Schwarz).
func (p *painter) receive(s *moments, masked bool) {
	if s == nil || p.adam == nil || len(s.levels.sizes) != len(p.levels.sizes) {
		return
	}
	reach := bicubic
	if masked {
		reach = bilinear
	}
	m, v := p.levels.views(p.w, p.adam.m), p.levels.views(p.w, p.adam.v)
	for i, to := range p.levels.sizes {
		margin := p.margin >> i
		from, to := s.levels.sizes[i].grow(-margin), to.grow(-margin)
		fit := func(of []float32, k kernel) []float32 {
			inner := crop(s.levels.level(of, i), 3, from, margin)
			return mirror(p.w.threads, resize(p.w.threads, inner, 3, from.w, from.h, to.w, to.h, k), 3, to, margin)
		}
		p.w.Upload(m[i], fit(s.m, reach))
		p.w.Upload(v[i], fit(s.v, bilinear)) // stays ≥ 0
	}
	p.adam.step.T = s.t
}
