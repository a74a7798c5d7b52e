//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/kernels"
	"nstfilter/weights"
)

// What float32 loses, in relative L2: a sum of a few thousand products, and Winograd's
// transforms on top, which lose one to two digits (Lavin and Gray 2016, section 5.2).
const (
	sumTolerance      = 2e-6
	winogradTolerance = 1e-5
)

// bench is a device with memory that a test fills and reads; all is freed when it ends.
type bench struct {
	t *testing.T
	d *device
	r *rand.Rand
	p simt
}

func newBench(t *testing.T, seed uint64) *bench {
	needGPU(t)
	d, err := open(0)
	if err == nil {
		err = d.load(kernels.SIMT)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return &bench{t, d, rand.New(rand.NewPCG(seed, 1)), simt{}}
}

// sub is the bench of a subtest.
func (b *bench) sub(t *testing.T) *bench { return &bench{t, b.d, b.r, b.p} }

func (b *bench) alloc(bytes int64) (p cu.DevicePtr) {
	b.d.do(func() {
		var err error
		if p, err = b.d.alloc("a test", max(bytes, 4)); err != nil {
			b.t.Fatal(err)
		}
	})
	b.t.Cleanup(func() { b.d.alone(func() { b.d.free(p) }) })
	return p
}

// put copies to the device.
func put[T any](b *bench, v []T) cu.DevicePtr {
	bytes := int64(len(v)) * int64(unsafe.Sizeof(v[0]))
	p := b.alloc(bytes)
	b.d.do(func() { b.d.upload(p, unsafe.Pointer(&v[0]), bytes) })
	return p
}

// get copies n elements from the device.
func get[T any](b *bench, p cu.DevicePtr, n int) []T {
	v := make([]T, n)
	b.d.do(func() { b.d.download(unsafe.Pointer(&v[0]), p, int64(n)*int64(unsafe.Sizeof(v[0]))) })
	return v
}

// noise is n numbers from the normal distribution.
func (b *bench) noise(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(b.r.NormFloat64())
	}
	return v
}

// plane is a field of w×h positions in the host's memory: noise in c channels, then zeros.
type plane struct {
	v       []float32
	w, h, c int // c not padded
}

func (b *bench) plane(w, h, c int) plane {
	p := plane{make([]float32, w*h*padded(c)), w, h, c}
	for i := range w * h {
		copy(p.v[i*padded(c):], b.noise(c))
	}
	return p
}

// at is channel k of a position, 0 outside.
func (p plane) at(x, y, k int) float64 {
	if x < 0 || y < 0 || x >= p.w || y >= p.h {
		return 0
	}
	return float64(p.v[(y*p.w+x)*padded(p.c)+k])
}

func (b *bench) field(p plane) field { return field{hi: put(b, p.v), w: p.w, h: p.h, c: padded(p.c)} }

// expect compares a field with what want says of it, and its padding with 0.
func (b *bench) expect(what string, f field, c int, tolerance float64, want func(x, y, k int) float64) {
	b.t.Helper()
	got := get[float32](b, f.hi, f.w*f.h*f.c)
	all := make([]float64, len(got))
	for i := range all {
		if p, k := i/f.c, i%f.c; k < c {
			all[i] = want(p%f.w, p/f.w, k)
		} else if got[i] != 0 {
			b.t.Fatalf("%s: padding channel %d of position %d is %g", what, k, p, got[i])
		}
	}
	near(b.t, what, got, all, tolerance)
}

// near reports ‖got − want‖ > tolerance·‖want‖, with the worst element.
func near[T float32 | float64](t *testing.T, what string, got []T, want []float64, tolerance float64) {
	t.Helper()
	var dd, ww float64
	worst := 0
	for i, w := range want {
		d := float64(got[i]) - w
		dd += d * d
		ww += w * w
		if math.Abs(d) > math.Abs(float64(got[worst])-want[worst]) {
			worst = i
		}
	}
	if !(dd <= tolerance*tolerance*ww) {
		t.Errorf("%s: relative L2 error %.2g, at most %.0e; worst at %d of %d: got %g, want %g",
			what, math.Sqrt(dd/ww), tolerance, worst, len(want), got[worst], want[worst])
	}
}

// layer is a convolution of random weights.
func (b *bench) layer(in, out int) *weights.Layer {
	return &weights.Layer{Block: 1, Index: 2, In: in, Out: out, Weight: b.noise(out * in * 9), Bias: b.noise(out)}
}

func TestSIMTConv(t *testing.T) {
	b := newBench(t, 1)
	for _, c := range []struct{ w, h, in, out int }{
		{1, 1, 5, 33}, {2, 1, 32, 1}, {19, 17, 5, 32}, {19, 17, 33, 70}, {13, 11, 5, 96}, {1, 9, 96, 128}, {17, 2, 130, 20},
		{1, 1, 64, 64}, {3, 5, 33, 96}, {19, 17, 64, 65}, {4, 4, 96, 64}, {23, 9, 64, 128}, {1, 30, 130, 64},
	} {
		t.Run(fmt.Sprintf("%d×%d %d to %d", c.w, c.h, c.in, c.out), func(t *testing.T) {
			b := b.sub(t)
			l := b.layer(c.in, c.out)
			b.conv("there", l, false, c.w, c.h, false)
			b.conv("back", l, true, c.w, c.h, false)
			b.conv("back through a gate", l, true, c.w, c.h, true)
		})
	}
}

