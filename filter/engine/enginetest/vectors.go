package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"nstfilter/filter/engine"
)

// testVectors compares each operation with a loop in float64, at lengths that
// fill no register, and some.
func testVectors(t *testing.T, e engine.Engine) {
	ev := compile(t, e, callSpec())
	defer ev.Close()
	for _, n := range []int{1, 3, 17, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := random(uint64(n))
			a, b := normal(r, n, 1), normal(r, n, 1)

			zero := ev.NewVector(n)
			if zero.Len() != n {
				t.Fatalf("NewVector(%d).Len() = %d", n, zero.Len())
			}
			sameBits(t, "NewVector", download(ev, zero), make([]float32, n))
			sameBits(t, "Download of Upload", download(ev, upload(ev, a)), a)

			var dot, size float64
			for i := range a {
				dot += float64(a[i]) * float64(b[i])
				size += math.Abs(float64(a[i]) * float64(b[i]))
			}
			if got := ev.Dot(upload(ev, a), upload(ev, b)); !(math.Abs(got-dot) <= 1e-12*size) {
				t.Errorf("Dot: got %.17g, want %.17g; off by %.2g of Σ|aᵢbᵢ|, at most 1e-12: sum in float64", got, dot, math.Abs(got-dot)/size)
			}

			for _, f := range [][2]float64{{1, 1}, {-.3, 1}, {2, -.7}, {0, 1}, {.5, 0}, {1, 0}} {
				want, y := make([]float32, n), upload(ev, b)
				for i := range want {
					want[i] = float32(f[0]*float64(a[i]) + f[1]*float64(b[i]))
				}
				if f[1] == 0 {
					nan := make([]float32, n)
					for i := range nan {
						nan[i] = float32(math.NaN())
					}
					ev.Upload(y, nan)
				}
				ev.Axpby(y, f[0], upload(ev, a), f[1])
				near(t, fmt.Sprintf("Axpby %g %g", f[0], f[1]), download(ev, y), want, vectorTolerance)
			}

			testViews(t, ev, a, b)
			testAdam(t, ev, n)
		})
	}
}

// testViews repeats operations on views that begin anywhere; what lies beside them stays.
func testViews(t *testing.T, ev engine.Evaluator, a, b []float32) {
	n := len(a)
	within := func(x []float32, at int) (whole, view engine.Vector) {
		whole = upload(ev, append(append(make([]float32, at), x...), 9, 9, 9))
		return whole, ev.View(whole, at, n)
	}
	for _, at := range [][2]int{{1, 1}, {0, 3}, {2, 0}} {
		_, x := within(a, at[0])
		all, y := within(b, at[1])
		want, dot := make([]float32, n), 0.
		for i := range want {
			want[i] = float32(.5*float64(a[i]) - 2*float64(b[i]))
			dot += float64(a[i]) * float64(want[i])
		}
		ev.Axpby(y, .5, x, -2)
		what := fmt.Sprintf("views from %d and %d", at[0], at[1])
		near(t, "Axpby of "+what, download(ev, y), want, vectorTolerance)
		near(t, "Dot of "+what, []float32{float32(ev.Dot(x, y))}, []float32{float32(dot)}, 1e-3)
		ev.Axpby(y, 1, x, 0)
		sameBits(t, "copy of "+what, download(ev, all), append(append(make([]float32, at[1]), a...), 9, 9, 9))

		_, dx := within(b, at[0])
		_, m := within(make([]float32, n), 3)
		var out [2][]float32
		for i, v := range []engine.Vector{y, upload(ev, a)} { // in a view, and not
			ev.Adam(v, m, ev.NewVector(n), x, dx, engine.AdamStep{Rate: .1, T: 1, Epsilon: 1e-8, Average: .5})
			out[i] = download(ev, v)
		}
		near(t, "Adam of "+what, out[0], out[1], vectorTolerance)
	}
}

