package video_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"nstfilter/filter"
	"nstfilter/video"
	"nstfilter/video/outfile"
)

// A film's frames changed, its sound, subtitles and times kept. ffmpeg decodes and encodes.
func Example() {
	ctx, options := context.Background(), video.DefaultOptions()
	film, err := video.OpenFilm(ctx, "in.mkv", options)
	must(err)
	film.Painted = true
	file, err := outfile.Reserve("out.mkv", outfile.Keep)
	must(err)
	sink, err := video.CreateFilm(ctx, film, file, options)
	must(err)
	defer sink.Abort() // without effect after Close
	for frame, err := range film.Frames(ctx) {
		must(err)
		must(sink.WriteFrame(negative(frame)))
	}
	must(sink.Close())
}

// A stage in a pipe.
func ExampleY4MReader() {
	stdin := strings.NewReader("YUV4MPEG2 W2 H2 F25:1 Cmono\nFRAME\n\x00\x40\x80\xff")
	var stdout bytes.Buffer

	reader, err := video.NewY4MReader(stdin)
	must(err)
	writer := video.NewY4MWriter(&stdout, reader.Header())
	for frame, err := range reader.Frames(context.Background()) {
		must(err)
		must(writer.WriteFrame(negative(frame)))
	}
	must(writer.Close())
	fmt.Printf("%q\n", stdout.String())
	// Output: "YUV4MPEG2 W2 H2 F25:1 Cmono\nFRAME\n\xff\xbf\x7f\x00"
}

// Frames that a program makes itself, with times that y4m could not say.
func ExampleNUTWriter() {
	header := video.NUTHeader{
		Layout:   video.Layout{W: 2, H: 1, Format: video.PixelFormat{Sampling: video.RGB, Depth: 8}, Full: true},
		TimeBase: filter.Rational{Num: 1, Den: 1000},
	}
	var stream bytes.Buffer
	writer := video.NewNUTWriter(&stream, header)
	for i, milliseconds := range []int64{0, 40, 1000} {
		frame := filter.NewFrame(2, 1)
		frame.Pix[0] = float32(i) / 2 // red of the first pixel
		frame.PTS, frame.TimeBase = milliseconds, header.TimeBase
		must(writer.WriteFrame(frame))
	}
	must(writer.Close())

	reader, err := video.NewNUTReader(&stream)
	must(err)
	for frame, err := range reader.Frames(context.Background()) {
		must(err)
		fmt.Printf("%d/%d s: red %.1f\n", frame.PTS*frame.TimeBase.Num, frame.TimeBase.Den, frame.Pix[0])
	}
	// Output:
	// 0/1000 s: red 0.0
	// 40/1000 s: red 0.5
	// 1000/1000 s: red 1.0
}

// negative returns a frame with its colours turned round. It keeps the frame's time and its
// native samples, which writers add the change to.
func negative(f *filter.Frame) *filter.Frame {
	pix := make([]float32, len(f.Pix))
	for i, v := range f.Pix {
		pix[i] = 1 - v
	}
	return f.With(pix)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
