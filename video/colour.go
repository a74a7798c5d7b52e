package video

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"nstfilter/filter"
)

// coefficients of one layout, for samples as stored:
//
//	R = y·(Y−y0)             + rv·(Cr−c0)
//	G = y·(Y−y0) + gu·(Cb−c0) + gv·(Cr−c0)
//	B = y·(Y−y0) + bu·(Cb−c0)
type coefficients struct {
	y0, c0, y, c       float32 // c: scale of chroma to [−½,½]
	rv, gu, gv, bu     float32
	kr, kg, kb         float32 // Y' = kr·R' + kg·G' + kb·B'
	yLow, yHigh        int32   // legal samples
	chromaLow, chromaH int32
}

func (l *Layout) coefficients() coefficients {
	var c coefficients
	n := l.Format.Depth
	top := int32(1)<<n - 1
	m := l.Matrix
	if m == (Matrix{}) { // gray knows none, and any will do
		m = BT601
	}
	kg := 1 - m.Kr - m.Kb
	y, cs := 1/float64(top), 1/float64(top)
	c.c0 = float32(int32(1) << (n - 1))
	c.yHigh, c.chromaH = top, top
	if !l.Full && l.Format.Sampling != RGB { // BT.601-7 section 2.5.3, BT.709-6 section 4.6
		step := int32(1) << (n - 8)
		y, cs = 1/float64(219*step), 1/float64(224*step)
		c.y0 = float32(16 * step)
		c.yLow, c.yHigh = 16*step, 235*step
		c.chromaLow, c.chromaH = 16*step, 240*step
	}
	c.y, c.c = float32(y), float32(cs)
	c.rv = float32(2 * (1 - m.Kr) * cs)
	c.bu = float32(2 * (1 - m.Kb) * cs)
	c.gu = float32(-2 * (1 - m.Kb) * m.Kb / kg * cs)
	c.gv = float32(-2 * (1 - m.Kr) * m.Kr / kg * cs)
	c.kr, c.kg, c.kb = float32(m.Kr), float32(kg), float32(m.Kb)
	return c
}

// Frame converts n to RGB and alpha; the frame keeps n as its Origin.
func (n *Native) Frame() *filter.Frame {
	f := filter.NewFrame(n.W, n.H)
	n.rgb(f.Pix)
	if n.Format.Alpha {
		f.Alpha = make([]float32, n.W*n.H)
		bands(n.H, func(from, to int) {
			for y := from; y < to; y++ {
				n.alphaRow(f.Alpha[y*n.W:(y+1)*n.W], y)
			}
		})
	}
	f.Origin = n
	return f
}

// rgb writes planes R, G, B of H rows of W, clamped to [0,1].
func (n *Native) rgb(dst []float32) {
	c := n.coefficients()
	size := n.W * n.H
	bands(n.H, func(from, to int) {
		s := newScratch(n.W)
		for y := from; y < to; y++ {
			at := y * n.W
			n.row(&c, s, y, dst[at:at+n.W], dst[size+at:size+at+n.W], dst[2*size+at:2*size+at+n.W])
		}
	})
}

