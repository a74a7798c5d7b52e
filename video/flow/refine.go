package flow

import "math"

// refining is the variational refinement of a flow (u, v) from one level to
// another: fixed points of the energy of Brox et al. 2004,
//
//	Σ δ Ψ(|I'+∇I·d|²/(|∇I|²+ζ²)) + γ Ψ(the same of ∂xI and ∂yI) + α Ψ(|∇u|²+|∇v|²),
//
// Ψ(s²) = √(s²+ε²), its constancy of brightness and gradients normalised as by
// Zimmer, Bruhn, Weickert (IJCV 2011), so that residuals are pixels. d is what is
// added to the flow that the search gave; I' is what differs when the second
// picture is moved by that flow, ∇I the mean of both pictures' gradients.
type refining struct {
	from, to            *level
	u, v                *plane // in and out; margins repeat the border
	u0, v0              plane  // as the search gave them
	delta, gamma, alpha float32

	mean, change plane      // (I0+I1w)/2 and I1w−I0
	gx, gy       plane      // gradient of mean
	rows         [3]dataRow // linearised, normalised residuals
	right, below plane      // smoothness between neighbours; margins are zeros
	system       system
}

// dataRow is x·du + y·dv + t, in pixels.
type dataRow struct{ x, y, t plane }

const (
	zeta    = 0.1   // luma per pixel
	epsilon = 0.001 // pixels
)

// move samples the second picture along the flow.
func (goKernels) move(r *refining, y0, y1 int) {
	for y := y0; y < y1; y++ {
		i0, mean, change := r.from.luma.row(y), r.mean.row(y), r.change.row(y)
		u, v := r.u.row(y), r.v.row(y)
		copy(r.u0.row(y), u)
		copy(r.v0.row(y), v)
		for x := range i0 {
			i1 := bilinear(&r.to.luma, float32(x)+u[x], float32(y)+v[x])
			mean[x], change[x] = (i0[x]+i1)/2, i1-i0[x]
		}
		r.mean.extendRow(y, 2)
		r.change.extendRow(y, 2)
	}
}

// bilinear samples p, whose border goes on outside.
func bilinear(p *plane, x, y float32) float32 {
	x = min(max(x, 0), float32(p.w-1))
	y = min(max(y, 0), float32(p.h-1))
	i, j := int(x), int(y)
	a, b := x-float32(i), y-float32(j)
	at := p.at(i, j)
	q := p.data[at : at+p.stride+2]
	top := q[0] + a*(q[1]-q[0])
	bottom := q[p.stride] + a*(q[p.stride+1]-q[p.stride])
	return top + b*(bottom-top)
}

// across and down are derivatives by [1 −8 0 8 −1]/12.
func across(p *plane, x, y int) float32 {
	q := p.data[p.at(x-2, y):]
	return (8*(q[3]-q[1]) - (q[4] - q[0])) / 12
}

func down(p *plane, x, y int) float32 {
	at := func(i int) float32 { return p.data[p.at(x, clamp(y+i, p.h))] }
	return (8*(at(1)-at(-1)) - (at(2) - at(-2))) / 12
}

// linearise1 does the constancy of brightness.
func (goKernels) linearise1(r *refining, y0, y1 int) {
	d := &r.rows[0]
	for y := y0; y < y1; y++ {
		gx, gy, change := r.gx.row(y), r.gy.row(y), r.change.row(y)
		dx, dy, dt := d.x.row(y), d.y.row(y), d.t.row(y)
		for x := range gx {
			gx[x], gy[x] = across(&r.mean, x, y), down(&r.mean, x, y)
			n := normaliser(gx[x], gy[x])
			dx[x], dy[x], dt[x] = n*gx[x], n*gy[x], n*change[x]
		}
		r.gx.extendRow(y, 2)
		r.gy.extendRow(y, 2)
	}
}

// linearise2 does the constancy of both derivatives.
func (goKernels) linearise2(r *refining, y0, y1 int) {
	d, e := &r.rows[1], &r.rows[2]
	for y := y0; y < y1; y++ {
		dx, dy, dt := d.x.row(y), d.y.row(y), d.t.row(y)
		ex, ey, et := e.x.row(y), e.y.row(y), e.t.row(y)
		for x := range dx {
			xx, xy, yy := across(&r.gx, x, y), across(&r.gy, x, y), down(&r.gy, x, y)
			n := normaliser(xx, xy)
			dx[x], dy[x], dt[x] = n*xx, n*xy, n*across(&r.change, x, y)
			n = normaliser(xy, yy)
			ex[x], ey[x], et[x] = n*xy, n*yy, n*down(&r.change, x, y)
		}
	}
}

