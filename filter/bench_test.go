//go:build cgo && unix

package filter

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"nstfilter/filter/engine/cpu"
	"nstfilter/weights"
)

// processorTime is what all threads of this process have used.
func processorTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkStep is one step of the optimiser with slim and the default options,
// first with one thread of the default engine; cpu-s/op is processor time.
func BenchmarkStep(b *testing.B) {
	for _, size := range []size{{128, 128}, {512, 512}} {
		for _, c := range []struct{ name, optimizer, parameters string }{
			{"lbfgs pixels", "lbfgs", "pixels"}, {"adam pixels", "adam", "pixels"}, {"adam pyramid", "adam", "pyramid"},
		} {
			b.Run(fmt.Sprintf("%d/%s", size.w, c.name), func(b *testing.B) {
				e, err := cpu.New(1)
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				o := DefaultOptions()
				o.Optimizer, o.Parameters = c.optimizer, c.parameters
				f, err := New(o, e, weights.Slim(), []*Frame{smooth(size.w, size.h, 1)})
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				s := size.grow(o.Margin)
				w, j := objectiveOf(b, f, size)
				content := noise(3*s.pixels(), 2)
				w.Upload(w.x, content)
				j.setContent()
				w.setPrior(j, Guide{Prior: smooth(size.w, size.h, 3)}, nil, size, o.Margin)
				p := newPainter(&f.o, w, j, content)
				p.step(0, true)
				b.ReportAllocs()
				b.ResetTimer()
				start := processorTime()
				for b.Loop() {
					p.step(0, true)
				}
				b.ReportMetric((processorTime()-start).Seconds()/float64(b.N), "cpu-s/op")
			})
		}
	}
}