// encode writes f into dst (FrameBytes long) by layout l: the samples of base, of
// the same layout, plus what the change from base to f comes to.
func (base *Native) encode(dst []byte, f *filter.Frame) {
	if f.W != base.W || f.H != base.H || len(f.Pix) != 3*f.W*f.H {
		panic(fmt.Sprintf("video: a %d×%d frame of %d samples for %d×%d", f.W, f.H, len(f.Pix), base.W, base.H))
	}
	c := base.coefficients()
	w, h, size := base.W, base.H, base.W*base.H
	cw, ch := base.Format.chroma(w, h)
	rows := ch // a band is of chroma rows, so that each has one writer
	if rows == 0 {
		rows = h
	}
	step := 1
	if base.Format.Sampling == S420 {
		step = 2
	}
	top := float32(int32(1)<<base.Format.Depth - 1)
	bands(rows, func(from, to int) {
		s, d := newScratch(w), newDifference(w, cw)
		for j := from; j < to; j++ {
			clear(d.sumB)
			clear(d.sumR)
			for k := -1; k < step; k++ {
				weight := base.rowWeight(k)
				if weight == 0 {
					continue
				}
				y := min(max(j*step+k, 0), h-1)
				at := y * w
				base.row(&c, s, y, d.r, d.g, d.b)
				d.subtractFrom(f.Pix[at:at+w], f.Pix[size+at:size+at+w], f.Pix[2*size+at:2*size+at+w])
				own := k >= 0 && j*step+k < h
				if own && base.Format.Alpha {
					base.alphaRow(d.alpha, y)
					d.subtractAlpha(f.Alpha, at)
					base.addRow(dst, alphaPlane, y, d.alpha, top, 0, int32(top))
				}
				switch base.Format.Sampling {
				case RGB:
					for i, p := range [][]float32{d.g, d.b, d.r} {
						base.addRow(dst, i, y, p, 1/c.y, c.yLow, c.yHigh)
					}
					continue
				case Mono:
					d.luma(&c)
					base.addRow(dst, 0, y, d.g, 1/c.y, c.yLow, c.yHigh)
					continue
				}
				d.luma(&c)
				if own {
					base.addRow(dst, 0, y, d.g, 1/c.y, c.yLow, c.yHigh)
				}
				d.accumulate(base.Format.Sampling, base.Siting, weight)
			}
			if cw > 0 && base.Format.Sampling != RGB {
				base.addRow(dst, 1, j, d.sumB, 1/c.c, c.chromaLow, c.chromaH)
				base.addRow(dst, 2, j, d.sumR, 1/c.c, c.chromaLow, c.chromaH)
			}
		}
	})
}

// rowWeight is the share of luma row 2j+k in chroma row j.
func (l *Layout) rowWeight(k int) float32 {
	switch {
	case l.Format.Sampling != S420:
		return [...]float32{0, 1}[k+1]
	case l.Siting == TopLeft:
		return [...]float32{0.25, 0.5, 0.25}[k+1]
	}
	return [...]float32{0, 0.5, 0.5}[k+1]
}

// difference is one row of the change in RGB, then in Y, Cb, Cr.
type difference struct {
	r, g, b    []float32 // W; after luma: Cr, Y, Cb
	alpha      []float32 // W
	sumB, sumR []float32 // chroma row
}

func newDifference(w, cw int) *difference {
	m := make([]float32, 4*w+2*cw)
	return &difference{m[:w], m[w : 2*w], m[2*w : 3*w], m[3*w : 4*w], m[4*w : 4*w+cw], m[4*w+cw:]}
}

// subtractAlpha turns a row into the change to that of alpha from at on; nil is
// opaque.
func (d *difference) subtractAlpha(alpha []float32, at int) {
	for x, v := range d.alpha {
		own := float32(1)
		if alpha != nil {
			own = unit(alpha[at+x])
		}
		d.alpha[x] = own - v
	}
}

// subtractFrom turns a row into the change to r, g, b, taken as in [0,1].
func (d *difference) subtractFrom(r, g, b []float32) {
	for i, rows := range [3][]float32{r, g, b} {
		own := [3][]float32{d.r, d.g, d.b}[i]
		rows = rows[:len(own)]
		for x := range own {
			own[x] = unit(rows[x]) - own[x]
		}
	}
}

// luma turns the change in RGB into that in Y', Cb, Cr.
func (d *difference) luma(c *coefficients) {
	toB, toR := 1/(2*(1-c.kb)), 1/(2*(1-c.kr))
	r, g, b := d.r, d.g[:len(d.r)], d.b[:len(d.r)]
	for x := range r {
		y := c.kr*r[x] + c.kg*g[x] + c.kb*b[x]
		g[x], b[x], r[x] = y, (b[x]-y)*toB, (r[x]-y)*toR
	}
}

