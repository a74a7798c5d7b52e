package enginetest

import (
	"fmt"
	"math"
	"testing"

	"nstfilter/filter/engine"
)

// term is TV, Gamut or Prior: it returns its value and adds weight·gradient to dx.
type term func(dx, x engine.Vector, weight float64) float64

func testPictureTerms(t *testing.T, e engine.Engine) {
	for _, size := range sizes {
		s := callSpec()
		s.W, s.H = size[0], size[1]
		ev := compile(t, e, s)
		P := s.W * s.H
		prior := picture(11, s.W, s.H)
		w := make([]float32, P)
		for i, r := 0, random(3); i < P; i++ {
			w[i] = float32(max(0, r.Float64()*2-.5)) // some are zero
		}
		x := picture(10, s.W, s.H)

		t.Run(fmt.Sprintf("TV %d×%d", s.W, s.H), func(t *testing.T) {
			var sum float64
			n := 0
			for i := range x {
				if i%s.W+1 < s.W {
					sum += square(x[i+1], x[i])
					n++
				}
				if i/s.W%s.H+1 < s.H {
					sum += square(x[i+s.W], x[i])
					n++
				}
			}
			testTerm(t, ev, s, x, sum/float64(n), ev.TV)
		})
		t.Run(fmt.Sprintf("Gamut %d×%d", s.W, s.H), func(t *testing.T) {
			wide, far := make([]float32, len(x)), make([]float32, len(x))
			for i, v := range x {
				wide[i] = 3*v - 1 // within [0,1] and without
				far[i] = v + 1.5  // and where the step of testTerm stays on one side of 0 and 1
				if i%3 == 0 {
					far[i] = v - 1.5
				}
			}
			nearNumber(t, "value within and without", ev.Gamut(ev.NewVector(len(x)), upload(ev, wide), 1), outside(wide), vectorTolerance)
			testTerm(t, ev, s, far, outside(far), ev.Gamut)
		})
		t.Run(fmt.Sprintf("Prior %d×%d", s.W, s.H), func(t *testing.T) {
			var sum float64
			for i := range x {
				sum += float64(w[i%P]) * square(x[i], prior[i])
			}
			p, wv := upload(ev, prior), upload(ev, w)
			testTerm(t, ev, s, x, sum/float64(P), func(dx, x engine.Vector, weight float64) float64 {
				return ev.Prior(dx, x, p, wv, weight)
			})
		})
		ev.Close()
	}
}

// outside is the mean squared distance from [0,1].
func outside(x []float32) float64 {
	sum := 0.
	for _, v := range x {
		sum += square(v, min(max(v, 0), 1))
	}
	return sum / float64(len(x))
}

func square(a, b float32) float64 {
	d := float64(a) - float64(b)
	return d * d
}

// testTerm checks the value, that the gradient is added to what dx held, and the
// gradient by central differences, which are exact for a quadratic: so the step
// may be large and rounding stays small.
func testTerm(t *testing.T, ev engine.Evaluator, s engine.Spec, x []float32, want float64, f term) {
	const weight = 40
	dx := upload(ev, make([]float32, len(x)))
	nearNumber(t, "value", f(dx, upload(ev, x), weight), want, vectorTolerance)
	d := download(ev, dx)

	held := upload(ev, x)
	f(held, upload(ev, x), weight)
	sum := make([]float32, len(x))
	for i := range sum {
		sum[i] = x[i] + d[i]
	}
	near(t, "gradient added to what dx held", download(ev, held), sum, vectorTolerance)

	nearNumber(t, "value without a gradient", f(held, upload(ev, x), 0), want, vectorTolerance)
	near(t, "dx under weight 0", download(ev, held), sum, vectorTolerance)

	var largest float64
	for _, v := range d {
		largest = max(largest, math.Abs(float64(v)))
	}
	W, P := s.W, s.W*s.H
	for _, i := range []int{0, W - 1, P - W, P - 1, P, P + W + 1, 2*P - 1, 2*P + W, 2*P + W/2, 3*P - 1, 3*P - W - 2} {
		const step = .25
		at := func(by float32) float64 {
			y := append([]float32(nil), x...)
			y[i] += by
			return f(ev.NewVector(len(x)), upload(ev, y), 0)
		}
		fd := weight * (at(step) - at(-step)) / (2 * step)
		if !(math.Abs(fd-float64(d[i])) <= 1e-3*largest) {
			t.Errorf("derivative at %d: got %g, central difference %g (largest %g)", i, d[i], fd, largest)
		}
	}
}
