package pipeline

import (
	"context"
	"io"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
	"nstfilter/video/outfile"
)

// paintPhoto paints one photo, a film of one frame. The photo is finished even if Stop is
// cancelled meanwhile.
func (w *worker) paintPhoto(ctx context.Context, t paintTask) error {
	s := &stylizer{worker: w, ledger: w.newLedger(t.in), frames: 1, strength: t.strength, mask: t.mask, stop: context.Background()}
	begin := func() { w.reporter.begin(t.in, 1, 0) }
	return w.run(ctx, photoSource{t.in, s.checkInput, begin, photo.ReadOwn}, photoSink{t, outfile.Mode(w.options.Overwrite), w.recipe(t), s.ledger, nil}, s)
}

// photoSource reads one photo, unless check returns an error for its size. It calls begin
// once the photo is read.
type photoSource struct {
	path  string
	check func(w, h int) error
	begin func()
	read  func(path string, check func(w, h int) error) (*filter.Frame, error) // photo's
}

func (s photoSource) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		f, err := s.read(s.path, s.check)
		if err == nil {
			s.begin()
		}
		yield(f, err)
	}
}

// photoSink writes one photo, whole or not at all.
type photoSink struct {
	task   paintTask
	mode   outfile.Mode
	made   *recipe.Recipe
	ledger *statLedger
	stdout io.Writer // nil: it goes to a file
}

func (s photoSink) WriteFrame(f *filter.Frame) error {
	if p, ok := f.Origin.(*photo.Photo); ok {
		defer func() {
			for _, note := range p.Notes {
				s.ledger.reporter.say(s.task.in + ": " + note)
			}
		}()
	}
	made := s.ledger.madeByHand(f, s.made)
	if s.stdout != nil {
		data, err := photo.Encode(s.task.out, s.task.options, f, made)
		if err == nil {
			_, err = s.stdout.Write(data)
			err = nameStdout(err)
		}
		return err
	}
	return photo.WriteAs(s.mode, s.task.out, s.task.options, f, made)
}

func (s photoSink) End(cause error) error {
	return nameInput(cause, s.task.in, s.task.out, "--stats")
}
