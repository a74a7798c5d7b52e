package flow

// densifying is what makes the flow of every pixel from that of the patches.
type densifying struct {
	s         *searching
	u, v, sum *plane // sum: of weights, scratch
}

// densify averages, at the pixels of rows y0 … y1−1, the flow of the patches that
// cover them, each weighted by 1/max(1, |d|), d being how the luma differs there
// (Kroeger et al. 2016, eq. 3).
func (goKernels) densify(d *densifying, y0, y1 int) {
	s, g := d.s, &d.s.g
	for y := y0; y < y1; y++ {
		clear(d.u.row(y))
		clear(d.v.row(y))
		clear(d.sum.row(y))
	}
	for j := range g.rows {
		y := g.at(j, s.from.luma.h)
		top, bottom := max(y, y0), min(y+patch, y1)
		if top >= bottom {
			continue
		}
		for i := range g.cols {
			d.add(g.at(i, s.from.luma.w), y, g.u[j*g.cols+i], g.v[j*g.cols+i], top, bottom)
		}
	}
	for y := y0; y < y1; y++ {
		u, v, sum := d.u.row(y), d.v.row(y), d.sum.row(y)
		for x := range u {
			u[x], v[x] = u[x]/sum[x], v[x]/sum[x]
		}
	}
}

// add adds the rows top … bottom−1 of the patch at (x, y).
func (d *densifying) add(x, y int, u, v float32, top, bottom int) {
	from, to := &d.s.from.luma, &d.s.to.luma
	at, a, b := target(d.s.to, x, y, u, v)
	at += (top - y) * to.stride
	for r := top; r < bottom; r, at = r+1, at+to.stride {
		t := from.data[from.at(x, r):]
		q0, q1 := to.data[at:at+patch+1], to.data[at+to.stride:][:patch+1]
		i := d.u.at(x, r)
		du, dv, ds := d.u.data[i:i+patch], d.v.data[i:i+patch], d.sum.data[i:i+patch]
		for k := range patch {
			up := q0[k] + a*(q0[k+1]-q0[k])
			down := q1[k] + a*(q1[k+1]-q1[k])
			w := 1 / max(1, abs(up+b*(down-up)-t[k]))
			du[k] += w * u
			dv[k] += w * v
			ds[k] += w
		}
	}
}

func abs(x float32) float32 { return max(x, -x) }
