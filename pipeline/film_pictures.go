package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"nstfilter/filter"
	"nstfilter/pipeline/journal"
	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
	"nstfilter/video"
	"nstfilter/video/outfile"
)

// Films that become numbered pictures, and numbered pictures that become films.

// paintFilmToPictures paints a film in a file to pictures that count from 1.
func (w *worker) paintFilmToPictures(ctx context.Context, t paintTask) error {
	film, done, err := w.openFilm(ctx, t)
	defer done()
	if err != nil {
		return nameInput(err, t.in)
	}
	film.Painted = w.settings.Paints()
	s := &stylizer{worker: w, ledger: w.newLedger(t.in), frames: film.Count, strength: t.strength, mask: t.mask, begin: secondsToDuration(film.Begin), stop: w.stop}
	if err := s.checkInput(film.W, film.H); err != nil {
		return fmt.Errorf("%s: %w", t.in, err)
	}
	name, _, err := parseSequenceName(t.pattern)
	if err != nil {
		return err
	}
	j, err := w.openJournal(t, t.pattern, film.Count, 0)
	if err != nil {
		return err
	}
	sink := &picturesSink{film: film, task: t, name: name, ledger: s.ledger, journal: j, mode: outfile.Mode(w.options.Overwrite), made: w.recipe(t)}
	if j != nil {
		if numbers, _ := name.list(); len(numbers) > 0 && j.Completed(name.path(numbers[len(numbers)-1])) {
			w.reporter.say(t.in + ": was done before")
			return j.Remove()
		}
		if err := cmp.Or(sink.resume(), s.resume(j)); err != nil {
			j.Close()
			return err
		}
	}
	sink.sayWhatIsLost()
	w.reporter.begin(t.in, film.Count, s.resumption.kept)
	return w.run(ctx, film, sink, s)
}

// picturesSink writes each frame of a film to a file of its own, whole or not at all. It keeps
// the pictures that are done, however the film ends.
type picturesSink struct {
	film    *video.Film
	task    paintTask
	name    sequenceName
	ledger  *statLedger
	journal *journal.Journal // nil: none
	kept    int              // frames that an earlier run painted
	mode    outfile.Mode
	made    *recipe.Recipe

	begin  float64 // time of the first frame, in seconds
	uneven bool    // that times are so has been said
	noted  int     // of film.Notes, how many have been said
}

func (s *picturesSink) say(text string) { s.ledger.reporter.say(s.task.in + ": " + text) }

func (s *picturesSink) path(index int) string { return s.name.path(int64(index) + 1) }

// resume checks that the pictures of an earlier run are there.
func (s *picturesSink) resume() error {
	s.kept = int(s.journal.Done)
	if !s.journal.Begun {
		return nil
	}
	s.mode = outfile.Replace // of pictures painted after the state was saved
	var left []string
	for i := range max(int(s.film.Count), s.kept) + 1 {
		if i >= s.kept {
			left = append(left, s.path(i))
		} else if !fileExists(s.path(i)) {
			return fmt.Errorf("%s, which an earlier run of this command painted, is gone: add --restart to begin anew", s.path(i))
		}
	}
	return outfile.RemovePartials(left...)
}

// sayWhatIsLost says what pictures do not have of the film.
func (s *picturesSink) sayWhatIsLost() {
	if s.film.HasAudio {
		s.say("its sound is left out, for pictures have none")
	}
	for _, note := range lostInPictures(s.film, s.task.pattern) {
		s.say(note)
	}
	s.sayNotes()
}

// lostInPictures says what pictures of such names do not keep of a film's frames.
func lostInPictures(film *video.Film, pattern string) (notes []string) {
	if film.HDR() {
		notes = append(notes, "it is HDR, and the pictures are as SDR would look: what is brighter than white is cut off, colours are sRGB")
	}
	if depth := film.Format.Depth; depth > photo.Depth(pattern, depth) {
		notes = append(notes, fmt.Sprintf("its %d bits a sample become 8, as %s has: .png and .tif have 16", depth, filepath.Ext(pattern)))
	}
	return notes
}

func (s *picturesSink) sayNotes() {
	for _, note := range s.film.Notes[s.noted:] {
		s.say(note)
	}
	s.noted = len(s.film.Notes)
}

func (s *picturesSink) WriteFrame(f *filter.Frame) error {
	s.watchTimes(f)
	if f.Index < s.kept {
		return nil // an earlier run wrote it
	}
	g := *f
	g.Origin = photo.OfDepth(s.film.Format.Depth)
	return photo.WriteAs(s.mode, s.path(f.Index), s.task.options, &g, s.ledger.madeByHand(f, s.made))
}

