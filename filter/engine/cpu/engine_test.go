//go:build cgo

package cpu

import (
	"fmt"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/weights"
)

// tolerance in relative L2: Winograd's F(4×4) loses one to two digits of
// float32 in each layer. A ReLU or a maximum that rounding flips would show far
// above it: the cases' seeds are such that none does.
const tolerance = 1e-4

// engines returns one engine for each instruction set that this machine has.
func engines(t testing.TB, threads int) []*Engine {
	var es []*Engine
	for _, s := range isas {
		e, err := NewISA(s.name, threads)
		if err != nil {
			if s.available() {
				t.Fatal(err)
			}
			continue
		}
		t.Cleanup(e.Close)
		es = append(es, e)
	}
	return es
}

func compile(t testing.TB, e *Engine, s engine.Spec) *Evaluator {
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ev.Close)
	return ev.(*Evaluator)
}

func upload(e *Evaluator, v []float32) engine.Vector {
	x := e.NewVector(len(v))
	e.Upload(x, v)
	return x
}

func download(v engine.Vector, e *Evaluator) []float32 {
	x := make([]float32, v.Len())
	e.Download(x, v)
	return x
}

var tiny = [][]int{{5, 24}, {8, 9}, {16, 7, 12}, {33, 6}, {10}}

// taps asks for everything at the given layers.
func taps(layers ...int) (ts []engine.Tap) {
	for _, l := range layers {
		ts = append(ts, engine.Tap{Layer: l, Style: true, Content: true})
	}
	return ts
}

// gradients is a random Gradient for each tap.
func gradients(s engine.Spec) (gs []engine.Gradient) {
	for i, t := range s.Taps {
		n := s.Network.Layers[t.Layer].Out
		g := engine.Gradient{}
		if t.Style {
			g.Gram, g.Mean = symmetric(uint64(10+i), n), normal(uint64(20+i), n)
		}
		if t.Content {
			g.Content = 0.01 * float64(i+1)
		}
		gs = append(gs, g)
	}
	return gs
}

func TestReference(t *testing.T) {
	all := taps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	for _, c := range []struct {
		w, h    int
		pooling weights.Pooling
		taps    []engine.Tap
		metric  bool
		seed    uint64
	}{
		{16, 16, weights.AveragePooling, all, false, 1},
		{17, 23, weights.AveragePooling, taps(0, 2, 4, 7, 9), true, 1},
		{33, 19, weights.MaxPooling, taps(0, 2, 4, 7, 9), true, 1},
		{20, 50, weights.MaxPooling, all, true, 1},
		{50, 20, weights.AveragePooling, taps(9), false, 1},
		{31, 47, weights.MaxPooling, taps(3), false, 1},
		{64, 16, weights.MaxPooling, taps(1, 6), true, 3},
		{16, 35, weights.AveragePooling, taps(0), true, 1},
	} {
		s := engine.Spec{Network: network(7, tiny...), Pooling: c.pooling, Taps: c.taps, W: c.w, H: c.h}
		x, y := uniform(c.seed, 3*c.w*c.h), uniform(c.seed+1, 3*c.w*c.h)
		metrics := make([][]float32, len(s.Taps))
		for i, tap := range s.Taps {
			if c.metric && i%2 == 0 {
				metrics[i] = symmetric(uint64(30+i), s.Network.Layers[tap.Layer].Out)
			}
		}
		r, err := enginetest.Reference{}.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		r.Forward(enginetest.Vector(y))
		r.SetContent(metrics)
		want := r.Forward(enginetest.Vector(x))
		gradient := func(g []engine.Gradient) []float32 {
			dx := make(enginetest.Vector, len(x))
			r.Backward(dx, g)
			return dx
		}
		gs := gradients(s)
		wantDx := gradient(gs)
		for _, eng := range engines(t, 2) {
			t.Run(fmt.Sprintf("%dx%d %s %d taps %s", c.w, c.h, c.pooling, len(c.taps), eng.isa), func(t *testing.T) {
				e := compile(t, eng, s)
				if m := e.Forward(upload(e, y)); m[0].Content != 0 {
					t.Errorf("content is %g before SetContent", m[0].Content)
				}
				e.SetContent(metrics)
				got := e.Forward(upload(e, x))
				near := func(what string, err float64) {
					t.Helper()
					if !(err <= tolerance) {
						t.Errorf("%s: relative L2 error %.2e", what, err)
					}
				}
				for i, m := range got {
					name := s.Network.Layers[s.Taps[i].Layer].Tap()
					near(name, relative(e.activation(i), r.(interface{ Activation(int) []float64 }).Activation(i)))
					near(name+" Gram", relative(m.Gram, want[i].Gram))
					near(name+" mean", relative(m.Mean, want[i].Mean))
					near(name+" content", relative([]float64{m.Content}, []float64{want[i].Content}))
				}
				dx := upload(e, uniform(3, len(x)))
				e.Backward(dx, gs)
				near("gradient", relative(download(dx, e), wantDx))
				// Each part of the gradient by itself, so that a big one hides no small one.
				for i := range gs {
					only := make([]engine.Gradient, len(gs))
					only[i].Mean = gs[i].Mean
					e.Backward(dx, only)
					near(fmt.Sprintf("gradient of mean %d", i), relative(download(dx, e), gradient(only)))
					only[i] = engine.Gradient{Content: 1}
					e.Backward(dx, only)
					near(fmt.Sprintf("gradient of content %d", i), relative(download(dx, e), gradient(only)))
				}
			})
		}
	}
}

