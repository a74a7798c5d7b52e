package video

import (
	"fmt"

	"nstfilter/filter"
	"nstfilter/filter/parallel"
	"nstfilter/video/samples"
)

// rowKernels are the fastest loops of the conversion that the processor can run.
var rowKernels = samples.Fastest()

// coefficients convert the samples of one layout, as they are stored.
type coefficients struct {
	from               samples.FromYCC
	to                 samples.ToYCC
	y, c               float32 // scales of a change in Y, Cb and Cr
	yLow, yHigh        int32   // legal samples
	chromaLow, chromaH int32
	curves             *curves // nil: none
}

func (l *Layout) coefficients() coefficients {
	var c coefficients
	n := l.Format.Depth
	top := int32(1)<<n - 1
	m := l.Matrix
	if m == (Matrix{}) { // gray has no matrix, and any will do
		m = BT601
	}
	kg := 1 - m.Kr - m.Kb
	y, cs := 1/float64(top), 1/float64(top)
	c.from.C0 = float32(int32(1) << (n - 1))
	c.yHigh, c.chromaH = top, top
	if !l.Full && l.Format.Sampling != RGB { // BT.601-7 section 2.5.3, BT.709-6 section 4.6
		step := int32(1) << (n - 8)
		y, cs = 1/float64(219*step), 1/float64(224*step)
		c.from.Y0 = float32(16 * step)
		c.yLow, c.yHigh = 16*step, 235*step
		c.chromaLow, c.chromaH = 16*step, 240*step
	}
	c.curves = l.Transfer.curves()
	c.y, c.c = 1/float32(y), 1/float32(cs)
	c.from.Y = float32(y)
	c.from.RV = float32(2 * (1 - m.Kr) * cs)
	c.from.BU = float32(2 * (1 - m.Kb) * cs)
	c.from.GU = float32(-2 * (1 - m.Kb) * m.Kb / kg * cs)
	c.from.GV = float32(-2 * (1 - m.Kr) * m.Kr / kg * cs)
	c.to = samples.ToYCC{R: float32(m.Kr), G: float32(kg), B: float32(m.Kb), ToB: float32(1 / (2 * (1 - m.Kb))), ToR: float32(1 / (2 * (1 - m.Kr)))}
	return c
}

// Frame converts n to RGB and alpha; the frame keeps n as its Origin. It uses as many threads
// as runtime.GOMAXPROCS says.
func (n *Native) Frame() *filter.Frame {
	f := filter.NewFrame(n.W, n.H)
	n.RGB(f.Pix)
	if n.Format.Alpha {
		f.Alpha = make([]float32, n.W*n.H)
		parallel.Bands(0, n.H, func(from, to int) {
			for y := from; y < to; y++ {
				n.alphaRow(f.Alpha[y*n.W:(y+1)*n.W], y)
			}
		})
	}
	f.Origin = n
	return f
}

// RGB writes planes R, G, B of H rows of W, clamped to [0,1]. It uses as many threads as
// runtime.GOMAXPROCS says.
func (n *Native) RGB(dst []float32) {
	c := n.coefficients()
	size := n.W * n.H
	parallel.Bands(0, n.H, func(from, to int) {
		s := newScratch(n.W, &c)
		for y := from; y < to; y++ {
			at := y * n.W
			n.row(&c, s, y, dst[at:at+n.W], dst[size+at:size+at+n.W], dst[2*size+at:2*size+at+n.W])
		}
	})
}

// Bulk returns the samples, and a function that makes the same Native from them. Frames that
// wait on the disk (coherence.Spill) need not keep them in memory.
func (n *Native) Bulk() (data []byte, rebuild func([]byte) any) {
	rest := *n
	rest.Data = nil
	return n.Data, func(b []byte) any {
		m := rest
		m.Data = b
		return &m
	}
}

