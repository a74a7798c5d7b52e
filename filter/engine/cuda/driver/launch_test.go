//go:build cuda

package driver_test

import (
	"errors"
	"math"
	"testing"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

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
	if err := driver.SetSharedMemory(f, 1<<20); !errors.Is(err, cu.InvalidValue) {
		t.Fatalf("1 MiB of shared memory: %v", err)
	}
}