// accumulate adds the row, averaged down to the chroma grid.
func (d *difference) accumulate(sampling Sampling, siting Siting, weight float32) {
	for i, sum := range [2][]float32{d.sumB, d.sumR} {
		row := [2][]float32{d.b, d.r}[i]
		last := len(row) - 1
		switch {
		case sampling == S444:
			for x, v := range row {
				sum[x] += weight * v
			}
		case siting == Centre:
			for j := range sum {
				sum[j] += weight * 0.5 * (row[2*j] + row[min(2*j+1, last)])
			}
		default: // on the left column
			for j := range sum {
				sum[j] += weight * (0.25*(row[max(2*j-1, 0)]+row[min(2*j+1, last)]) + 0.5*row[2*j])
			}
		}
	}
}

// addRow writes row y of a plane: native + round(change·scale), within the legal
// samples or, where the native sample is beyond them, no further out than it.
func (n *Native) addRow(dst []byte, plane, y int, change []float32, scale float32, low, high int32) {
	from, w, _ := n.plane(n.Data, plane)
	to, _, _ := n.plane(dst, plane)
	if n.Format.Depth == 8 {
		from, to = from[y*w:y*w+w], to[y*w:y*w+w]
		for x, v := range from {
			to[x] = byte(added(int32(v), change[x]*scale, low, high))
		}
		return
	}
	from, to = from[2*y*w:2*(y*w+w)], to[2*y*w:2*(y*w+w)]
	for x := range change[:w] {
		v := added(int32(from[2*x])|int32(from[2*x+1])<<8, change[x]*scale, low, high)
		to[2*x], to[2*x+1] = byte(v), byte(v>>8)
	}
}

func added(v int32, change float32, low, high int32) int32 {
	half := float32(0.5)
	if change < 0 {
		half = -0.5
	}
	return min(max(v+int32(change+half), min(v, low)), max(v, high))
}

// scratch is the working memory of row.
type scratch struct{ u, v, half []float32 }

func newScratch(w int) *scratch {
	m := make([]float32, 3*w)
	return &scratch{m[:w], m[w : 2*w], m[2*w:]}
}

// row converts row y to r, g, b. Reader and writer both go through it, so a frame
// that was not painted differs by exactly 0.
func (n *Native) row(c *coefficients, s *scratch, y int, r, g, b []float32) {
	w := n.W
	switch n.Format.Sampling {
	case RGB:
		for i, dst := range [][]float32{g, b, r} {
			n.load(dst, i, y)
			for x := range dst {
				dst[x] *= c.y
			}
		}
		return
	case Mono:
		n.load(g, 0, y)
		for x, v := range g {
			v = unit((v - c.y0) * c.y)
			r[x], g[x], b[x] = v, v, v
		}
		return
	}
	n.load(r, 0, y)
	n.chromaRow(s.u, s.half, 1, y)
	n.chromaRow(s.v, s.half, 2, y)
	u, v, k := s.u[:w], s.v[:w], *c
	r, g, b = r[:w], g[:w], b[:w]
	for x := range r {
		luma, cb, cr := (r[x]-k.y0)*k.y, u[x]-k.c0, v[x]-k.c0
		r[x] = unit(luma + k.rv*cr)
		g[x] = unit(luma + k.gu*cb + k.gv*cr)
		b[x] = unit(luma + k.bu*cb)
	}
}

// alphaRow reads row y of alpha in [0,1].
func (n *Native) alphaRow(dst []float32, y int) {
	n.load(dst, alphaPlane, y)
	scale := 1 / float32(int32(1)<<n.Format.Depth-1)
	for x := range dst {
		dst[x] *= scale
	}
}