func TestThreads(t *testing.T) {
	for _, pooling := range []weights.Pooling{weights.AveragePooling, weights.MaxPooling} {
		s := engine.Spec{Network: network(7, tiny...), Pooling: pooling, Taps: taps(0, 2, 3, 7, 9), W: 83, H: 61}
		testThreads(t, s)
		s.W, s.H, s.Memory = 35, 131, 1 // two tiles
		testThreads(t, s)
	}
}

func testThreads(t *testing.T, s engine.Spec) {
	x := uniform(1, 3*s.W*s.H)
	for _, one := range engines(t, 1) {
		var want []float32
		for _, threads := range []int{1, 2, 3, 5} {
			eng, err := NewISA(one.isa, threads)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(eng.Close)
			e := compile(t, eng, s)
			px, dx := upload(e, x), e.NewVector(len(x))
			e.Forward(upload(e, uniform(2, len(x))))
			e.SetContent(nil)
			var got []float32
			for _, m := range e.Forward(px) {
				got = append(append(append(got, m.Gram...), m.Mean...), float32(m.Content))
			}
			e.Backward(dx, gradients(s))
			got = append(got, float32(e.TV(dx, px, 0.5)), float32(e.Dots([2]engine.Vector{dx, px})[0]))
			got = append(got, download(dx, e)...)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s, %d tiles: %d threads differ from one", one.isa, s.Pooling, len(e.tiles), threads)
			}
		}
	}
}

func TestMemory(t *testing.T) {
	for _, s := range []engine.Spec{
		{Network: network(7, tiny...), Pooling: weights.MaxPooling, Taps: taps(0, 2, 3, 7, 9), W: 83, H: 61},
		{Network: network(7, tiny...), Pooling: weights.MaxPooling, Taps: taps(0, 2, 3, 7, 9), W: 283, H: 261, Memory: 1},
		{Network: network(7, []int{32, 32}, []int{64}), Pooling: weights.AveragePooling, Taps: taps(1, 2), W: 300, H: 200},
	} {
		for _, eng := range engines(t, 2) {
			e := compile(t, eng, s)
			if got, want := eng.Memory(s), e.memory.bytes+eng.memory.bytes; got != want {
				t.Errorf("%s: Memory says %d, allocated are %d", eng.isa, got, want)
			}
			e.Close()
			if e.memory.bytes != 0 {
				t.Errorf("%d bytes remain after Close", e.memory.bytes)
			}
		}
	}
}

func TestWeightsAreShared(t *testing.T) {
	eng := engines(t, 1)[0]
	s := engine.Spec{Network: network(7, tiny...), Pooling: weights.MaxPooling, Taps: taps(0, 2), W: 20, H: 20}
	compile(t, eng, s)
	first := eng.memory.bytes
	s.W = 40
	compile(t, eng, s)
	if eng.memory.bytes != first {
		t.Error("a second size transformed the weights again")
	}
	s.Taps = taps(9)
	compile(t, eng, s)
	if eng.memory.bytes <= first {
		t.Error("deeper layers were not transformed")
	}
}

func TestNoMemory(t *testing.T) {
	eng := engines(t, 1)[0]
	s := engine.Spec{Network: network(7, []int{8}), Pooling: weights.MaxPooling, Taps: taps(0), W: 1 << 22, H: 1 << 22}
	if _, err := eng.Compile(s); err == nil {
		t.Error("exabytes were allocated")
	}
}

func TestUnknownISA(t *testing.T) {
	if _, err := NewISA("mmx", 1); err == nil {
		t.Error("mmx was accepted")
	}
	if _, err := New(-1); err == nil {
		t.Error("−1 threads were accepted")
	}
}

func TestOutOfRange(t *testing.T) {
	eng := engines(t, 1)[0]
	n := network(7, tiny...)
	for name, s := range map[string]engine.Spec{
		"too small": {Network: n, Pooling: weights.MaxPooling, Taps: taps(0), W: 15, H: 16},
		"no taps":   {Network: n, Pooling: weights.MaxPooling, W: 16, H: 16},
		"order":     {Network: n, Pooling: weights.MaxPooling, Taps: taps(2, 1), W: 16, H: 16},
		"beyond":    {Network: n, Pooling: weights.MaxPooling, Taps: taps(99), W: 16, H: 16},
		"pooling":   {Network: n, Pooling: "mean", Taps: taps(0), W: 16, H: 16},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			eng.Compile(s)
		}()
	}
}
