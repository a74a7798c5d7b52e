//go:build cuda

package driver_test

import (
	"debug/elf"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
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
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// The program needs no libcuda to start, and says why it has none.
func TestWithoutDriver(t *testing.T) {
	program := must(elf.Open(must(os.Executable())(t)))(t)
	defer program.Close()
	for _, library := range must(program.ImportedLibraries())(t) {
		if strings.Contains(library, "cuda") {
			t.Errorf("the program needs %s to start", library)
		}
	}
	if os.Getenv("NSTFILTER_LIBCUDA") == "/nowhere" {
		fmt.Println(driver.Err())
		return
	}
	out := rerun(t, "TestWithoutDriver", "NSTFILTER_LIBCUDA=/nowhere")
	if !strings.Contains(out, "no libcuda.so.1 on this machine: /nowhere: cannot open") {
		t.Errorf("without a driver: %s", out)
	}
}

// rerun runs one test in a process of its own and returns what it printed.
func rerun(t *testing.T, test string, env ...string) string {
	t.Helper()
	c := exec.Command(must(os.Executable())(t), "-test.run=^"+test+"$")
	c.Env = append(os.Environ(), env...)
	out, _ := c.CombinedOutput()
	return string(out)
}
