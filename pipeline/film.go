package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/journal"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/outfile"
)

// paintFilm paints a film in a file.
func (w *worker) paintFilm(ctx context.Context, t paintTask) error {
	film, done, err := w.openFilm(ctx, t)
	defer done()
	if err != nil {
		return nameInput(err, t.in)
	}
	return w.encodeFilm(ctx, t, film, func(int) Source { return film })
}

// encodeFilm paints the frames of a source, which film describes. The source need not read the
// samples of the frames that are kept.
func (w *worker) encodeFilm(ctx context.Context, t paintTask, film *video.Film, source func(kept int) Source) error {
	film.Painted = w.settings.Paints()
	if target, err := filepath.EvalSymlinks(t.out); err == nil {
		t.out = target // what -y replaces, and what the journal must lie beside
	}
	j, err := w.openJournal(t, t.out, film.Count, film.Count*film.FrameBytes()+int64(film.W)*int64(film.H)*stateBytes)
	if err != nil {
		return err
	}
	if j != nil && j.Completed(t.out) {
		w.reporter.say(t.in + ": was done before")
		return j.Remove()
	}
	if made := w.recipe(t); made != nil {
		if j == nil && w.preview != nil { // the encoder takes the record before the first frame
			made.ByHand = []string{"a preview was open, in which weights could be changed (--preview, --no-resume)"}
		}
		film.Recipe = made.XMP()
	}
	s := &stylizer{worker: w, ledger: w.newLedger(t.in), frames: film.Count, strength: t.strength, mask: t.mask, begin: secondsToDuration(film.Begin), pictures: t.sequence, stop: w.stop}
	dst, err := s.createFilm(ctx, film, t, j)
	if err != nil {
		if j != nil {
			j.Close()
		}
		return err
	}
	room := newRoomWatch(t.out, film.Count, 0, 0)
	if j != nil {
		if err := s.resume(j); err != nil {
			dst.Abort()
			j.Close()
			return err
		}
		dst.Keep(j, j.Done)
		room = newRoomWatch(t.out, film.Count, film.FrameBytes(), int64(film.W)*int64(film.H)*stateBytes/2)
	}
	sink := &filmSink{FilmSink: dst, film: film, task: t, ledger: s.ledger, stop: w.stop, journal: j, room: room}
	sink.sayNotes()
	w.reporter.begin(t.in, film.Count, s.resumption.kept)
	return w.run(ctx, source(s.unread()), sink, s)
}

// createFilm opens the encoder, which writes into the journal if there is one. It fails if the
// film's frames are too large.
func (s *stylizer) createFilm(ctx context.Context, film *video.Film, t paintTask, j *journal.Journal) (*video.FilmSink, error) {
	if err := s.checkInput(film.W, film.H); err != nil {
		return nil, fmt.Errorf("%s: %w", t.in, err)
	}
	mode := outfile.Mode(s.worker.options.Overwrite)
	reserve := func() (*outfile.Pending, error) { return outfile.Reserve(t.out, mode) }
	if j != nil {
		reserve = func() (*outfile.Pending, error) { return j.Reserve(mode) }
	}
	file, err := reserve()
	if err != nil {
		return nil, err
	}
	return video.CreateFilm(ctx, film, file, s.worker.video)
}

// filmSink keeps the frames that are done under NAME.interrupted.EXT after Stop, after a
// failure of the device, and when the disk is nearly full.
type filmSink struct {
	*video.FilmSink
	film   *video.Film
	task   paintTask
	ledger *statLedger
	stop   context.Context
	noted  int // of film.Notes, how many have been said
	room   *roomWatch

	journal *journal.Journal // nil: none
}

// WriteFrame fails once the disk is nearly full.
func (s *filmSink) WriteFrame(f *filter.Frame) error {
	if err := s.FilmSink.WriteFrame(f); err != nil {
		return err
	}
	if s.journal != nil && int64(f.Index) < s.journal.Done {
		return nil // its samples are on the disk already
	}
	warning, err := s.room.check(int64(f.Index)+1, s.Encoded())
	if warning != "" {
		s.say(warning)
	}
	return err
}

