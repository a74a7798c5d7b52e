//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

// lossArgs is one call of EvaluateLoss. What it launches depends on nothing else until terms,
// targets, masks or buffers change.
type lossArgs struct {
	dx, x       cu.DevicePtr
	tv, gamut   float64
	prior, w    cu.DevicePtr
	priorWeight float64
}

// recorder keeps the launches of the latest lossArgs, for the driver to do in one call: a
// small picture's kernels are done sooner than they are launched one by one.
type recorder struct {
	lossArgs lossArgs
	graph    *driver.Graph // nil: the lossArgs came only once
}

// do runs a lossArgs by launch, or as it was recorded. The first time it launches, which
// looks kernels up; the second time it records. Inside device.do.
func (r *recorder) do(d *device, j lossArgs, launch func(lossArgs)) {
	switch {
	case r.lossArgs != j:
		r.drop(d)
		r.lossArgs = j
		launch(j)
		return
	case !driver.HasGraphs():
		launch(j)
		return
	case r.graph == nil:
		var err error
		r.graph, err = driver.Capture(d.stream, func() error {
			launch(j)
			return nil
		})
		d.check(err, "recording launches")
	}
	d.check(r.graph.Launch(d.stream), "launching what was recorded")
}

// forget drops what was recorded, on a lost device too.
func (r *recorder) drop(d *device) {
	if r.graph != nil {
		if err := r.graph.Close(); err != nil && d.lost == nil {
			d.fail(err, "forgetting what was recorded")
		}
	}
	*r = recorder{}
}
