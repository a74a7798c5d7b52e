package filter

import "nstfilter/filter/engine"

// painter moves the parameters of a picture down its objective: pixels or a
// pyramid, by Adam or L-BFGS.
type painter struct {
	w      *workspace
	j      *objective
	levels *pyramid // one level: the parameters are the pixels

	params, grad engine.Vector
	host         []float32 // parameters on their way to the picture and back
	margin       int       // around the picture, in pixels
	adam         *adam     // or
	lbfgs        *lbfgs
}

func newPainter(o *Options, w *workspace, j *objective, pix []float32, rate float64) *painter {
	p := &painter{w: w, j: j, levels: newPyramid(w.size, 0), params: w.x, grad: w.dx, margin: o.Margin}
	if o.Parameters == "pyramid" {
		p.levels = newPyramid(w.size, pyramidLevels)
	}
	if p.pyramidal() {
		n := p.levels.len()
		p.params, p.grad, p.host = w.NewVector(n), w.NewVector(n), make([]float32, n)
		p.levels.split(p.host, pix)
		w.Upload(p.params, p.host)
	} else {
		w.Upload(p.params, pix)
	}
	if o.Optimizer == "lbfgs" {
		p.lbfgs = newLBFGS(w, p.params, p.grad)
	} else {
		p.adam = newAdam(w, p.params, p.grad, o, rate)
	}
	return p
}

func (p *painter) pyramidal() bool { return len(p.levels.sizes) > 1 }

// step advances the optimiser once, done the share of the scale's steps that are
// behind it; false: it cannot get any lower.
func (p *painter) step(done float64) (Losses, bool) {
	if p.lbfgs != nil {
		return p.lbfgs.advance(p.evaluate)
	}
	return p.adam.advance(p.evaluate, done), true
}

// evaluate gives J and its gradient at the parameters.
func (p *painter) evaluate() Losses {
	if !p.pyramidal() {
		return p.j.at(p.w.x, p.w.dx)
	}
	p.w.Download(p.host, p.params)
	p.w.Upload(p.w.x, p.levels.join(p.host))
	losses := p.j.at(p.w.x, p.w.dx)
	dpix := make([]float32, p.w.dx.Len())
	p.w.Download(dpix, p.w.dx)
	p.levels.gradient(p.host, dpix)
	p.w.Upload(p.grad, p.host)
	return losses
}

// picture is the result so far, in [0,1].
func (p *painter) picture() []float32 {
	result := p.params
	if p.adam != nil {
		result = p.adam.result()
	}
	pix := make([]float32, result.Len())
	p.w.Download(pix, result)
	if p.pyramidal() {
		pix = p.levels.join(pix)
	}
	clamp01(pix)
	return pix
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
// anew: the margin has the same width at every scale.
func (p *painter) receive(s *moments) {
	if s == nil || p.adam == nil || len(s.levels.sizes) != len(p.levels.sizes) {
		return
	}
	n := p.params.Len()
	m, v := make([]float32, 0, n), make([]float32, 0, n)
	for i, to := range p.levels.sizes {
		margin := p.margin >> i
		from, to := s.levels.sizes[i].grow(-margin), to.grow(-margin)
		fit := func(of []float32, k kernel) []float32 {
			inner := crop(s.levels.level(of, i), 3, from, margin)
			return mirror(resize(inner, 3, from.w, from.h, to.w, to.h, k), 3, to, margin)
		}
		m = append(m, fit(s.m, bicubic)...)
		v = append(v, fit(s.v, bilinear)...) // stays ≥ 0
	}
	p.w.Upload(p.adam.m, m)
	p.w.Upload(p.adam.v, v)
	p.adam.step.T = s.t
}
