package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/video"
	"nstfilter/video/outfile"
)

// paintFilm paints a film in a file.
func (w *worker) paintFilm(ctx context.Context, t paintTask) error {
	film, err := video.OpenFilm(ctx, t.in, w.video)
	if err != nil {
		return err
	}
	film.Painted = w.settings.Paints()
	dst, err := video.CreateFilm(ctx, film, t.out, outfile.Mode(w.options.Overwrite), w.video)
	if err != nil {
		return err
	}
	sink := &filmSink{FilmSink: dst, film: film, task: t, ledger: w.newLedger(t.in), stop: w.stop}
	sink.sayNotes()
	w.reporter.begin(t.in, film.Count)
	s := &stylizer{worker: w, ledger: sink.ledger, frames: film.Count, begin: secondsToDuration(film.Begin), stop: w.stop}
	return w.run(ctx, film, sink, s)
}

// filmSink keeps the frames that are done under NAME.interrupted.EXT after Stop and after
// a failure of the device.
type filmSink struct {
	*video.FilmSink
	film   *video.Film
	task   paintTask
	ledger *statLedger
	stop   context.Context
	noted  int // of film.Notes, how many have been said
}

// End says how to paint the rest if it keeps only a part.
func (s *filmSink) End(cause error) error {
	s.sayNotes() // of decoding
	// An interruption can end the decoder or the encoder with an error before the first frame.
	if s.ledger.done == 0 && s.stop.Err() != nil && !errors.Is(cause, context.Canceled) {
		cause = ErrInterrupted
	}
	interrupted := errors.Is(cause, ErrInterrupted)
	failed := deviceLost(cause) || errors.Is(cause, engine.ErrMemory)
	switch {
	case cause == nil:
		return s.named(s.Close())
	case interrupted && s.ledger.done == 0:
		s.Abort()
		s.say("interrupted before the first frame was done; nothing is kept")
		return cause
	case !interrupted && !failed || s.ledger.done == 0:
		s.Abort()
		return s.named(cause)
	}
	kept := interruptedName(s.task.out)
	s.Rename(kept)
	if err := s.Close(); err != nil {
		return s.named(err)
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
	rest := math.Floor((s.ledger.last-s.film.Begin)*1000) / 1000 // rounded up it could leave out a frame
	return fmt.Sprintf("the %d frames that are done are in %s. Paint the rest with --start %.3f, or run the same command again for the whole",
		s.ledger.done, kept, max(rest, 0))
}

// interruptedName returns NAME.interrupted.EXT.
func interruptedName(out string) string {
	ext := filepath.Ext(out)
	return strings.TrimSuffix(out, ext) + ".interrupted" + ext
}

func secondsToDuration(s float64) time.Duration {
	return time.Duration(math.Round(s * float64(time.Second)))
}
