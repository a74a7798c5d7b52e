//go:build cuda

package driver_test

import (
	"math"
	"math/rand"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

// gpu is a context with the probe's kernels, on the test driver or on a GPU.
type gpu struct {
	t      *testing.T
	module cu.Module
	stream cu.Stream
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onGPU skips the test where there is no driver, unless one is demanded.
func onGPU(t *testing.T) *gpu {
	t.Helper()
	if err := driver.Err(); err != nil {
		if os.Getenv("NSTFILTER_LIBCUDA") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	runtime.LockOSThread()
	device := must(cu.GetDevice(0))(t)
	context := must(device.MakeContext(cu.SchedAuto))(t)
	ptx := must(os.ReadFile("../testdriver/probe.ptx"))(t)
	g := &gpu{t: t}
	g.module = must(cu.LoadData(string(ptx)))(t)
	g.stream = must(cu.MakeStream(cu.DefaultStream))(t)
	t.Cleanup(func() {
		check(t, context.Destroy())
		runtime.UnlockOSThread()
	})
	return g
}

// launch runs a kernel; every parameter is 8 bytes.
func (g *gpu) launch(kernel string, grid, block, shared int, args ...any) error {
	values := make([]uint64, len(args))
	pointers := make([]unsafe.Pointer, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case cu.DevicePtr:
			values[i] = uint64(a)
		case int:
			values[i] = uint64(a)
		case float64:
			values[i] = math.Float64bits(a)
		default:
			g.t.Fatalf("argument %T", a)
		}
		pointers[i] = unsafe.Pointer(&values[i])
	}
	f := must(g.module.Function(kernel))(g.t)
	return f.Launch(grid, 1, 1, block, 1, 1, shared, g.stream, pointers)
}

func (g *gpu) alloc(bytes int) cu.DevicePtr {
	g.t.Helper()
	p := must(cu.MemAlloc(int64(bytes)))(g.t)
	g.t.Cleanup(func() { check(g.t, cu.MemFree(p)) })
	return p
}

func (g *gpu) put(x []float32) cu.DevicePtr {
	g.t.Helper()
	p := g.alloc(4 * len(x))
	check(g.t, cu.MemcpyHtoD(p, unsafe.Pointer(&x[0]), int64(4*len(x))))
	return p
}

func get[T any](g *gpu, p cu.DevicePtr, n int) []T {
	g.t.Helper()
	check(g.t, g.stream.Synchronize())
	x := make([]T, n)
	check(g.t, cu.MemcpyDtoH(unsafe.Pointer(&x[0]), p, int64(n)*int64(unsafe.Sizeof(x[0]))))
	return x
}

func random(n int) []float32 {
	r := rand.New(rand.NewSource(1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func TestLaunch(t *testing.T) {
	g := onGPU(t)
	x := random(1000)
	px, out := g.put(x), g.alloc(4*len(x))
	check(t, g.launch("probe_scale", 4, 256, 0, out, px, 2.0, 1.0, len(x)))
	for i, v := range get[float32](g, out, len(x)) {
		if v != 2*x[i]+1 {
			t.Fatalf("at %d: %v, not %v", i, v, 2*x[i]+1)
		}
	}
}

func TestWarpsAndBarriers(t *testing.T) {
	g := onGPU(t)
	x := random(100_003)
	const blocks = 37
	px, sums := g.put(x), g.alloc(8*blocks)
	check(t, g.launch("probe_sum", blocks, 256, 0, sums, px, len(x)))
	var got, want float64
	for _, v := range get[float64](g, sums, blocks) {
		got += v
	}
	for _, v := range x {
		want += float64(v)
	}
	if math.Abs(got-want) > 1e-9 {
		t.Fatalf("%v, not %v", got, want)
	}
}

func TestDynamicSharedMemory(t *testing.T) {
	g := onGPU(t)
	x := random(5 * 96)
	px := g.put(x)
	check(t, g.launch("probe_turn", 5, 96, 4*96, px))
	for i, v := range get[float32](g, px, len(x)) {
		if want := x[i/96*96+95-i%96]; v != want {
			t.Fatalf("at %d: %v, not %v", i, v, want)
		}
	}
}

// More than 48 KiB must be asked for first.
func TestSetSharedMemory(t *testing.T) {
	g := onGPU(t)
	px := g.put(random(96))
	const most = 64 << 10
	if err := g.launch("probe_turn", 1, 96, most, px); err == nil {
		t.Fatal("launched with 64 KiB of shared memory")
	}
	f := must(g.module.Function("probe_turn"))(t)
	check(t, driver.SetSharedMemory(f, most))
	if err := driver.SetSharedMemory(f, 1<<20); err == nil || !strings.Contains(err.Error(), "cuFuncSetAttribute") {
		t.Fatalf("1 MiB of shared memory: %v", err)
	}
}
