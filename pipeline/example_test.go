package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/filter"
	"nstfilter/pipeline"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

// What the program does with a command line: here nstfilter --style style.png --iterations 1
// --size 32 photo.png painted.png.
func ExampleJob() {
	folder, err := os.MkdirTemp("", "example")
	must(err)
	defer os.RemoveAll(folder)
	path := func(name string) string { return filepath.Join(folder, name) }
	must(photo.Write(path("photo.png"), "", filter.NewFrame(64, 48)))
	must(photo.Write(path("style.png"), "", filter.NewFrame(32, 32)))

	job := pipeline.Job{
		Options:   pipeline.DefaultOptions(),
		Filter:    filter.DefaultOptions(),
		Coherence: coherence.DefaultOptions(),
		Video:     video.DefaultOptions(),
		Inputs:    []string{path("photo.png"), path("painted.png")},
		Stdin:     os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Stop: context.Background(),
	}
	job.Style = []string{path("style.png")}
	job.Filter.Iterations, job.Filter.Size = filter.Steps{1}, 32
	job.Quiet = true
	must(job.Run(context.Background()))

	painted, err := photo.Read(path("painted.png"))
	must(err)
	fmt.Printf("%d×%d\n", painted.W, painted.H)
	// Output: 64×48
}

// A stage of your own between a reader and a writer. Stages take and give streams, so that
// one can drop frames, hold them back, or look ahead.
func ExampleRun() {
	stdin := strings.NewReader("YUV4MPEG2 W1 H1 F25:1 Cmono\nFRAME\n0FRAME\n1FRAME\n2FRAME\n3")
	var stdout bytes.Buffer

	everySecond := func(_ context.Context, in pipeline.Frames) pipeline.Frames {
		return func(yield func(*filter.Frame, error) bool) {
			for frame, err := range in {
				if err == nil && frame.Index%2 == 1 {
					continue
				}
				if !yield(frame, err) {
					return
				}
			}
		}
	}
	source, err := video.NewY4MReader(stdin)
	must(err)
	sink := pipeline.WriterSink{Writer: video.NewY4MWriter(&stdout, source.Header())}
	must(pipeline.Run(context.Background(), source, sink, pipeline.Prefetch(2), everySecond))
	fmt.Printf("%q\n", stdout.String())
	// Output: "YUV4MPEG2 W1 H1 F25:1 Cmono\nFRAME\n0FRAME\n2"
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
