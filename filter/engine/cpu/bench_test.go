//go:build cgo && unix

package cpu

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

var (
	vgg19 = [][]int{{64, 64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512}}
	slim  = [][]int{{32, 32}, {64, 64}, {96, 96, 96}, {192, 192, 192}, {256}}
)

// gatysTaps are style at relu1_1 … relu5_1 and content at relu4_2.
func gatysTaps(t testing.TB, n *weights.Network) (ts []engine.Tap) {
	for _, name := range []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"} {
		l, err := n.Layer(name)
		if err != nil {
			t.Fatal(err)
		}
		ts = append(ts, engine.Tap{Layer: l, Style: name != "relu4_2", Content: name == "relu4_2"})
	}
	return ts
}

// processorTime is what all threads of this process have used.
func processorTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkIteration is one Forward and one Backward. Its processor time says
// more than the clock on a machine that is busy with something else.
func BenchmarkIteration(b *testing.B) {
	for _, c := range []struct {
		name   string
		blocks [][]int
		size   int
		mask   []float32
	}{{"vgg19", vgg19, 256, nil}, {"vgg19", vgg19, 512, nil}, {"slim", slim, 512, nil}, {"slim masked", slim, 512, uniform(9, 512*512)}} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d/threads=%d", c.name, c.size, threads), func(b *testing.B) {
				n := network(1, c.blocks...)
				s := engine.Spec{Network: n, Pooling: weights.AveragePooling, Taps: gatysTaps(b, n), W: c.size, H: c.size}
				eng, err := New(threads)
				if err != nil {
					b.Fatal(err)
				}
				defer eng.Close()
				e := compile(b, eng, s)
				x := upload(e, uniform(1, 3*s.W*s.H))
				dx := e.NewVector(x.Len())
				gs := gradients(s)
				e.SetMask(c.mask)
				e.Forward(x)
				e.SetContent(nil)
				b.ResetTimer()
				start := processorTime()
				for b.Loop() {
					e.Forward(x)
					e.Backward(dx, gs)
				}
				b.ReportMetric((processorTime()-start).Seconds()/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(e.memory.bytes+eng.memory.bytes)/(1<<20), "MiB")
			})
		}
	}
}

// BenchmarkPicture is what an iteration does beside the network, for a picture
// of 544×544 with its pyramid.
func BenchmarkPicture(b *testing.B) {
	const side = 544
	n := network(1, []int{8})
	eng, err := New(1)
	if err != nil {
		b.Fatal(err)
	}
	defer eng.Close()
	e := compile(b, eng, engine.Spec{Network: n, Pooling: weights.AveragePooling, Taps: []engine.Tap{{}}, W: side, H: side})
	picture := func(n int) engine.Vector { return upload(e, uniform(uint64(n), n)) }
	const pixels, levels = 3 * side * side, 4 * side * side
	x, dx, prior, w := picture(pixels), picture(pixels), picture(pixels), picture(pixels/3)
	p, m, v, mean, dp := picture(levels), picture(levels), picture(levels), picture(levels), picture(levels)
	low := picture(pixels / 4)
	e.Forward(x)
	for _, op := range []struct {
		name string
		do   func()
	}{
		{"Adam", func() {
			e.Adam(p, m, v, mean, dp, engine.AdamStep{Rate: 1e-9, Beta1: .9, Beta2: .99, Epsilon: 1e-8, T: 3, Average: .8})
		}},
		{"TV", func() { e.TV(dx, x, 1e-9) }},
		{"Prior", func() { e.Prior(dx, x, prior, w, 1e-9) }},
		{"Dots", func() { e.Dots([2]engine.Vector{p, m}) }},
		{"Combine", func() { e.Combine(p, engine.Multiple{By: 1e-9, Of: m}, engine.Multiple{By: 1, Of: p}) }},
		{"Enlarge", func() { e.Enlarge(dx, x, 1, low, side, side) }},
		{"EnlargeAdjoint", func() { e.EnlargeAdjoint(low, dx, side, side) }},
	} {
		b.Run(op.name, func(b *testing.B) {
			start := processorTime()
			for b.Loop() {
				op.do()
			}
			b.ReportMetric(float64((processorTime()-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}