// encode writes f into dst, which has FrameBytes bytes, in base's layout: the samples of base
// plus the change from base to f.
func (base *Native) encode(dst []byte, f *filter.Frame) {
	if f.W != base.W || f.H != base.H || len(f.Pix) != 3*f.W*f.H {
		panic(fmt.Sprintf("video: a %d×%d frame of %d samples for %d×%d", f.W, f.H, len(f.Pix), base.W, base.H))
	}
	c := base.coefficients()
	w, h, size := base.W, base.H, base.W*base.H
	cw, ch := base.Format.chroma(w, h)
	groups := ch // bands consist of chroma rows, so that each row has one writer
	if groups == 0 {
		groups = h
	}
	step := 1
	if base.Format.Sampling == S420 {
		step = 2
	}
	top := float32(int32(1)<<base.Format.Depth - 1)
	parallel.Bands(0, groups, func(from, to int) {
		s, d := newScratch(w, &c), newDifference(w, cw)
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
				for i, own := range [3][]float32{d.r, d.g, d.b} {
					d.subtract(own, f.Pix[i*size+at:i*size+at+w], c.curves)
				}
				own := k >= 0 && j*step+k < h
				if own && base.Format.Alpha {
					base.alphaRow(d.alpha, y)
					rowKernels.Subtract(d.alpha, d.wanted(f.Alpha, at))
					base.addRow(dst, alphaPlane, y, d.alpha, top, 0, int32(top))
				}
				if base.Format.Sampling == RGB {
					for i, p := range [][]float32{d.g, d.b, d.r} {
						base.addRow(dst, i, y, p, c.y, c.yLow, c.yHigh)
					}
					continue
				}
				rowKernels.Luma(d.r, d.g, d.b, &c.to)
				if own {
					base.addRow(dst, 0, y, d.g, c.y, c.yLow, c.yHigh)
				}
				base.gather(d, weight)
			}
			if base.Format.Sampling < Mono {
				base.addRow(dst, 1, j, d.sumB, c.c, c.chromaLow, c.chromaH)
				base.addRow(dst, 2, j, d.sumR, c.c, c.chromaLow, c.chromaH)
			}
		}
	})
}

// rowWeight returns the share of luma row 2j+k in chroma row j.
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
	r, g, b    []float32 // W; after Luma: Cr, Y, Cb
	alpha, one []float32 // W
	native     []float32 // W
	sumB, sumR []float32 // chroma row
}

func newDifference(w, cw int) *difference {
	m := make([]float32, 6*w+2*cw)
	d := &difference{m[:w], m[w : 2*w], m[2*w : 3*w], m[3*w : 4*w], m[4*w : 5*w], m[5*w : 6*w], m[6*w : 6*w+cw], m[6*w+cw:]}
	for x := range d.one {
		d.one[x] = 1
	}
	return d
}

// subtract replaces own by the change from own to f. Both are a frame's samples; the change is
// in native samples.
func (d *difference) subtract(own, f []float32, c *curves) {
	if c != nil {
		clear(d.native)
		rowKernels.Subtract(d.native, f)
		rowKernels.Curve(d.native, &c.from)
		rowKernels.Curve(own, &c.from)
		f = d.native
	}
	rowKernels.Subtract(own, f)
}

// wanted returns the row of alpha that begins at index at. If alpha is nil, it is opaque.
func (d *difference) wanted(alpha []float32, at int) []float32 {
	if alpha == nil {
		return d.one
	}
	return alpha[at:]
}

// gather adds the change in Cb and Cr to their sums, averaged to the width of chroma.
func (l *Layout) gather(d *difference, weight float32) {
	for i, sum := range [2][]float32{d.sumB, d.sumR} {
		row := [2][]float32{d.b, d.r}[i]
		switch {
		case l.Format.Sampling == S444:
			copy(sum, row)
		case l.Format.Sampling == Mono:
		case l.Siting == Centre:
			rowKernels.AddCentred(sum, row, weight)
		default:
			rowKernels.AddCosited(sum, row, weight)
		}
	}
}

// addRow writes row y of a plane: native + round(change·scale). The result is legal, or, if
// the native sample is not, no further out than that one.
func (n *Native) addRow(dst []byte, plane, y int, change []float32, scale float32, low, high int32) {
	from, to := n.rowBytes(n.Data, plane, y), n.rowBytes(dst, plane, y)
	if n.Format.Depth == 8 {
		rowKernels.Add8(to, from, change, scale, low, high)
	} else {
		rowKernels.Add16(to, from, change, scale, low, high)
	}
}

