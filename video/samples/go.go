package samples

import "math"

func (Go) Load8(dst []float32, src []byte, scale float32) {
	src = src[:len(dst)]
	for x, v := range src {
		dst[x] = scale * float32(v)
	}
}

func (Go) Load16(dst []float32, src []byte, scale float32) {
	src = src[:2*len(dst)]
	for x := range dst {
		dst[x] = scale * float32(uint16(src[2*x])|uint16(src[2*x+1])<<8)
	}
}

func (Go) Mix(dst, a, b []float32, share float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	rest := 1 - share
	for x := range dst {
		dst[x] = share*a[x] + rest*b[x]
	}
}

func (Go) Centred(dst, src []float32) {
	w, n := len(dst), (len(dst)+1)/2
	src = src[:n]
	dst[0] = src[0]
	for j := 0; j+1 < n; j++ {
		a, b := src[j], src[j+1]
		dst[2*j+1] = 0.75*a + 0.25*b
		dst[2*j+2] = 0.25*a + 0.75*b
	}
	if w%2 == 0 {
		dst[w-1] = src[n-1]
	}
}

func (Go) Cosited(dst, src []float32) {
	w, n := len(dst), (len(dst)+1)/2
	src = src[:n]
	for j := 0; j+1 < n; j++ {
		a, b := src[j], src[j+1]
		dst[2*j] = a
		dst[2*j+1] = 0.5 * (a + b)
	}
	dst[2*(n-1)] = src[n-1]
	dst[w-1] = src[n-1]
}

func (Go) RGB(r, g, b, u, v []float32, c *FromYCC) {
	k := *c
	g, b, u, v = g[:len(r)], b[:len(r)], u[:len(r)], v[:len(r)]
	for x := range r {
		y, cb, cr := (r[x]-k.Y0)*k.Y, u[x]-k.C0, v[x]-k.C0
		r[x] = unit(y + k.RV*cr)
		g[x] = unit(y + k.GU*cb + k.GV*cr)
		b[x] = unit(y + k.BU*cb)
	}
}

func (Go) Subtract(own, f []float32) {
	f = f[:len(own)]
	for x := range own {
		own[x] = unit(f[x]) - own[x]
	}
}

func (Go) Luma(r, g, b []float32, c *ToYCC) {
	k := *c
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		y := k.R*r[x] + k.G*g[x] + k.B*b[x]
		g[x], b[x], r[x] = y, (b[x]-y)*k.ToB, (r[x]-y)*k.ToR
	}
}

func (Go) AddCentred(sum, row []float32, share float32) {
	last := len(row) - 1
	share *= 0.5
	for j := range sum[:(len(row)+1)/2] {
		sum[j] += share * (row[2*j] + row[min(2*j+1, last)])
	}
}

func (Go) AddCosited(sum, row []float32, share float32) {
	last := len(row) - 1
	for j := range sum[:(len(row)+1)/2] {
		sum[j] += share * (0.25*(row[max(2*j-1, 0)]+row[min(2*j+1, last)]) + 0.5*row[2*j])
	}
}

func (Go) Add8(dst, src []byte, change []float32, scale float32, low, high int32) {
	src, change = src[:len(dst)], change[:len(dst)]
	for x, v := range src {
		dst[x] = byte(added(int32(v), change[x]*scale, low, high))
	}
}

func (Go) Add16(dst, src []byte, change []float32, scale float32, low, high int32) {
	src = src[:len(dst)]
	for x, d := range change[:len(dst)/2] {
		v := added(int32(src[2*x])|int32(src[2*x+1])<<8, d*scale, low, high)
		dst[2*x], dst[2*x+1] = byte(v), byte(v>>8)
	}
}

func (Go) Curve(row []float32, c *Curve) {
	for x, v := range row {
		v *= Knots
		i := int(v)
		row[x] = c[i] + (v-float32(i))*(c[i+1]-c[i])
	}
}

func added(v int32, change float32, low, high int32) int32 {
	half := float32(0.5)
	if change < 0 {
		half = -0.5
	}
	return min(max(v+int32(change+half), min(v, low)), max(v, high))
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
