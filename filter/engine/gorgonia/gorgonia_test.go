package gorgonia_test

import (
	"runtime"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/filter/engine/gorgonia"
	"nstfilter/weights"
)

// An autodiff against derivatives written by hand: each checks the other.
func TestReference(t *testing.T) { enginetest.Run(t, gorgonia.New(), enginetest.Reference{}) }

// TestMemory holds Memory against what the heap keeps after one forward and
// backward: within a factor of 1.5, for networks that widen and that do not.
func TestMemory(t *testing.T) {
	testMemory(t, [][]int{{16, 16}, {32, 32}, {64, 64}})
	testMemory(t, [][]int{{24, 24}, {24, 24}, {24}})
	testMemory(t, [][]int{{8}, {64}, {8}})
}

func testMemory(t *testing.T, blocks [][]int) {
	n := &weights.Network{Std: [3]float32{1, 1, 1}}
	in := 3
	for b, block := range blocks {
		for i, out := range block {
			l := weights.Layer{Block: b + 1, Index: i + 1, In: in, Out: out, Weight: make([]float32, out*in*9), Bias: make([]float32, out)}
			n.Layers = append(n.Layers, l)
			in = out
		}
	}
	for _, p := range []weights.Pooling{weights.AveragePooling, weights.MaxPooling} {
		s := engine.Spec{Network: n, Pooling: p, W: 96, H: 64, Taps: []engine.Tap{
			{Layer: 0, Style: true}, {Layer: 1, Style: true}, {Layer: len(n.Layers) - 1, Content: true},
		}}
		e := gorgonia.New()
		before := heap()
		ev, err := e.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		x := ev.NewVector(3 * s.W * s.H)
		ev.Forward(x)
		ev.SetContent(make([][]float32, len(s.Taps)))
		ev.Backward(x, make([]engine.Gradient, len(s.Taps)))
		held := heap() - before
		ev.Close()
		want := e.Memory(s)
		t.Logf("%v %s pooling: holds %d kB, estimate %d kB", blocks, p, held>>10, want>>10)
		if want < held || want > held*3/2 {
			t.Errorf("%v %s pooling: holds %d bytes, estimate %d", blocks, p, held, want)
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