// scratch is memory that row works in.
type scratch struct{ u, v, half []float32 }

func newScratch(w int, c *coefficients) *scratch {
	m := make([]float32, 3*w+1) // halves of an odd row are longer
	s := &scratch{m[:w], m[w : 2*w], m[2*w:]}
	for x := range s.u { // gray has no chroma
		s.u[x], s.v[x] = c.from.C0, c.from.C0
	}
	return s
}

// row converts row y to r, g, b. Reader and writer both use it, so the change of a frame that
// was not painted is exactly 0.
func (n *Native) row(c *coefficients, s *scratch, y int, r, g, b []float32) {
	if n.Format.Sampling == RGB {
		for i, dst := range [3][]float32{g, b, r} {
			n.load(dst, i, y, c.from.Y)
		}
	} else {
		n.load(r, 0, y, 1)
		if n.Format.Sampling != Mono {
			n.chromaRow(s.u, s.half, 1, y)
			n.chromaRow(s.v, s.half, 2, y)
		}
		rowKernels.RGB(r, g, b, s.u, s.v, &c.from)
	}
	if c.curves != nil {
		for _, dst := range [3][]float32{r, g, b} {
			rowKernels.Curve(dst, &c.curves.to)
		}
	}
}

// alphaRow reads row y of alpha in [0,1].
func (n *Native) alphaRow(dst []float32, y int) {
	n.load(dst, alphaPlane, y, 1/float32(int32(1)<<n.Format.Depth-1))
}

// chromaRow interpolates a chroma plane linearly at luma row y; half is scratch.
func (n *Native) chromaRow(dst, half []float32, plane, y int) {
	if n.Format.Sampling == S444 {
		n.load(dst, plane, y, 1)
		return
	}
	cw, ch := n.Format.chroma(n.W, n.H)
	j, other, near := y, y, float32(1)
	if n.Format.Sampling == S420 {
		j = y / 2
		other = j // luma row 2j lies on chroma row j
		switch odd := y%2 == 1; {
		case n.Siting == TopLeft && odd:
			other, near = j+1, 0.5
		case n.Siting != TopLeft && odd: // chroma row j lies at 2j+½
			other, near = j+1, 0.75
		case n.Siting != TopLeft:
			other, near = j-1, 0.75
		}
		other = min(max(other, 0), ch-1)
	}
	src := half[:cw]
	n.load(src, plane, j, 1)
	if other != j {
		mixed := half[cw : 2*cw]
		n.load(dst[:cw], plane, other, 1)
		rowKernels.Mix(mixed, src, dst[:cw], near)
		src = mixed
	}
	if n.Siting == Centre { // chroma column j lies at 2j+½
		rowKernels.Centred(dst, src)
	} else {
		rowKernels.Cosited(dst, src)
	}
}

// load reads row y of a plane, times scale.
func (n *Native) load(dst []float32, plane, y int, scale float32) {
	if n.Format.Depth == 8 {
		rowKernels.Load8(dst, n.rowBytes(n.Data, plane, y), scale)
	} else {
		rowKernels.Load16(dst, n.rowBytes(n.Data, plane, y), scale)
	}
}

// rowBytes returns row y of a plane.
func (l *Layout) rowBytes(data []byte, plane, y int) []byte {
	p, w, _ := l.plane(data, plane)
	w *= l.Format.bytesPerSample()
	return p[y*w : (y+1)*w]
}

// black returns a black frame of layout l. It is transparent if l has alpha.
func (l Layout) black() *Native {
	n := &Native{Layout: l, Data: make([]byte, l.Format.FrameBytes(l.W, l.H))}
	c := l.coefficients()
	for i := range l.Format.colours() {
		p, _, _ := l.plane(n.Data, i)
		v := int32(c.from.Y0)
		if i > 0 && l.Format.Sampling != RGB {
			v = int32(c.from.C0)
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

// encode returns f's samples, which are valid until the next call. If f was read in the same
// layout, they are its native samples plus the change, else they are converted anew.
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