// chromaRow interpolates a chroma plane linearly at luma row y; half is scratch.
func (n *Native) chromaRow(dst, half []float32, plane, y int) {
	if n.Format.Sampling == S444 {
		n.load(dst, plane, y)
		return
	}
	cw, ch := n.Format.chroma(n.W, n.H)
	src := half[:cw]
	if n.Format.Sampling == S422 {
		n.load(src, plane, y)
	} else {
		j := y / 2
		other, near := j, float32(1) // luma row 2j lies on chroma row j
		switch odd := y%2 == 1; {
		case n.Siting == TopLeft && odd:
			other, near = j+1, 0.5
		case n.Siting != TopLeft && odd: // chroma row j lies at 2j+½
			other, near = j+1, 0.75
		case n.Siting != TopLeft:
			other, near = j-1, 0.75
		}
		n.load(src, plane, j)
		if other = min(max(other, 0), ch-1); other != j {
			second := dst[:cw]
			n.load(second, plane, other)
			for x := range src {
				src[x] = near*src[x] + (1-near)*second[x]
			}
		}
	}
	w := n.W
	if n.Siting == Centre { // chroma column j lies at 2j+½
		dst[0] = src[0]
		for j := 0; j+1 < cw; j++ {
			a, b := src[j], src[j+1]
			dst[2*j+1] = 0.75*a + 0.25*b
			dst[2*j+2] = 0.25*a + 0.75*b
		}
	} else {
		for j := 0; j+1 < cw; j++ {
			a, b := src[j], src[j+1]
			dst[2*j] = a
			dst[2*j+1] = 0.5 * (a + b)
		}
		dst[2*(cw-1)] = src[cw-1]
	}
	dst[w-1] = src[cw-1] // beyond the last sample, or odd and on it
	if w%2 == 1 && n.Siting == Centre && cw > 1 {
		dst[w-1] = 0.25*src[cw-2] + 0.75*src[cw-1]
	}
}

// load reads row y of a plane as it is stored.
func (n *Native) load(dst []float32, plane, y int) {
	p, w, _ := n.plane(n.Data, plane)
	dst = dst[:w]
	if n.Format.Depth == 8 {
		for x, v := range p[y*w : y*w+w] {
			dst[x] = float32(v)
		}
		return
	}
	p = p[2*y*w : 2*(y*w+w)]
	for x := range dst {
		dst[x] = float32(uint16(p[2*x]) | uint16(p[2*x+1])<<8)
	}
}

// unit clamps to [0,1]; NaN becomes 0. Floats of one sign are in the order of their
// bits, and integers are clamped without a branch.
func unit(v float32) float32 {
	const one, infinity = 0x3f800000, 0x7f800000
	i := int32(math.Float32bits(v))
	if i > infinity {
		i = 0
	}
	return math.Float32frombits(uint32(min(max(i, 0), one)))
}

// bands runs do over [0,n) in one band per processor.
func bands(n int, do func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() { do(i*n/workers, (i+1)*n/workers) })
	}
	wait.Wait()
}

// black returns a black frame of layout l, transparent if it has alpha.
func (l Layout) black() *Native {
	n := &Native{Layout: l, Data: make([]byte, l.Format.FrameBytes(l.W, l.H))}
	c := l.coefficients()
	for i := range l.Format.colours() {
		p, _, _ := l.plane(n.Data, i)
		v := int32(c.y0)
		if i > 0 && l.Format.Sampling != RGB {
			v = int32(c.c0)
		}
		for x := 0; x < len(p); x += l.Format.bytesPerSample() {
			p[x] = byte(v)
			if l.Format.Depth > 8 {
				p[x+1] = byte(v >> 8)
			}
		}
	}
	return n
}

// encoder writes frames of one layout.
type encoder struct {
	layout Layout
	black  *Native // base of frames that bring no native samples
	buf    []byte  // the last frame
}

// encode returns f's samples, valid until the next call: native + change where f
// was read in this very layout, else converted afresh.
func (e *encoder) encode(f *filter.Frame) ([]byte, error) {
	l := &e.layout
	if f.W != l.W || f.H != l.H {
		return nil, fmt.Errorf("frame %d is %d×%d in a stream of %d×%d", f.Index, f.W, f.H, l.W, l.H)
	}
	if e.buf == nil {
		e.buf = make([]byte, l.Format.FrameBytes(l.W, l.H))
	}
	base, ok := f.Origin.(*Native)
	if !ok || base.Format != l.Format || base.W != l.W || base.H != l.H {
		if e.black == nil {
			e.black = l.black()
		}
		base = e.black
	}
	base.encode(e.buf, f)
	return e.buf, nil
}