// watchTimes says once that frames come at uneven times, which pictures do not tell.
func (s *picturesSink) watchTimes(f *filter.Frame) {
	at := presentedAt(f)
	if f.Index == 0 {
		s.begin = at
		if n, ok := f.Origin.(*video.Native); ok && n.SAR.Num != n.SAR.Den {
			s.say(fmt.Sprintf("its pixels are %d:%d wide, and pictures have square ones: they look too narrow or too wide; when you make a film of them, give it that again (ffmpeg -vf setsar=%d/%d)",
				n.SAR.Num, n.SAR.Den, n.SAR.Num, n.SAR.Den))
		}
	}
	rate := float64(s.film.Rate.Num) / float64(s.film.Rate.Den)
	if shown := float64(f.Index) / rate; !s.uneven && rate > 0 && math.Abs(at-s.begin-shown)*rate > 1 {
		s.uneven = true
		s.say(fmt.Sprintf("its frames come at uneven times, and pictures have none: frame %d comes at %.3f s, and would at %.3f s by its %.6g frames a second; all are painted, but sound would fall out of step with a film of them. ffmpeg -fps_mode cfr makes a film's times even first",
			f.Index, at-s.begin, shown, rate))
	}
}

// End says how to go on if pictures are left.
func (s *picturesSink) End(cause error) error {
	s.sayNotes() // of decoding
	done := s.ledger.done
	switch interrupted := errors.Is(cause, ErrInterrupted) || errors.Is(cause, context.Canceled); {
	case cause == nil:
		return s.finish()
	case done == 0 && interrupted:
		s.say("interrupted before the first frame was done; nothing is kept")
	case done > 0 && s.journal != nil && s.journal.Done > 0:
		s.say(fmt.Sprintf("ended early; %d frames are done, up to %s. Run the same command again to go on", done, s.path(done-1)))
	case done > 0:
		s.say(fmt.Sprintf("ended early; %d frames are done, up to %s. Run the same command again with -y for the whole", done, s.path(done-1)))
	}
	return nameInput(cause, s.task.in, s.path(done))
}

// finish ends a film that has been read to its end.
func (s *picturesSink) finish() error {
	last := s.path(s.ledger.done - 1)
	if s.journal != nil {
		if err := s.journal.CompleteWith(last); err != nil {
			return err
		}
	}
	if numbers, _ := s.name.list(); len(numbers) > 0 && numbers[len(numbers)-1] > int64(s.ledger.done) {
		s.say(fmt.Sprintf("%s is its last picture; those up to %s were there before, and are none of it", last, s.name.path(numbers[len(numbers)-1])))
	}
	if s.film.Damage != "" {
		return nameInput(PartlyError{fmt.Errorf("%s; they are painted up to %s", s.film.Damage, last)}, s.task.in)
	}
	return nil
}

// checkPictures reports pictures of a film that exist or cannot be written.
func (t *paintTask) checkPictures(overwrite bool) error {
	name, _, err := parseSequenceName(t.pattern)
	if err != nil {
		return UsageErrorf("--output %v", err)
	}
	first := name.path(1)
	if err := checkFolder(first); err != nil {
		return err
	}
	if err := checkName(first); err != nil {
		return err
	}
	if numbers, err := name.list(); err != nil {
		return err
	} else if len(numbers) > 0 && !overwrite {
		return fmt.Errorf("%s exists (%d pictures of such names do): add -y to replace them, or choose another folder", name.path(numbers[0]), len(numbers))
	}
	return photo.CanWrite(first)
}

// paintPicturesToFilm paints pictures as the frames of one film, and encodes them.
func (w *worker) paintPicturesToFilm(ctx context.Context, t paintTask) error {
	if _, err := checkHeaders(t.sequence); err != nil {
		return err
	}
	first, err := w.readPicture(t.sequence[0].in)
	if err != nil {
		return err
	}
	pictures := video.Pictures{W: first.W, H: first.H, Count: int64(len(t.sequence)), Rate: w.video.Rate, Depth: photo.BitsOf(first), Alpha: first.Alpha != nil}
	film, err := video.OfPictures(ctx, pictures, filepath.Ext(t.out), w.video)
	if err != nil {
		return fmt.Errorf("%s: %w", t.out, err)
	}
	return w.encodeFilm(ctx, t, film, func(kept int) Source {
		return sequenceSource{t.sequence, kept, filter.Rational(w.video.Rate), photo.ReadIf, w.checkSize}
	})
}

// hashPictures returns the hash of all pictures of a sequence.
func hashPictures(pictures []sequencePicture) (string, error) {
	h := sha256.New()
	for _, p := range pictures {
		if info, err := os.Stat(p.in); err != nil || !info.Mode().IsRegular() {
			return "", err
		}
		if err := addFile(h, p.in); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
