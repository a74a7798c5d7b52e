//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"nstfilter/filter/engine"
)

// onTestDriver skips a test on a GPU: it is about what the test driver can be told to do.
func onTestDriver(t *testing.T) {
	t.Helper()
	needGPU(t)
	if all, err := Devices(); err != nil || !strings.HasPrefix(all[0].Name, "test driver") {
		t.Skip("of the test driver alone")
	}
}

func TestNoSuchDevice(t *testing.T) {
	onTestDriver(t)
	for _, c := range []struct {
		ordinal      int
		isa, cc, say string
	}{
		{1, "auto", "80", "there is no such device: this machine has 1"},
		{-1, "auto", "80", "there is no such device"},
		{0, "avx", "80", "give auto, simt or tensor"},
		{0, "tensor", "75", "no tensor cores for bfloat16: compute capability 7.5"},
		{0, "simt", "50", "compute capability 5.0, 5.2 is the least"},
	} {
		t.Setenv("FAKE_CUDA_CC", c.cc)
		if _, err := New(c.ordinal, c.isa); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("cuda:%d %s of %s: %v", c.ordinal, c.isa, c.cc, err)
		}
	}
}

func TestAuto(t *testing.T) {
	onTestDriver(t)
	for cc, name := range map[string]string{"70": "cuda:0 test driver 0", "80": "cuda:0 test driver 0, tensor cores"} {
		t.Setenv("FAKE_CUDA_CC", cc)
		e := newEngine(t, "auto")
		if e.Name() != name || e.HasBF16() != strings.Contains(name, "tensor") {
			t.Errorf("of %s: %s, bfloat16 %v", cc, e.Name(), e.HasBF16())
		}
	}
}

// Copies larger than the memory they go through, and as large.
func TestCopies(t *testing.T) {
	e := newEngine(t, "simt")
	d := e.device
	for _, n := range []int{1, stagingBytes, stagingBytes + 1, 3*stagingBytes - 7} {
		src, dst := make([]byte, n), make([]byte, n)
		for i := range src {
			src[i] = byte(i ^ i>>8 ^ i>>16)
		}
		d.do(func() {
			p, err := d.alloc("a copy", int64(n))
			if err != nil {
				t.Fatal(err)
			}
			defer d.free(p)
			d.upload(p, unsafe.Pointer(&src[0]), int64(n))
			d.download(unsafe.Pointer(&dst[0]), p, int64(n))
		})
		for i := range src {
			if src[i] != dst[i] {
				t.Fatalf("%d bytes: %d at %d, want %d", n, dst[i], i, src[i])
			}
		}
	}
}

// failure is what f panics with.
func failure(t *testing.T, f func()) (err error) {
	t.Helper()
	defer func() {
		t.Helper()
		failure, ok := recover().(engine.Failure)
		if !ok {
			t.Fatal("no engine.Failure")
		}
		err = failure.Err
	}()
	f()
	return nil
}

func TestLost(t *testing.T) {
	onTestDriver(t)
	e := newEngine(t, "simt")
	s := slimSpec(32, 24)
	ev := compile(t, e, s)
	x, dx := ev.NewVector(3*s.W*s.H), ev.NewVector(3*s.W*s.H)
	ev.Forward(x)
	t.Setenv("FAKE_CUDA_LOSE_AFTER", "30")
	err := failure(t, func() {
		for range 10 {
			ev.Forward(x)
		}
	})
	if errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), "cuda:0 test driver 0 failed: ") {
		t.Error(err)
	}
	for what, call := range map[string]func(){
		"Forward":   func() { ev.Forward(x) },
		"Backward":  func() { ev.Backward(dx, make([]engine.Gradient, len(s.Taps))) },
		"NewVector": func() { ev.NewVector(1) },
		"SetMask":   func() { ev.SetMask(make([]float32, s.W*s.H)) },
	} {
		if again := failure(t, call); again != err {
			t.Errorf("%s: %v, first %v", what, again, err)
		}
	}
	if _, again := e.Compile(s); !errors.Is(again, err) || !errors.As(again, &engine.Failure{}) {
		t.Errorf("Compile: %v, first %v", again, err)
	}
	if n := e.FreeMemory(); n != 0 {
		t.Errorf("%d bytes are free", n)
	}
	ev.Close()
}

