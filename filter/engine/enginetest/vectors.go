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

			testSums(t, ev, r, n)
			testViews(t, ev, a, b)
			testAdam(t, ev, n)
		})
	}
}

// testSums takes products and combinations of few vectors, to the most of one call.
func testSums(t *testing.T, ev engine.Evaluator, r *rand.Rand, n int) {
	for _, count := range []int{1, 2, 3, 10, engine.MaxSum} {
		var all [5][]float32
		var at [5]engine.Vector
		for i := range all {
			all[i] = normal(r, n, 1)
			at[i] = upload(ev, all[i])
		}
		var pairs [][2]engine.Vector
		var dots, sizes []float64
		var sum []engine.Multiple
		for k := range count {
			a, b := k%5, k/5%5
			pairs = append(pairs, [2]engine.Vector{at[a], at[b]})
			var dot, size float64
			for i, v := range all[a] {
				dot += float64(v) * float64(all[b][i])
				size += math.Abs(float64(v) * float64(all[b][i]))
			}
			dots, sizes = append(dots, dot), append(sizes, size)
			sum = append(sum, engine.Multiple{By: r.NormFloat64(), Of: at[a]})
		}
		got := ev.Dots(pairs...)
		if len(got) != count {
			t.Fatalf("Dots of %d pairs: %d", count, len(got))
		}
		for k, v := range got {
			if !(math.Abs(v-dots[k]) <= 1e-12*sizes[k]) {
				t.Errorf("Dots, %d of %d: got %.17g, want %.17g; off by %.2g of Σ|aᵢbᵢ|, at most 1e-12: sum in float64", k, count, v, dots[k], math.Abs(v-dots[k])/sizes[k])
			}
		}

		combined := func(what string, y engine.Vector) {
			for i, v := range download(ev, y) {
				var want, size float64
				for k, m := range sum {
					want += m.By * float64(all[k%5][i])
					size += math.Abs(m.By * float64(all[k%5][i]))
				}
				if !(math.Abs(float64(v)-want) <= vectorTolerance*size) {
					t.Fatalf("Combine of %d%s: got %.9g, want %.9g at %d", count, what, v, want, i)
				}
			}
		}
		y := ev.NewVector(n)
		nan := make([]float32, n)
		for i := range nan {
			nan[i] = float32(math.NaN())
		}
		ev.Upload(y, nan)
		ev.Combine(y, sum...)
		combined("", y)
		for i, v := range at {
			if i != min(count, 5)-1 {
				sameBits(t, "what Combine read", download(ev, v), all[i])
			}
		}
		last := at[min(count, 5)-1]
		ev.Combine(last, sum...)
		combined(" to one of them", last)
	}
	x := upload(ev, normal(r, n, 1))
	y := ev.NewVector(n)
	ev.Combine(y, engine.Multiple{By: 1, Of: x})
	sameBits(t, "a copy by Combine", download(ev, y), download(ev, x))
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
		ev.Combine(y, engine.Multiple{By: .5, Of: x}, engine.Multiple{By: -2, Of: y})
		what := fmt.Sprintf("views from %d and %d", at[0], at[1])
		near(t, "Combine of "+what, download(ev, y), want, vectorTolerance)
		near(t, "Dots of "+what, []float32{float32(ev.Dots([2]engine.Vector{x, y})[0])}, []float32{float32(dot)}, 1e-3)
		ev.Combine(y, engine.Multiple{By: 1, Of: x})
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