func normaliser(x, y float32) float32 { return 1 / sqrt(x*x+y*y+zeta*zeta) }

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// slope is Ψ'(s²), times 2.
func slope(squares float32) float32 { return 1 / sqrt(squares+epsilon*epsilon) }

// weigh takes αΨ' of the smoothness between each pixel and its neighbours on the
// right and below, at the flow as it is.
func (goKernels) weigh(r *refining, y0, y1 int) {
	w, h := r.u.w, r.u.h
	for y := y0; y < y1; y++ {
		rightRow, belowRow := r.right.row(y), r.below.row(y)
		at, up, down := r.u.at(0, y), r.u.at(0, max(y-1, 0)), r.u.at(0, min(y+1, h-1))
		for x := range w {
			var across, along, downwards, beside float32
			for _, p := range [2][]float32{r.u.data, r.v.data} {
				row, above, under := p[at+x-1:at+x+2], p[up+x-1:up+x+2], p[down+x-1:down+x+2]
				a := row[2] - row[1]
				b := (under[1] - above[1] + under[2] - above[2]) / 4
				across += a * a
				along += b * b
				a = under[1] - row[1]
				b = (row[2] - row[0] + under[2] - under[0]) / 4
				downwards += a * a
				beside += b * b
			}
			rightRow[x], belowRow[x] = r.alpha*slope(across+along), r.alpha*slope(downwards+beside)
		}
		rightRow[w-1] = 0
		if y == h-1 {
			clear(belowRow)
		}
	}
}

// assemble makes the system of a fixed point: Ψ' taken at the flow as it is, and
// the flow itself, not d, as what is unknown.
func (goKernels) assemble(r *refining, y0, y1 int) {
	s := &r.system
	for y := y0; y < y1; y++ {
		u, v, u0, v0 := r.u.row(y), r.v.row(y), r.u0.row(y), r.v0.row(y)
		for x := range u {
			var a11, a12, a22, b1, b2 float32
			du, dv := u[x]-u0[x], v[x]-v0[x]
			at := r.gx.at(x, y)
			var residual, t [3]float32
			for k := range r.rows {
				d := &r.rows[k]
				t[k] = d.t.data[at] - d.x.data[at]*u0[x] - d.y.data[at]*v0[x]
				residual[k] = d.x.data[at]*du + d.y.data[at]*dv + d.t.data[at]
			}
			brightness := r.delta * slope(residual[0]*residual[0])
			gradient := r.gamma * slope(residual[1]*residual[1]+residual[2]*residual[2])
			for k, psi := range [3]float32{brightness, gradient, gradient} {
				dx, dy := r.rows[k].x.data[at], r.rows[k].y.data[at]
				a11 += psi * dx * dx
				a12 += psi * dx * dy
				a22 += psi * dy * dy
				b1 -= psi * dx * t[k]
				b2 -= psi * dy * t[k]
			}
			right, below := r.right.data[at], r.below.data[at]
			sum := right + below + r.right.data[at-1] + r.below.data[at-r.below.stride] + tiny
			c, i := (x+y)&1, s.at(x/2, y)
			s.d11[c][i], s.d22[c][i], s.a12[c][i] = 1/(a11+sum), 1/(a22+sum), a12
			s.b1[c][i], s.b2[c][i] = b1, b2
			s.right[c][i], s.below[c][i] = right, below
		}
	}
}

// tiny keeps a picture of one pixel from dividing by nothing.
const tiny = 1e-12

func newRefining(u, v *plane, p Preset) *refining {
	plane := func() plane { return newPlane(u.w, u.h) }
	r := &refining{u: u, v: v, u0: plane(), v0: plane(), delta: p.Delta, gamma: p.Gamma, alpha: p.Alpha,
		mean: plane(), change: plane(), gx: plane(), gy: plane(), right: plane(), below: plane(), system: newSystem(u.w, u.h)}
	for i := range r.rows {
		r.rows[i] = dataRow{plane(), plane(), plane()}
	}
	return r
}
