package pipeline

import (
	"context"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// paintPhoto paints one photo, a film of one frame. The photo is finished even if Stop is
// cancelled meanwhile.
func (w *worker) paintPhoto(ctx context.Context, t paintTask) error {
	s := &stylizer{worker: w, ledger: w.newLedger(t.in), frames: 1, stop: context.Background()}
	begin := func() { w.reporter.begin(t.in, 1, 0) }
	return w.run(ctx, photoSource{t.in, begin}, photoSink{t, w.options.Overwrite, w.reporter}, s)
}

// photoSource reads one photo. It calls begin once the photo is read.
type photoSource struct {
	path  string
	begin func()
}

func (s photoSource) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		f, err := photo.Read(s.path)
		if err == nil {
			s.begin()
		}
		yield(f, err)
	}
}

// photoSink writes one photo, whole or not at all.
type photoSink struct {
	task      paintTask
	overwrite bool
	reporter  reporter
}

func (s photoSink) WriteFrame(f *filter.Frame) error {
	if p, ok := f.Origin.(*photo.Photo); ok {
		defer func() {
			for _, note := range p.Notes {
				s.reporter.say(s.task.in + ": " + note)
			}
		}()
	}
	return writePhoto(s.task.out, s.task.options, s.overwrite, f)
}

// writePhoto replaces an existing file only if overwrite is true.
func writePhoto(path, options string, overwrite bool, f *filter.Frame) error {
	if overwrite {
		return photo.Write(path, options, f)
	}
	return photo.WriteNew(path, options, f)
}

func (s photoSink) End(cause error) error {
	return nameInput(cause, s.task.in, s.task.out, "--stats")
}
