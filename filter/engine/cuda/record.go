//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

// lossArgs are the arguments of EvaluateLoss. Calls with the same arguments launch the same
// kernels until terms, targets, masks or buffers change.
type lossArgs struct {
	dx, x       cu.DevicePtr
	tv, gamut   float64
	prior, w    cu.DevicePtr
	priorWeight float64
}

// recorder replays the launches of the latest lossArgs as one CUDA graph: for a small picture
// launching kernels one by one takes longer than running them.
type recorder struct {
	lossArgs lossArgs
	graph    *driver.Graph // nil: not recorded yet
}

// do launches the kernels for j, or replays them. The first call launches, which also looks the
// kernels up; the second records. Inside device.do.
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

// drop frees the recording, on a lost device too.
func (r *recorder) drop(d *device) {
	if r.graph != nil {
		if err := r.graph.Close(); err != nil && d.lost == nil {
			d.fail(err, "forgetting what was recorded")
		}
	}
	*r = recorder{}
}