// End says how to paint the rest if it keeps only a part.
func (s *filmSink) End(cause error) error {
	s.sayNotes() // of decoding
	// An interruption can end the decoder or the encoder with an error before the first frame.
	if s.ledger.done == 0 && s.stop.Err() != nil && !errors.Is(cause, context.Canceled) {
		cause = ErrInterrupted
	}
	interrupted := errors.Is(cause, ErrInterrupted)
	failed := deviceLost(cause) || errors.Is(cause, engine.ErrMemory) || errors.As(cause, &noRoomError{})
	switch {
	case cause == nil:
		if err := s.Close(); err != nil || s.film.Damage == "" {
			return s.named(err)
		}
		return s.named(PartlyError{fmt.Errorf("%s; they are painted in %s", s.film.Damage, s.task.out)})
	case interrupted && s.ledger.done == 0:
		s.Abort()
		s.say("interrupted before the first frame was done; nothing is kept")
		return cause
	case !interrupted && !failed || s.ledger.done == 0:
		s.Abort()
		if text := goOnText(s.journal); text != "" {
			s.say(text)
		}
		return s.named(cause)
	}
	kept, mode := interruptedName(s.task.out), outfile.Keep
	if s.journal != nil && s.journal.Partial != "" {
		kept, mode = s.journal.Partial, outfile.Replace // of an earlier run of this job
	}
	s.Rename(kept, mode)
	if err := s.Close(); err != nil {
		return s.named(err)
	}
	if s.journal != nil {
		if err := s.journal.Keep(kept); err != nil {
			return s.named(err)
		}
	}
	if failed {
		s.say("ended early; " + s.restText(kept))
		return s.named(cause)
	}
	s.say("interrupted; " + s.restText(kept))
	return cause
}

func (s *filmSink) say(text string) { s.ledger.reporter.say(s.task.in + ": " + text) }

func (s *filmSink) named(err error) error { return nameInput(err, s.task.in, s.task.out) }

// sayNotes says the film's notes that are new.
func (s *filmSink) sayNotes() {
	for _, note := range s.film.Notes[s.noted:] {
		s.say(note)
	}
	s.noted = len(s.film.Notes)
}

// restText says where the frames are that are done, and how to paint the others.
func (s *filmSink) restText(kept string) string {
	text := fmt.Sprintf("the %d frames that are done are in %s. ", s.ledger.done, kept)
	if s.journal != nil && s.journal.Done > 0 {
		return text + "Run the same command again to go on"
	}
	if s.task.sequence != nil {
		return text + "Run the same command again with -y for the whole"
	}
	rest := s.ledger.lastBegin - s.film.Begin
	if r := s.film.Rate; r.Num > 0 {
		rest += float64(r.Den) / float64(r.Num) / 2 // between the last frame and the next
	}
	return text + fmt.Sprintf("Paint the rest with --start %.3f, or run the same command again for the whole", max(rest, 0))
}

// interruptedName returns NAME.interrupted.EXT, or with a number the first such name that
// no file has: NAME.interrupted-2.EXT. Of a NAME that is too long with it the end is cut off.
func interruptedName(out string) string {
	ext := filepath.Ext(out)
	base := strings.TrimSuffix(out, ext)
	const longest, mark = 255, ".interrupted"
	if over := len(filepath.Base(base)) + len(mark+"-999"+ext) - longest; over > 0 {
		cut := len(base) - over
		for !utf8.RuneStart(base[cut]) {
			cut--
		}
		base = base[:cut]
	}
	base += mark
	name := base + ext
	for n := 2; fileExists(name); n++ {
		name = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	return name
}

func secondsToDuration(s float64) time.Duration {
	return time.Duration(math.Round(s * float64(time.Second)))
}

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
