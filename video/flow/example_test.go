package flow_test

import (
	"fmt"
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// The motion between two frames, and the first one moved onto the second along it.
func Example() {
	first, second := waves(64, 48, 0), waves(64, 48, 3) // 3 pixels further to the right

	estimator := flow.New(64, 48, flow.Medium, 0)
	estimator.Next(first)
	_, backward := estimator.Next(second)
	u, _, _ := backward.At(32, 24)
	fmt.Printf("what the second shows in its middle was %.1f pixels further to the left\n", -u)

	moved := filter.NewFrame(64, 48)
	flow.Warp(moved.Pix, first.Pix, backward, 0)
	middle := 24*64 + 32
	fmt.Printf("there the first shows %.2f, moved %.2f, and the second %.2f\n", first.Pix[middle], moved.Pix[middle], second.Pix[middle])
	// Output:
	// what the second shows in its middle was 3.0 pixels further to the left
	// there the first shows 0.25, moved 0.29, and the second 0.29
}

// waves is a picture of soft shapes, dx pixels to the right.
func waves(w, h, dx int) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		x, y := float64(i%w-dx), float64(i/w%h)
		f.Pix[i] = float32(0.5 + 0.2*math.Sin(x/4+y/9) + 0.2*math.Cos(y/5-x/11))
	}
	return f
}