func TestOutOfMemory(t *testing.T) {
	onTestDriver(t)
	e := newEngine(t, "simt")
	s := slimSpec(64, 48)
	need := e.Memory(s)
	leave := func(bytes int64) {
		t.Setenv("FAKE_CUDA_MEMORY", fmt.Sprint(bytes+e.device.bytes))
	}
	leave(need / 2)
	_, err := e.Compile(s)
	if !errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), "cuda:0 test driver 0: no memory for ") {
		t.Fatal(err)
	}
	if n := weightBytes(e, s); e.device.bytes != n {
		t.Errorf("%d bytes are left after it, the weights are %d", e.device.bytes, n)
	}
	leave(need - weightBytes(e, s))
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	ev.(engine.LossEvaluator).SetTerms(make([]engine.Term, len(s.Taps)))
	if n := e.FreeMemory(); n != 0 {
		t.Errorf("%d bytes are free", n)
	}
	mask := make([]float32, s.W*s.H)
	for what, call := range map[string]func(){
		"NewVector": func() { ev.NewVector(1) },
		"SetMask":   func() { ev.SetMask(mask) },
	} {
		if err := failure(t, call); !errors.Is(err, engine.ErrMemory) {
			t.Errorf("%s: %v", what, err)
		}
	}
	leave(need)
	ev.Forward(ev.NewVector(3 * s.W * s.H))
}

// The shortest network there is needs one scratch field, and no products' scratch.
func TestOneLayer(t *testing.T) {
	for _, isa := range []string{"simt", "tensor"} {
		e := newEngine(t, isa)
		s := slimSpec(20, 17)
		s.Taps = []engine.Tap{{Layer: 0, Style: true}}
		ev := compile(t, e, s)
		x, dx := ev.NewVector(3*s.W*s.H), ev.NewVector(3*s.W*s.H)
		g := engine.Gradient{Mean: slices.Clone(ev.Forward(x)[0].Mean)}
		ev.Backward(dx, []engine.Gradient{g})
		if ev.Dots([2]engine.Vector{dx, dx})[0] == 0 {
			t.Errorf("%s: no gradient", isa)
		}
		ev.Close()
	}
}

// weightBytes is what an engine keeps of a network for s.
func weightBytes(e *Engine, s engine.Spec) int64 {
	p := newPlan(s, e.products)
	return p.weightBytes(false) + p.weightBytes(true)
}

func TestMemory(t *testing.T) {
	for _, isa := range []string{"simt", "tensor"} {
		for _, precision := range []engine.Precision{engine.FP32, engine.Mixed, engine.BF16} {
			if isa == "simt" && precision != engine.FP32 {
				continue
			}
			for _, limit := range []int64{0, 1} {
				t.Run(fmt.Sprint(isa, precision, limit), func(t *testing.T) {
					e := newEngine(t, isa)
					s := slimSpec(90, 70)
					s.Precision, s.Memory = precision, limit
					need := e.Memory(s)
					for range 2 { // the second shares the weights
						ev := compile(t, e, s)
						ev.(engine.LossEvaluator).SetTerms(make([]engine.Term, len(s.Taps)))
						if e.device.bytes != need {
							t.Errorf("%d bytes are allocated, Memory says %d", e.device.bytes, need)
						}
						mask := make([]float32, s.W*s.H)
						ev.SetMask(mask)
						masked := e.device.bytes
						ev.SetMask(mask)
						if e.device.bytes != masked {
							t.Errorf("%d bytes under another mask, %d under one", e.device.bytes, masked)
						}
						ev.NewVector(5)
						ev.(engine.Multiplier).Congruence(make([]float32, 9), make([]float32, 9), make([]float32, 9), 3)
						ev.Close()
						if n := weightBytes(e, s); e.device.bytes != n {
							t.Errorf("%d bytes are left, the weights are %d", e.device.bytes, n)
						}
					}
				})
			}
		}
	}
}
