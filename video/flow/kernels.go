package flow

// kernels are the loops that take the time, each for some rows y0 … y1−1 or one
// stripe. goKernels defines what they do.
type kernels interface {
	luma(dst *plane, pix []float32, y0, y1 int)
	halve(dst, src *plane, y0, y1 int)
	differentiate(l *level, y0, y1 int)
	grow(dst []float32, stride, w int, src *plane, y0, y1 int)
	search(s *searching, stripe int)
	densify(d *densifying, y0, y1 int)
	move(r *refining, y0, y1 int)
	linearise1(r *refining, y0, y1 int)
	linearise2(r *refining, y0, y1 int)
	load(r *refining, y0, y1 int)
	weigh(r *refining, y0, y1 int)
	assemble(r *refining, y0, y1 int)
	relax(s *system, c, y0, y1 int)
	store(r *refining, y0, y1 int)
	filterAcross(c *plane, p *pole, y0, y1 int)
	filterDown(c *plane, p *pole, x0, x1 int)
	warp(m *warping, y0, y1 int)
	boxAcross(dst, src []float32, w, r int)
	boxDown(dst, src []float32, w, r, x0, x1 int)
}

// goKernels are in Go.
type goKernels struct{}
