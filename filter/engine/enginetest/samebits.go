package enginetest

import (
	"runtime"
	"slices"
	"sync"
	"testing"

	"nstfilter/filter/engine"
)

// session is a fixed list of calls on a fresh evaluator; it returns everything
// that came out.
func session(e engine.Evaluator, s engine.Spec) []float32 {
	defer e.Close()
	e.Forward(upload(e, picture(8, s.W, s.H)))
	e.SetContent(metrics(s))
	x := upload(e, picture(9, s.W, s.H))
	n := x.Len()
	dx, m, v, mean := e.NewVector(n), e.NewVector(n), e.NewVector(n), e.NewVector(n)
	var out []float32
	for i := 1; i <= 3; i++ {
		for _, m := range e.Forward(x) {
			out = append(append(append(out, m.Gram...), m.Mean...), float32(m.Content))
		}
		e.Backward(dx, gradients(s))
		out = append(out, float32(e.TV(dx, x, .1)), float32(e.Dots([2]engine.Vector{dx, x})[0]))
		e.Adam(x, m, v, mean, dx, engine.AdamStep{Rate: .05, Beta1: .9, Beta2: .99, Epsilon: 1e-8, T: i, Average: .9, Clamp: true})
		out = append(out, download(e, x)...)
	}
	return append(out, download(e, mean)...)
}

// testSameBits runs one session again, on one processor, and on evaluators side
// by side, all of one engine whose earlier evaluators are closed.
func testSameBits(t *testing.T, e engine.Engine) {
	s := callSpec()
	want := slices.Clone(session(compile(t, e, s), s))
	sameBits(t, "again", session(compile(t, e, s), s), want)

	procs := runtime.GOMAXPROCS(1)
	one := session(compile(t, e, s), s)
	runtime.GOMAXPROCS(procs)
	sameBits(t, "on one processor", one, want)

	var wg sync.WaitGroup
	got := make([][]float32, 2)
	for i := range got {
		wg.Go(func() {
			ev, err := e.Compile(s)
			if err != nil {
				t.Errorf("compile side by side: %v", err)
				return
			}
			got[i] = session(ev, s)
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for i := range got {
		sameBits(t, "side by side", got[i], want)
	}
}
