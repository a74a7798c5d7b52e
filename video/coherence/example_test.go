//go:build cgo

package coherence_test

import (
	"context"
	"fmt"
	"math"

	"nstfilter/filter"
	"nstfilter/filter/engine/cpu"
	"nstfilter/video/coherence"
	"nstfilter/weights"
)

// A film: each frame is painted from the one before, moved as the picture has moved, and is
// held to it.
func Example() {
	engine, err := cpu.New(0)
	must(err)
	painter, err := filter.New(filter.DefaultOptions(), engine, weights.Slim(), []*filter.Frame{stripes(48, 48, 0)})
	must(err)
	defer painter.Close()
	painter.Film = true
	analyzer, err := coherence.NewAnalyzer(coherence.DefaultOptions(), 0)
	must(err)
	history := coherence.NewHistory(0)

	for i := range 3 {
		frame := stripes(64, 48, 2*i) // video.OpenFilm brings them from a file
		analysis, err := analyzer.Analyze(frame)
		must(err)
		guide := history.Guide(analysis)
		painted, report, err := painter.Paint(context.Background(), frame, guide)
		must(err)
		history.Keep(painted, report.Margin)

		motion, begins := analysis.Motion()
		if begins {
			fmt.Printf("frame %d begins a scene, and is painted coarse to fine\n", i)
			continue
		}
		u, _, _ := motion.At(32, 24)
		fmt.Printf("frame %d starts from the one before: %v, moved by %.0f pixels\n", i, guide.Start != nil, -u)
	}
	// Output:
	// frame 0 begins a scene, and is painted coarse to fine
	// frame 1 starts from the one before: true, moved by 2 pixels
	// frame 2 starts from the one before: true, moved by 2 pixels
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// stripes is a picture of soft shapes, dx pixels to the right.
func stripes(w, h, dx int) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		x, y := float64(i%w-dx), float64(i/w%h)
		f.Pix[i] = float32(0.5 + 0.2*math.Sin(x/3+y/8) + 0.2*math.Cos(y/4-x/7))
	}
	return f
}
