package pipeline

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"nstfilter/video"
)

func secondsToDuration(s float64) time.Duration {
	return time.Duration(math.Round(s * float64(time.Second)))
}

// film paints a film. After Stop, and where the device fails, the frames that are
// done are a film of their own under NAME.interrupted.EXT.
func (w *worker) paintFilm(ctx context.Context, t paintTask) error {
	if err := t.check(w.Overwrite); err != nil {
		return err
	}
	film, err := video.OpenFilm(ctx, t.in, w.Video)
	if err != nil {
		return err
	}
	film.Painted = w.Filter.Paints()
	dst, err := video.CreateFilm(ctx, film, t.out, w.Video)
	if err != nil {
		return err
	}
	told := len(film.Notes)
	for _, note := range film.Notes {
		w.reporter.say(t.in + ": " + note)
	}
	w.reporter.begin(t.in, film.Count)
	l := newLedger(t.in, w.stats, w.reporter)
	painting := &stylizer{worker: w, ledger: l, frames: film.Count, begin: secondsToDuration(film.Begin)}
	kept := interruptedName(t.out)
	var failed error // of the device, after a frame that is done
	sink := &renamedSink{FilmSink: dst, early: func() bool { return w.Stop.Err() != nil || failed != nil }, name: kept}
	err = Run(ctx, StopSource(w.Stop, film), l.sink(sink), append(w.stages(l, painting.stage()), endWithDevice(&failed))...)
	for _, note := range film.Notes[told:] { // from decoding
		w.reporter.say(t.in + ": " + note)
	}
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case w.Stop.Err() != nil && l.done == 0:
		w.reporter.say(t.in + ": interrupted before the first frame was done; nothing is kept")
		return ErrInterrupted
	case err != nil && !strings.HasPrefix(err.Error(), t.in) && !strings.HasPrefix(err.Error(), t.out):
		return fmt.Errorf("%s: %w", t.in, err)
	case err != nil:
		return err
	case failed != nil:
		w.reporter.say(t.in + ": ended early; " + goOn(l, film.Begin, kept))
		return fmt.Errorf("%s: %w", t.in, failed)
	case w.Stop.Err() != nil:
		w.reporter.say(t.in + ": interrupted; " + goOn(l, film.Begin, kept))
		return ErrInterrupted
	}
	return nil
}

// goOn says where the frames are that are done, and how to paint the others of a
// film that begins at a time of its clock.
func goOn(l *statLedger, begin float64, kept string) string {
	rest := math.Floor((l.last-begin)*1000) / 1000 // rounded up it could leave out a frame
	return fmt.Sprintf("the %d frames that are done are in %s. Paint the rest with --start %.3f, or run the same command again for the whole",
		l.done, kept, max(rest, 0))
}

// interruptedName is NAME.interrupted.EXT.
func interruptedName(out string) string {
	ext := filepath.Ext(out)
	return strings.TrimSuffix(out, ext) + ".interrupted" + ext
}

// renamed gives the film another name if it ends early.
type renamedSink struct {
	*video.FilmSink
	early func() bool
	name  string
}

func (r *renamedSink) Close() error {
	if r.early() {
		r.FilmSink.Rename(r.name)
	}
	return r.FilmSink.Close()
}