// testAdam runs Kingma and Ba 2015, algorithm 1, beside the engine.
func testAdam(t *testing.T, ev engine.Evaluator, n int) {
	for _, s := range []engine.AdamStep{
		{Rate: .02, Beta1: .9, Beta2: .999, Epsilon: 1e-8},
		{Rate: .1, Beta1: .9, Beta2: .99, Epsilon: 1e-3, Average: .8, Clamp: true},
		{Rate: .1, Beta1: .5, Beta2: .9, Epsilon: 1e-8, Average: .5},
	} {
		for _, averaged := range []bool{true, false} {
			r := random(uint64(n))
			start := normal(r, n, .5)
			x, m, v := upload(ev, start), ev.NewVector(n), ev.NewVector(n)
			var mean engine.Vector
			if averaged {
				mean = upload(ev, start)
			}
			wx, wmean := widen(start), widen(start)
			wm, wv := make([]float64, n), make([]float64, n)
			for s.T = 1; s.T <= 4; s.T++ {
				g := normal(r, n, .01)
				ev.Adam(x, m, v, mean, upload(ev, g), s)
				for i := range g {
					d := float64(g[i])
					wm[i] = s.Beta1*wm[i] + (1-s.Beta1)*d
					wv[i] = s.Beta2*wv[i] + (1-s.Beta2)*d*d
					mHat := wm[i] / (1 - math.Pow(s.Beta1, float64(s.T)))
					vHat := wv[i] / (1 - math.Pow(s.Beta2, float64(s.T)))
					wx[i] -= s.Rate * mHat / (math.Sqrt(vHat) + s.Epsilon)
					if s.Clamp {
						wx[i] = min(max(wx[i], 0), 1)
					}
					wmean[i] = s.Average*wmean[i] + (1-s.Average)*wx[i]
				}
			}
			what := fmt.Sprintf("Adam %+v", s)
			near(t, what+": x", download(ev, x), narrow(wx), 2*vectorTolerance)
			near(t, what+": m", download(ev, m), narrow(wm), vectorTolerance)
			near(t, what+": v", download(ev, v), narrow(wv), vectorTolerance)
			if averaged {
				near(t, what+": mean", download(ev, mean), narrow(wmean), 2*vectorTolerance)
			}
		}
	}
}

func widen(a []float32) []float64 {
	b := make([]float64, len(a))
	for i, v := range a {
		b[i] = float64(v)
	}
	return b
}

func narrow(a []float64) []float32 {
	b := make([]float32, len(a))
	for i, v := range a {
		b[i] = float32(v)
	}
	return b
}

// testMultiply checks a Multiplier; an evaluator need not be one.
func testMultiply(t *testing.T, e engine.Engine) {
	ev := compile(t, e, callSpec())
	defer ev.Close()
	mul, ok := ev.(engine.Multiplier)
	if !ok {
		t.Skipf("%s does not multiply", e.Name())
	}
	for _, n := range []int{100, 1, 3, 17, 64, 49} { // buffers shrink and grow
		r := random(uint64(n))
		m, d := symmetric(r, n), symmetric(r, n)
		product := func(a, b []float64) []float64 {
			out := make([]float64, n*n)
			for i := range n {
				for j := range n {
					for k := range n {
						out[i*n+j] += a[i*n+k] * b[k*n+j]
					}
				}
			}
			return out
		}
		want, got := product(product(widen(m), widen(d)), widen(m)), normal(r, n*n, 1)
		mul.Congruence(got, m, d, n)
		near(t, fmt.Sprintf("Congruence %d×%d", n, n), got, narrow(want), 1e-5)
		transposed := make([]float32, n*n)
		for i := range transposed {
			transposed[i] = got[i%n*n+i/n]
		}
		sameBits(t, "transposed", transposed, got)
	}
}

// symmetric draws an n×n matrix.
func symmetric(r *rand.Rand, n int) []float32 {
	m := normal(r, n*n, 1)
	for i := range n {
		for j := range i {
			m[i*n+j] = m[j*n+i]
		}
	}
	return m
}
