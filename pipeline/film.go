package pipeline

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nstfilter/video"
)

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// film paints a film. After Stop the frames that are done are a film of their own
// under NAME.interrupted.EXT.
func (j *Job) film(ctx context.Context, t task) error {
	if err := t.check(j.Overwrite); err != nil {
		return err
	}
	film, err := video.OpenFilm(ctx, t.in, j.Video)
	if err != nil {
		return err
	}
	dst, err := video.CreateFilm(ctx, film, t.out, j.Video)
	if err != nil {
		return err
	}
	told := len(film.Notes)
	for _, note := range film.Notes {
		j.tell.say(t.in + ": " + note)
	}
	j.tell.begin(t.in, film.Count)
	l := newLedger(t.in, j.stats, j.tell)
	painter := &painter{job: j, ledger: l, frames: film.Count, begin: seconds(film.Begin)}
	kept := interruptedName(t.out)
	sink := &renamed{FilmSink: dst, stop: j.Stop, name: kept}
	err = Run(ctx, StopSource(j.Stop, film), l.sink(sink), j.stages(l, painter.stage())...)
	for _, note := range film.Notes[told:] { // from decoding
		j.tell.say(t.in + ": " + note)
	}
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case j.Stop.Err() != nil && l.done == 0:
		j.tell.say(t.in + ": interrupted before the first frame was done; nothing is kept")
		return ErrInterrupted
	case err != nil && !strings.HasPrefix(err.Error(), t.in) && !strings.HasPrefix(err.Error(), t.out):
		return fmt.Errorf("%s: %w", t.in, err)
	case err != nil:
		return err
	case j.Stop.Err() != nil:
		rest := math.Floor((l.last-film.Begin)*1000) / 1000 // rounded up it could leave out a frame
		j.tell.say(fmt.Sprintf("%s: interrupted; the %d frames that are done are in %s. Paint the rest with --start %.3f, or run the same command again for the whole",
			t.in, l.done, kept, max(rest, 0)))
		return ErrInterrupted
	}
	return nil
}

// filmless is a usage error where options for films in files are given and there is
// none.
func (j *Job) filmless(tasks []task) error {
	if slices.ContainsFunc(tasks, func(t task) bool { return !t.pipe() && t.pictures == nil && !t.photo() }) {
		return nil
	}
	o := &j.Video
	for name, given := range map[string]bool{
		"start": o.Start > 0, "duration": o.Duration > 0, "no-deinterlace": o.NoDeinterlace, "hwaccel": o.HWAccel != "",
		"encoder": o.Encoder != "auto", "encoder-options": len(o.EncoderOptions) > 0,
	} {
		if given {
			return usage("--%s is for films in files, and here is none; in a pipe it is for the ffmpeg before or behind", name)
		}
	}
	return nil
}

// interruptedName is NAME.interrupted.EXT.
func interruptedName(out string) string {
	ext := filepath.Ext(out)
	return strings.TrimSuffix(out, ext) + ".interrupted" + ext
}

// renamed gives the film another name if it is closed after stop.
type renamed struct {
	*video.FilmSink
	stop context.Context
	name string
}

func (r *renamed) Close() error {
	if r.stop.Err() != nil {
		r.FilmSink.Rename(r.name)
	}
	return r.FilmSink.Close()
}
