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
	a11, a12, a22, b1, b2 [2][]float32 // a11, a22: once prepared, 1/(a+Σw)
	right, below          [2][]float32 // weights
}

func newSystem(w, h int) system {
	s := system{w: w, h: h, stride: systemStride(w)}
	for _, p := range [...]*[2][]float32{&s.u, &s.v, &s.a11, &s.a12, &s.a22, &s.b1, &s.b2, &s.right, &s.below} {
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

func (s *system) set(x, y int, a11, a12, a22, b1, b2, right, below float32) {
	c, i := (x+y)&1, s.at(x/2, y)
	s.a11[c][i], s.a12[c][i], s.a22[c][i], s.b1[c][i], s.b2[c][i] = a11, a12, a22, b1, b2
	s.right[c][i], s.below[c][i] = right, below
}

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

// prepare turns a11 and a22 into 1/(a+Σw).
func (goKernels) prepare(s *system, y0, y1 int) {
	for y := y0; y < y1; y++ {
		for c := range 2 {
			o := (y + c) & 1
			for j := range s.half() {
				i := s.at(j, y)
				w := s.right[c][i] + s.below[c][i] + s.right[1-c][i+o-1] + s.below[1-c][i-s.stride]
				if 2*j+o >= s.w {
					continue
				}
				s.a11[c][i] = 1 / (s.a11[c][i] + w + tiny)
				s.a22[c][i] = 1 / (s.a22[c][i] + w + tiny)
			}
		}
	}
}

// tiny keeps a picture of one pixel from dividing by nothing.
const tiny = 1e-12

const relaxation = 1.8

// relax does rows y0 … y1−1 of one colour of a step of successive over-relaxation.
func (goKernels) relax(s *system, c, y0, y1 int) {
	for y := y0; y < y1; y++ {
		o := (y + c) & 1
		for j := range s.half() {
			i := s.at(j, y)
			l, r, up, down := i+o-1, i+o, i-s.stride, i+s.stride
			wl, wr, wu, wd := s.right[1-c][l], s.right[c][i], s.below[1-c][up], s.below[c][i]
			n := 1 - c
			su := wl*s.u[n][l] + wr*s.u[n][r] + wu*s.u[n][up] + wd*s.u[n][down]
			sv := wl*s.v[n][l] + wr*s.v[n][r] + wu*s.v[n][up] + wd*s.v[n][down]
			u, v := s.u[c][i], s.v[c][i]
			u += relaxation * (s.a11[c][i]*(s.b1[c][i]-s.a12[c][i]*v+su) - u)
			v += relaxation * (s.a22[c][i]*(s.b2[c][i]-s.a12[c][i]*u+sv) - v)
			s.u[c][i], s.v[c][i] = u, v
		}
	}
}
