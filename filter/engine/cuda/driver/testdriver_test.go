//go:build cuda

package driver_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/cu"
)

// onTestDriver skips the test on a GPU.
func onTestDriver(t *testing.T) *gpu {
	t.Helper()
	g := onGPU(t)
	device := must(cu.CurrentDevice())(t)
	if name := must(device.Name())(t); !strings.HasPrefix(name, "test driver") {
		t.Skip("of the test driver alone")
	}
	return g
}

// What was never written is NaN, so that no result can come of it unseen.
func TestNewMemoryIsNaN(t *testing.T) {
	g := onTestDriver(t)
	for i, v := range get[float32](g, g.alloc(400), 100) {
		if !math.IsNaN(float64(v)) {
			t.Fatalf("at %d: %v", i, v)
		}
	}
}

func TestCopiesOutOfRange(t *testing.T) {
	g := onTestDriver(t)
	p := g.alloc(400)
	x := make([]byte, 500)
	for _, c := range []struct {
		at    cu.DevicePtr
		bytes int64
	}{{p, 401}, {p + 100, 301}, {p - 1, 1}, {p + 400, 1}, {0, 1}} {
		if cu.MemcpyHtoD(c.at, unsafe.Pointer(&x[0]), c.bytes) == nil {
			t.Errorf("%d bytes to %d of 400 were copied", c.bytes, int64(c.at)-int64(p))
		}
		if cu.MemcpyDtoH(unsafe.Pointer(&x[0]), c.at, c.bytes) == nil {
			t.Errorf("%d bytes from %d of 400 were copied", c.bytes, int64(c.at)-int64(p))
		}
	}
}

func TestMemoryHasAnEnd(t *testing.T) {
	g := onTestDriver(t)
	t.Setenv("FAKE_CUDA_MEMORY", "1000")
	g.alloc(600)
	if _, err := cu.MemAlloc(401); err == nil {
		t.Fatal("1001 bytes of 1000")
	}
	free, total, err := cu.MemInfo()
	check(t, err)
	if free != 400 || total != 1000 {
		t.Fatalf("%d of %d bytes free", free, total)
	}
}

func TestLaunchLimits(t *testing.T) {
	g := onTestDriver(t)
	p := g.alloc(4096 * 4)
	for _, block := range []int{0, 1025} {
		if g.launch("probe_turn", 1, block, 4*1025, p) == nil {
			t.Errorf("a block of %d threads was launched", block)
		}
	}
}

func TestModuleForNewerGPU(t *testing.T) {
	onTestDriver(t)
	const ptx = ".version 7.0\n.target sm_80\n.visible .entry probe_turn(\n\t.param .u64 x\n)\n{\n}\n"
	check(t, must(cu.LoadData(ptx))(t).Unload())
	t.Setenv("FAKE_CUDA_CC", "70")
	if _, err := cu.LoadData(ptx); err == nil {
		t.Error("sm_80 was loaded on sm_70")
	}
}

func TestParametersOfPTXAndSourceDiffer(t *testing.T) {
	onTestDriver(t)
	module := must(cu.LoadData(".target sm_52\n.entry probe_turn(.param .u64 x, .param .u64 y)\n{\n}\n"))(t)
	if _, err := module.Function("probe_turn"); err == nil {
		t.Error("a kernel of one parameter was found where the PTX has two")
	}
}

func TestLostDevice(t *testing.T) {
	g := onTestDriver(t)
	p := must(cu.MemAlloc(4 * 96))(t)
	t.Setenv("FAKE_CUDA_LOSE_AFTER", "2")
	for range 2 {
		check(t, g.launch("probe_turn", 1, 96, 4*96, p))
	}
	if _, err := cu.MemAlloc(1); err == nil || g.stream.Synchronize() == nil {
		t.Error("a lost device goes on")
	}
}

func TestDivergentBarrier(t *testing.T) {
	for _, c := range []struct {
		kernel, want string
		threads      int
	}{
		{"probe_divergent", "__syncthreads is reached by 40 of 64 threads", 64},
		{"probe_divergent_warp", "8 threads of a block wait for the rest of their warp", 64},
	} {
		if os.Getenv("DIVERGE") == c.kernel {
			g := onTestDriver(t)
			g.launch(c.kernel, 1, c.threads, 0, 40)
			return
		}
		if os.Getenv("DIVERGE") != "" {
			continue
		}
		onTestDriver(t)
		if out := rerun(t, "TestDivergentBarrier", "DIVERGE="+c.kernel); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s", c.kernel, out)
		}
	}
}

func TestWriteBehindAllocation(t *testing.T) {
	if os.Getenv("OVERRUN") != "" {
		g := onTestDriver(t)
		p := must(cu.MemAlloc(4 * 95))(t)
		check(t, g.launch("probe_turn", 1, 96, 4*96, p))
		cu.MemFree(p)
		return
	}
	onTestDriver(t)
	want := "wrote at byte 0 behind an allocation of 380"
	if out := rerun(t, "TestWriteBehindAllocation", "OVERRUN=1"); !strings.Contains(out, want) {
		t.Error(out)
	}
}
