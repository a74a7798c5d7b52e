//go:build cgo

package filter

import (
	"runtime"
	"testing"

	"nstfilter/filter/engine/cpu"
)

// A step allocates the closures of parallel loops and short slices of L-BFGS, however large
// the picture is: 155 with L-BFGS and 108 with Adam, in 9 KB.
func TestStepAllocatesLittle(t *testing.T) {
	e, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const mostBytes = 12 << 10
	for _, s := range []size{{100, 80}, {200, 150}} {
		for _, c := range []struct {
			optimizer, parameters string
			most                  float64
		}{{"lbfgs", "pixels", 170}, {"adam", "pixels", 120}, {"adam", "pyramid", 120}} {
			p := painterOn(t, e, s, c.optimizer, c.parameters)
			var before, after runtime.MemStats
			const steps = 20
			runtime.ReadMemStats(&before)
			n := testing.AllocsPerRun(steps-1, func() { p.step(0, true) }) // and once to warm up
			runtime.ReadMemStats(&after)
			if n > c.most {
				t.Errorf("%v, %s of %s: %g allocations in a step, want at most %g", s, c.optimizer, c.parameters, n, c.most)
			}
			if bytes := (after.TotalAlloc - before.TotalAlloc) / steps; bytes > mostBytes {
				t.Errorf("%v, %s of %s: %d bytes in a step, want at most %d", s, c.optimizer, c.parameters, bytes, mostBytes)
			}
		}
	}
}

// painterOn has made enough steps to have a full history.
func painterOn(t *testing.T, e *cpu.Engine, s size, optimizer, parameters string) *painter {
	t.Helper()
	o := severalSizes(tinyOptions())
	o.Optimizer, o.Parameters = optimizer, parameters
	f, err := New(o, e, tiny(true), []*Frame{smooth(60, 50, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	w, j := objectiveOf(t, f, s)
	if w.threads != e.Threads() {
		t.Errorf("%d threads beside the engine's %d", w.threads, e.Threads())
	}
	content := noise(3*w.size.pixels(), 2)
	w.Upload(w.x, content)
	j.setContent()
	p := newPainter(&f.o, w, j, content)
	for range lbfgsPairs + 2 {
		p.step(0, true)
	}
	return p
}
