package flow

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWarpAtRestIsExact(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {2, 3}, {1, 9}, {17, 5}, {64, 48}} {
		src := noise(1, 3*s[0]*s[1])
		dst := make([]float32, len(src))
		Warp(dst, src, NewField(s[0], s[1]), 2)
		if !slices.Equal(dst, src) {
			t.Errorf("%v: changed", s)
		}
	}
}

// TestWarpInterpolates: the spline goes through the samples, found by its
// coefficients alone.
func TestWarpInterpolates(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {2, 3}, {3, 1}, {4, 9}, {17, 5}, {40, 33}} {
		w, h := s[0], s[1]
		src := noise(2, w*h)
		f := NewField(w, h)
		for i := range f.U { // as near to whole pixels as it gets
			f.U[i], f.V[i] = 1e-6, 1e-6
		}
		dst := make([]float32, w*h)
		Warp(dst, src, f, 1)
		for i := range dst {
			if d := math.Abs(float64(dst[i] - src[i])); d > 2e-5 {
				t.Errorf("%v: sample %d is %v, not %v", s, i, dst[i], src[i])
				break
			}
		}
	}
}

func TestWarpWholePixelsAndBorder(t *testing.T) {
	src := []float32{1, 2, 3, 4}
	f := NewField(4, 1)
	f.U = []float32{1, 1, 1, 1}
	dst := make([]float32, 4)
	Warp(dst, src, f, 1)
	if !slices.Equal(dst, []float32{2, 3, 4, 4}) {
		t.Error(dst)
	}
	f.U = []float32{2 * Unknown, float32(math.NaN()), -9, 1}
	Warp(dst, src, f, 1)
	if !slices.Equal(dst, []float32{1, 2, 1, 4}) {
		t.Error(dst)
	}
}

// TestWarpKeepsSharpness moves a texture round a circle of three pixels in 100
// steps.
func TestWarpKeepsSharpness(t *testing.T) {
	const w, h, edge = 96, 80, 16
	start := texture(w, h, still).Pix
	now, next := slices.Clone(start), make([]float32, len(start))
	f := NewField(w, h)
	for i := range 100 {
		at := func(i int) (x, y float64) {
			s, c := math.Sincos(2 * math.Pi * float64(i) / 100)
			return 3 * c, 3 * s
		}
		x0, y0 := at(i)
		x1, y1 := at(i + 1)
		for k := range f.U {
			f.U[k], f.V[k] = float32(x1-x0), float32(y1-y0)
		}
		Warp(next, now, f, 2)
		now, next = next, now
	}
	var squares, was, is float64
	for y := edge; y < h-edge; y++ {
		for x := edge; x < w-edge; x++ {
			i := y*w + x
			squares += math.Pow(float64(now[i]-start[i]), 2)
			laplacian := func(p []float32) float64 {
				return math.Pow(float64(4*p[i]-p[i-1]-p[i+1]-p[i-w]-p[i+w]), 2)
			}
			was += laplacian(start)
			is += laplacian(now)
		}
	}
	psnr := -10 * math.Log10(squares/float64((w-2*edge)*(h-2*edge)))
	if psnr < 60 || is/was < 0.98 || is/was > 1.001 {
		t.Errorf("%.1f dB, %.3f of the Laplacian's variance", psnr, is/was)
	}
	t.Logf("%.1f dB, %.3f of the Laplacian's variance", psnr, is/was)
}

func TestWarpThreads(t *testing.T) {
	const w, h = 150, 47
	src := noise(3, 3*w*h)
	f := NewField(w, h)
	copy(f.U, noise(4, w*h))
	copy(f.V, noise(5, w*h))
	one, three := make([]float32, len(src)), make([]float32, len(src))
	Warp(one, src, f, 1)
	Warp(three, src, f, 3)
	if !slices.Equal(one, three) {
		t.Error("threads change the result")
	}
}

// One Warper moves pictures of several sizes, each only where it should.
func TestWarper(t *testing.T) {
	m := NewWarper(2)
	for _, s := range [][3]int{{61, 47, 3}, {61, 47, 1}, {5, 9, 2}, {61, 47, 3}} {
		w, h, planes := s[0], s[1], s[2]
		src, where := noise(3, planes*w*h), noise(6, w*h)
		f := NewField(w, h)
		copy(f.U, noise(4, w*h))
		copy(f.V, noise(5, w*h))
		all, some := make([]float32, len(src)), make([]float32, len(src))
		Warp(all, src, f, 1)
		for i := range where {
			where[i] = max(where[i]-0.5, 0)
		}
		for i := range some {
			some[i] = -1
			if where[i%(w*h)] == 0 {
				all[i] = -1
			}
		}
		m.Warp(some, src, f, where)
		if !slices.Equal(some, all) {
			t.Errorf("%v: another picture", s)
		}
	}
}

func noise(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = r.Float32()
	}
	return x
}
