package flow

// system is the linear system of a fixed point, at each pixel
//
//	(a11 + Σw) u + a12 v − Σ w u' = b1
//	a12 u + (a22 + Σw) v − Σ w v' = b2
//
// over the four neighbours (u', v'), w being the weight of the edge between. It is
// stored by the colours of a chequerboard: sample j of row y of colour c is pixel
// x = 2j + (y+c)%2. Its neighbours in the row are samples j−1+(y+c)%2 and
// j+(y+c)%2 of the other colour, those above and below samples j.
type system struct {
	w, h, stride          int
	u, v                  [2][]float32
	d11, d22, a12, b1, b2 [2][]float32 // d11, d22: 1/(a11+Σw), 1/(a22+Σw)
	right, below          [2][]float32 // weights
}

func newSystem(w, h int) system {
	s := system{w: w, h: h, stride: systemStride(w)}
	for _, p := range [...]*[2][]float32{&s.u, &s.v, &s.d11, &s.d22, &s.a12, &s.b1, &s.b2, &s.right, &s.below} {
		for c := range p {
			p[c] = make([]float32, (h+2)*s.stride)
		}
	}
	return s
}

func systemStride(w int) int { return ((w+1)/2+7)/8*8 + 16 }

// at is the index of sample j of row y; rows −1 and h, and 8 samples on either
// side of a row, are zeros.
func (s *system) at(j, y int) int { return (y+1)*s.stride + 8 + j }

// half is how many samples a colour's row has, at most.
func (s *system) half() int { return (s.w + 1) / 2 }

// load takes the flow that r starts at.
func (goKernels) load(r *refining, y0, y1 int) {
	s := &r.system
	for y := y0; y < y1; y++ {
		u, v := r.u.row(y), r.v.row(y)
		for x := range u {
			c, i := (x+y)&1, s.at(x/2, y)
			s.u[c][i], s.v[c][i] = u[x], v[x]
		}
		r.u.extendRow(y, 1)
		r.v.extendRow(y, 1)
	}
}

// store gives r the flow as solved.
func (goKernels) store(r *refining, y0, y1 int) {
	s := &r.system
	for y := y0; y < y1; y++ {
		u, v := r.u.row(y), r.v.row(y)
		for x := range u {
			c, i := (x+y)&1, s.at(x/2, y)
			u[x], v[x] = s.u[c][i], s.v[c][i]
		}
		r.u.extendRow(y, 1)
		r.v.extendRow(y, 1)
	}
}

const relaxation = 1.8

// relax does rows y0 … y1−1 of one colour of a step of successive over-relaxation.
func (goKernels) relax(s *system, c, y0, y1 int) {
	n := 1 - c
	for y := y0; y < y1; y++ {
		o := (y + c) & 1
		at, half := s.at(0, y), s.half()
		row := func(p []float32, step int) []float32 { return p[at+step:][:half] }
		u, v, d11, d22, a12 := row(s.u[c], 0), row(s.v[c], 0), row(s.d11[c], 0), row(s.d22[c], 0), row(s.a12[c], 0)
		b1, b2 := row(s.b1[c], 0), row(s.b2[c], 0)
		wl, wr, wu, wd := row(s.right[n], o-1), row(s.right[c], 0), row(s.below[n], -s.stride), row(s.below[c], 0)
		ul, ur, uu, ud := row(s.u[n], o-1), row(s.u[n], o), row(s.u[n], -s.stride), row(s.u[n], s.stride)
		vl, vr, vu, vd := row(s.v[n], o-1), row(s.v[n], o), row(s.v[n], -s.stride), row(s.v[n], s.stride)
		for j := range half {
			su := wl[j]*ul[j] + wr[j]*ur[j] + wu[j]*uu[j] + wd[j]*ud[j]
			sv := wl[j]*vl[j] + wr[j]*vr[j] + wu[j]*vu[j] + wd[j]*vd[j]
			u[j] += relaxation * (d11[j]*(b1[j]-a12[j]*v[j]+su) - u[j])
			v[j] += relaxation * (d22[j]*(b2[j]-a12[j]*u[j]+sv) - v[j])
		}
	}
}
