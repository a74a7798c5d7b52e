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
	return w.run(ctx, photoSource{t.in, s.checkInput, w.reporter, t.in, photo.ReadOwn}, photoSink{t, outfile.Mode(w.options.Overwrite), w.recipe(t), s.ledger, nil}, s)
}

// photoSource reads one photo, unless check returns an error for its size. Once it is read,
// what it loses is said, and its progress begins under a name.
type photoSource struct {
	path     string
	check    func(w, h int) error
	reporter reporter
	name     string
	read     func(path string, check func(w, h int) error) (*filter.Frame, error) // photo's
}

func (s photoSource) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		f, err := s.read(s.path, s.check)
		if err == nil {
			sayPhotoNotes(s.reporter, s.path, f)
			s.reporter.begin(s.name, 1, 0)
		}
		yield(f, err)
	}
}

// sayPhotoNotes says what is to be said of a photo, and was not yet.
func sayPhotoNotes(r reporter, in string, f *filter.Frame) {
	p, ok := f.Origin.(*photo.Photo)
	if !ok {
		return
	}
	for _, note := range p.Notes {
		r.say(in + ": " + note)
	}
	p.Notes = nil
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
	defer sayPhotoNotes(s.ledger.reporter, s.task.in, f) // of what its format does not keep
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