// conv compares one convolution with its definition.
func (b *bench) conv(what string, l *weights.Layer, back bool, w, h int, gated bool) {
	b.t.Helper()
	in, out := l.In, l.Out
	if back {
		in, out = out, in
	}
	f := b.filter(l, back)
	src, gate := b.plane(w, h, in), b.plane(w, h, out)
	j := convolution{src: b.field(src), dst: b.dirty(w, h, out), filter: f,
		scratch: b.alloc(b.p.convScratch(f.in, f.out, w, h, 1))}
	if gated {
		j.gate = b.field(gate).hi
	}
	b.d.do(func() { b.p.conv(b.d, j) })
	tolerance := sumTolerance
	if b.p.byWinograd(f.in, f.out) {
		tolerance = winogradTolerance
	}
	b.expect(what, j.dst, out, tolerance, func(x, y, o int) float64 {
		if gated && gate.at(x, y, o) <= 0 {
			return 0
		}
		sum := 0.0
		for k := range 9 {
			for i := range in {
				m := l.Weight[(o*in+i)*9+k%9:]
				if back {
					m = l.Weight[(i*out+o)*9+8-k:]
				}
				sum += float64(m[0]) * src.at(x+k%3-1, y+k/3-1, i)
			}
		}
		if back {
			return sum
		}
		return max(sum+float64(l.Bias[o]), 0)
	})
}

func (b *bench) filter(l *weights.Layer, back bool) (f filter) {
	b.d.do(func() {
		before := b.d.bytes
		var err error
		if f, err = b.p.filter(b.d, l, back, 1); err != nil {
			b.t.Fatal(err)
		}
		if took := b.d.bytes - before; took != b.p.filterBytes(l, back, 1) {
			b.t.Errorf("a filter took %d bytes, filterBytes says %d", took, b.p.filterBytes(l, back, 1))
		}
	})
	b.t.Cleanup(func() { b.d.alone(func() { f.free(b.d) }) })
	return f
}

// dirty is a field to be written.
func (b *bench) dirty(w, h, c int) field {
	return field{hi: put(b, b.noise(w*h*padded(c))), w: w, h: h, c: padded(c)}
}

// Both ways give the same convolution, and chunks do not change a bit of it.
func TestSIMTWinogradEqualsConv(t *testing.T) {
	b := newBench(t, 2)
	const w, h, in, out = 67, 50, 64, 96
	l, src, gate := b.layer(out, in), b.field(b.plane(w, h, in)), b.field(b.plane(w, h, out))
	convolve := func(p simt) []float32 {
		b := &bench{t, b.d, b.r, p}
		j := convolution{src: src, dst: b.dirty(w, h, out), filter: b.filter(l, true), gate: gate.hi,
			scratch: b.alloc(p.convScratch(in, out, w, h, 1))}
		b.d.do(func() { p.conv(b.d, j) })
		return get[float32](b, j.dst.hi, w*h*out)
	}
	whole, parts := convolve(simt{}), convolve(simt{scratch: 1})
	if i := firstDifference(whole, parts); i >= 0 {
		t.Errorf("in chunks element %d is %g, otherwise %g", i, parts[i], whole[i])
	}
	var want []float64
	for _, v := range convolve(simt{plain: true}) {
		want = append(want, float64(v))
	}
	near(t, "Winograd's convolution", whole, want, winogradTolerance)
}

// firstDifference is the first index where a and b differ, −1 if none.
func firstDifference(a, b []float32) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

// core cases: a whole field, one row, a part.
var cores = []rect{{0, 0, 19, 17}, {0, 3, 19, 5}, {4, 2, 9, 13}, {18, 16, 1, 1}, {5, 5, 0, 0}}

// shares of a core and how they look to the device; whole: no shares.
func (b *bench) shares(core rect, whole bool) (shares, func(x, y int) float64) {
	if whole || core.w*core.h == 0 {
		return shares{}, func(x, y int) float64 { return 1 }
	}
	pitch := core.w + 3
	m := make([]float32, pitch*core.h)
	for i := range m {
		m[i] = max(0, b.r.Float32()*1.5-.5)
	}
	return shares{put(b, m), pitch}, func(x, y int) float64 { return float64(m[(y-core.y)*pitch+x-core.x]) }
}

func (r rect) has(x, y int) bool { return x >= r.x && y >= r.y && x < r.x+r.w && y < r.y+r.h }

var someChannels = []int{1, 5, 32, 33, 64, 96, 130, 200, 256}

