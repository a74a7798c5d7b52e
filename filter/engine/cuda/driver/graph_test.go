//go:build cuda

package driver_test

import (
	"errors"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

func TestHostMemory(t *testing.T) {
	g := onGPU(t)
	x := random(1000)
	px := g.put(x)
	p := must(driver.HostAlloc(4000))(t)
	check(t, cu.MemcpyDtoHAsync(p, px, 4000, g.stream))
	check(t, g.stream.Synchronize())
	for i, v := range unsafe.Slice((*float32)(p), len(x)) {
		if v != x[i] {
			t.Fatalf("at %d: %v, not %v", i, v, x[i])
		}
	}
	check(t, driver.HostFree(p))
}

// A graph does its launches anew each time, on what is there then.
func TestGraph(t *testing.T) {
	if driver.Err() == nil && !driver.HasGraphs() {
		t.Skip("this driver has no graphs")
	}
	g := onGPU(t)
	x := random(1000)
	px := g.put(x)
	graph := must(driver.Capture(g.stream, func() error {
		return errors.Join(
			g.launch("probe_scale", 4, 256, 0, px, px, 2.0, 0.0, len(x)),
			g.launch("probe_scale", 4, 256, 0, px, px, 1.0, 1.0, len(x)))
	}))(t)
	for n := range 3 {
		for i, v := range get[float32](g, px, len(x)) {
			if v != x[i] {
				t.Fatalf("after %d launches, at %d: %v, not %v", n, i, v, x[i])
			}
			x[i] = 2*x[i] + 1
		}
		check(t, graph.Launch(g.stream))
	}
	check(t, g.stream.Synchronize())
	check(t, graph.Close())

	wrong := errors.New("wrong")
	if _, err := driver.Capture(g.stream, func() error { return wrong }); err != wrong {
		t.Fatalf("a capture that fails: %v", err)
	}
	check(t, g.launch("probe_scale", 4, 256, 0, px, px, 1.0, 0.0, len(x)))
}
