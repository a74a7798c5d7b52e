package filter

import "nstfilter/filter/engine"

// painter minimises J over the parameters of a picture: its pixels or their Laplacian
// pyramid, by Adam or L-BFGS.
type painter struct {
	w      *workspace
	j      *objective
	levels *pyramid // one level: the parameters are the pixels

	params, grad          engine.Vector
	levelParams, gradient []engine.Vector // views of params and grad by level; gradient[0] is dJ/dx
	margin                int             // around the picture, in pixels
	adam                  *adam           // nil with L-BFGS
	lbfgs                 *lbfgs          // nil with Adam
	last                  Losses          // as read latest
}

// newPainter returns a painter that starts from the picture pix.
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
	p.levelParams, p.gradient = p.levels.views(w, p.params), p.levels.views(w, p.grad)
	p.levels.split(w.threads, w, p.levelParams, pix)
	if st.lbfgs {
		p.lbfgs = newLBFGS(w, p.params, p.grad, st.pairs(), st.first)
	} else {
		p.adam = newAdam(w, p.params, p.grad, o)
	}
	return p
}

func (p *painter) pyramidal() bool { return len(p.levels.sizes) > 1 }

// step makes one optimiser step; done is the share of the stage's steps already made. It
// returns false if J cannot be lowered any more. Adam does not need the value of J: unless
// read is set, its losses are those read last.
func (p *painter) step(done float64, read bool) (Losses, bool) {
	if p.lbfgs != nil {
		return p.lbfgs.advance(func() Losses { return p.evaluate(true) })
	}
	return p.adam.advance(func() Losses { return p.evaluate(read) }, done), true
}

// evaluate computes the gradient at the parameters and returns J, as read latest unless read
// is set.
func (p *painter) evaluate(read bool) Losses {
	if p.pyramidal() {
		p.levels.join(p.w, p.w.x, p.levelParams, p.gradient)
	}
	p.j.at(p.gradient[0])
	if read {
		p.last = p.j.losses()
	}
	p.levels.gradient(p.w, p.gradient)
	return p.last
}

// weigh multiplies the weights of J from the next step on.
func (p *painter) weigh(by Factors) {
	p.j.weigh(by)
	if p.lbfgs != nil {
		p.lbfgs.restart()
	}
}

// picture returns the result so far, clipped to [0,1]. The next step is as it would be without
// it. For a pyramid it overwrites w.x.
func (p *painter) picture() []float32 {
	result, scratch := p.params, p.gradient // which Adam computes anew
	if p.adam != nil {
		result = p.adam.result()
	}
	if p.pyramidal() {
		if p.lbfgs != nil {
			scratch = p.levels.views(p.w, p.lbfgs.d)
		}
		p.levels.join(p.w, p.w.x, p.levels.views(p.w, result), scratch)
		result = p.w.x
	}
	pix := make([]float32, result.Len())
	p.w.Download(pix, result)
	clamp01(p.w.threads, pix)
	return pix
}

// finalLosses evaluates J at a finished picture, with the losses of each layer.
func (p *painter) finalLosses(pix []float32) Losses {
	p.w.Upload(p.w.x, pix)
	p.j.at(p.gradient[0])
	losses := p.j.losses()
	losses.Layers = p.j.byLayer()
	return losses
}

// adamState is Adam's state, which the next scale continues from.
type adamState struct {
	levels *pyramid
	m, v   []float32
	t      int
}

// adamState returns nil with L-BFGS.
func (p *painter) adamState() *adamState {
	if p.adam == nil {
		return nil
	}
	n := p.params.Len()
	s := &adamState{levels: p.levels, m: make([]float32, n), v: make([]float32, n), t: p.adam.step.T}
	p.w.Download(s.m, p.adam.m)
	p.w.Download(s.v, p.adam.v)
	return s
}

// resumeAdam continues from the state of another scale: it resizes the moments level by level
// and mirrors them again, because the margin has the same width at every scale. With a mask
// m is resized with v's non-negative kernel, so that |m| < 2.4·√v stays true beside masked
// pixels, where v is 0 (Cauchy–Schwarz).
func (p *painter) resumeAdam(s *adamState, masked bool) {
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
