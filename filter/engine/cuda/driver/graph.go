//go:build cuda

package driver

// #include <cuda.h>
// #include "driver.h"
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// Graph is a sequence of launches and copies that the device runs in one call.
type Graph struct{ exec C.CUgraphExec }

// HasGraphs reports whether the driver knows what Capture needs (CUDA 11.4 and later).
func HasGraphs() bool { return C.driver_has_graphs() != 0 }

func stream(s cu.Stream) C.CUstream { return *(*C.CUstream)(unsafe.Pointer(&s)) }

// Capture records what f puts on the stream, and runs none of it. The stream must not be
// the default one. f allocates nothing on the device and does not wait for it.
func Capture(s cu.Stream, f func() error) (*Graph, error) {
	err := failed("cuStreamBeginCapture",
		C.cuStreamBeginCapture_v2(stream(s), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
	if err != nil {
		return nil, err
	}
	ferr := f()
	var graph C.CUgraph
	err = failed("cuStreamEndCapture", C.cuStreamEndCapture(stream(s), &graph))
	if graph != nil {
		defer C.cuGraphDestroy(graph)
	}
	if ferr != nil {
		return nil, ferr
	}
	if err != nil {
		return nil, err
	}
	g := new(Graph)
	err = failed("cuGraphInstantiate", C.cuGraphInstantiateWithFlags(&g.exec, graph, 0))
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Launch puts the whole graph on a stream.
func (g *Graph) Launch(s cu.Stream) error {
	return failed("cuGraphLaunch", C.cuGraphLaunch(g.exec, stream(s)))
}

// Close frees the graph.
func (g *Graph) Close() error {
	return failed("cuGraphExecDestroy", C.cuGraphExecDestroy(g.exec))
}
