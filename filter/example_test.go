//go:build cgo

package filter_test

import (
	"context"
	"fmt"

	"nstfilter/filter"
	"nstfilter/filter/engine/cpu"
	"nstfilter/weights"
)

// A picture in five lines; photo.Read and photo.Write of pipeline/photo bring it in
// and out.
func Example() {
	content, style := gradient(64, 48), checks(64, 64)

	engine, err := cpu.New(0)
	must(err)
	f, err := filter.New(filter.DefaultOptions(), engine, weights.Slim(), []*filter.Frame{style})
	must(err)
	defer f.Close()
	painted, report, err := f.Paint(context.Background(), content, filter.Guide{})
	must(err)

	fmt.Printf("%d×%d after %d iterations\n", painted.W, painted.H, report.Iterations)
	// Output: 64×48 after 70 iterations
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func gradient(w, h int) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		f.Pix[i] = float32(i%w) / float32(w)
	}
	return f
}

func checks(w, h int) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		f.Pix[i] = float32((i%w/8 + i/w/8) % 2)
	}
	return f
}
