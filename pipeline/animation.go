package pipeline

import (
	"context"
	"fmt"
	"os"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
)

// openFilm opens the task's film. An animated WebP, which ffmpeg does not read, is written
// as raw film to the folder for temporary files first. Call done when it is painted.
func (w *worker) openFilm(ctx context.Context, t paintTask) (film *video.Film, done func(), err error) {
	path, done := t.in, func() {}
	if t.animation {
		if path, err = w.unpackAnimation(t.in); err != nil {
			return nil, done, err
		}
		done = func() { os.Remove(path) }
	}
	film, err = video.OpenFilm(ctx, path, w.video)
	return film, done, err
}

// unpackAnimation returns the name of a NUT file with the frames of an animated WebP.
func (w *worker) unpackAnimation(in string) (path string, err error) {
	a, err := photo.ReadAnimation(in)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(w.tempDir, "nstfilter-*.nut")
	if err != nil {
		return "", fmt.Errorf("%s: it needs a file in the folder for temporary files: %w", in, err)
	}
	clock := filter.Rational{Num: 1, Den: 1000}
	h := video.NUTHeader{TimeBase: clock}
	h.W, h.H, h.Full = a.W, a.H, true
	h.Format = video.PixelFormat{Sampling: video.RGB, Depth: 8, Alpha: a.Alpha}
	out, at := video.NewNUTWriter(file, h), int64(0)
	for i, delay := range a.Delays {
		f := a.Frame(i)
		f.PTS, f.TimeBase, f.Duration = at, clock, int64(delay)
		if err == nil {
			err = out.WriteFrame(f)
		}
		at += int64(delay)
	}
	for _, end := range []func() error{out.Close, file.Close} {
		if failed := end(); err == nil {
			err = failed
		}
	}
	if err != nil {
		os.Remove(file.Name())
		return "", fmt.Errorf("%s: its frames, for %s: %w", in, file.Name(), err)
	}
	return file.Name(), nil
}