func TestSIMTGram(t *testing.T) {
	b := newBench(t, 3)
	for _, c := range someChannels {
		for i, core := range cores {
			t.Run(fmt.Sprintf("%d channels, core %v", c, core), func(t *testing.T) {
				b := b.sub(t)
				b.gram(b.plane(19, 17, c), core, i%2 == 0)
				b.gram(b.plane(19, 17, c), core, i%2 == 1)
			})
		}
	}
	b.gram(b.plane(70, 61, 32), rect{1, 1, 68, 60}, false) // several spans
}

// gram compares two calls on the same sums with their definition.
func (b *bench) gram(a plane, core rect, whole bool) {
	b.t.Helper()
	c := padded(a.c)
	m, share := b.shares(core, whole)
	gram, means := make([]float64, c*c), make([]float64, c)
	j := gramJob{a: b.field(a), core: core, shares: m, gram: put(b, gram), means: put(b, means),
		scratch: b.alloc(b.p.gramScratch(c, core, 1))}
	b.d.do(func() {
		b.p.gram(b.d, j)
		b.p.gram(b.d, j)
	})
	for y := range a.h {
		for x := range a.w {
			if !core.has(x, y) {
				continue
			}
			for i := range c {
				v := 2 * share(x, y) * a.at(x, y, i)
				means[i] += v
				for k := i; k < c; k++ {
					gram[i*c+k] += v * a.at(x, y, k)
				}
			}
		}
	}
	got := get[float64](b, j.gram, c*c)
	for i := range got {
		if i/c > i%c {
			got[i] = 0 // nobody reads it
		}
	}
	near(b.t, "gram", got, gram, sumTolerance)
	near(b.t, "means", get[float64](b, j.means, c), means, sumTolerance)
}

// matrix is a random symmetric one, and packed.
func (b *bench) matrix(n int, scale float64) (packed, func(i, k int) float64) {
	m := b.noise(n * n)
	for i := range n {
		for k := range i {
			m[i*n+k] = m[k*n+i]
		}
	}
	p := packed{at: b.alloc(b.p.matrixBytes(n, 1)), n: n, terms: 1}
	src := put(b, m)
	b.d.do(func() { b.p.matrix(b.d, p, src, scale) })
	return p, func(i, k int) float64 { return scale * float64(m[i*n+k]) }
}

func TestSIMTMultiply(t *testing.T) {
	b := newBench(t, 4)
	for _, c := range someChannels {
		for _, core := range cores {
			t.Run(fmt.Sprintf("%d channels, core %v", c, core), func(t *testing.T) {
				b := b.sub(t)
				src, before := b.plane(19, 17, c), b.plane(19, 17, c)
				dst := b.field(before)
				m, matrix := b.matrix(c, 1)
				from := b.field(src)
				b.d.do(func() { b.p.multiply(b.d, m, from, dst, core) })
				b.expect("product", dst, c, sumTolerance, func(x, y, k int) float64 {
					if !core.has(x, y) {
						return before.at(x, y, k)
					}
					sum := 0.0
					for i := range c {
						sum += matrix(i, k) * src.at(x, y, i)
					}
					return sum
				})
			})
		}
	}
}

func TestSIMTAddTap(t *testing.T) {
	b := newBench(t, 5)
	for _, c := range someChannels {
		for i, core := range cores {
			for terms := range 8 { // matrix, mean, content
				if c > 64 && terms%7 != 0 {
					continue // for the time it takes
				}
				t.Run(fmt.Sprintf("%d channels, core %v, terms %b", c, core, terms), func(t *testing.T) {
					b := b.sub(t)
					b.addTap(c, core, i%2 == 0, terms)
				})
			}
		}
	}
}

func (b *bench) addTap(c int, core rect, whole bool, terms int) {
	a, da, mdelta := b.plane(19, 17, c), b.plane(19, 17, c), b.plane(19, 17, c)
	m, share := b.shares(core, whole)
	j := tapJob{a: b.field(a), da: b.field(da), core: core, shares: m, meanScale: .3, weight: .7}
	matrix := func(i, k int) float64 { return 0 }
	if terms&1 != 0 {
		j.d, matrix = b.matrix(c, 2/300.)
	}
	mean := make([]float32, padded(c))
	if terms&2 != 0 {
		copy(mean, b.noise(c))
		j.mean = put(b, mean)
	}
	if terms&4 != 0 {
		j.mdelta = b.field(mdelta)
	} else {
		clear(mdelta.v)
	}
	b.d.do(func() { b.p.addTap(b.d, j) })
	b.expect("gradient", j.da, c, sumTolerance, func(x, y, k int) float64 {
		if a.at(x, y, k) <= 0 {
			return 0
		}
		if !core.has(x, y) {
			return da.at(x, y, k)
		}
		sum := .3*float64(mean[k]) + .7*mdelta.at(x, y, k)
		for i := range c {
			sum += matrix(i, k) * a.at(x, y, i)
		}
		return da.at(x, y, k) + share(x, y)*sum
	})
}
