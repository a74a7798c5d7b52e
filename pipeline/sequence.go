package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/filter"
	"nstfilter/pipeline/journal"
	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
	"nstfilter/video/outfile"
)

// sequencePicture is one frame of a film in a folder, and the file of its result.
type sequencePicture struct {
	number  int64 // in its name; for a glob its place among the matches, from 1
	in, out string
}

// findSequence lists the frames that in names by a number, frames/%05d.png, or by a glob
// that the shell has left, frames/*.png. It returns nil if in is one file.
func findSequence(in string) ([]sequencePicture, error) {
	name, numbered, err := parseSequenceName(in)
	if !numbered && !strings.ContainsAny(in, "*?[") {
		return nil, nil
	}
	if _, err := os.Lstat(in); err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, UsageErrorf("%v", err)
	}
	if !numbered {
		return globSequence(in)
	}
	if !photo.IsPhoto(in) {
		return nil, UsageErrorf("%s is no picture by its extension, and only pictures are numbered frames: use one of %s, or name each film by itself",
			in, strings.Join(photo.Extensions(), " "))
	}
	var all []sequencePicture
	numbers, err := name.find()
	for _, n := range numbers {
		all = append(all, sequencePicture{number: n, in: name.path(n)})
	}
	return all, err
}

// globFiles lists the files that a glob matches, as the shell does but with numbers in order.
func globFiles(glob string) ([]string, error) {
	names, err := filepath.Glob(glob)
	if err != nil {
		return nil, UsageErrorf("%s: no such file, and no glob: a [ is not closed", glob)
	}
	names = slices.DeleteFunc(names, func(s string) bool {
		return strings.HasPrefix(filepath.Base(s), ".") && !strings.HasPrefix(filepath.Base(glob), ".")
	})
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no such file, and as a glob it matches none: check the name", glob)
	}
	slices.SortFunc(names, naturalOrder)
	return names, nil
}

func globSequence(glob string) ([]sequencePicture, error) {
	names, err := globFiles(glob)
	if err != nil {
		return nil, err
	}
	var all []sequencePicture
	for i, name := range names {
		if !photo.IsPhoto(name) {
			return nil, UsageErrorf("%s is no picture by its extension, and a glob in quotes names the frames of one film: narrow %s, or leave the quotes out, for each file by itself",
				name, glob)
		}
		all = append(all, sequencePicture{number: int64(i) + 1, in: name})
	}
	return all, nil
}

// setSequenceOutput gives each picture the name of its result: numbered like the
// pictures, or with %s by their names.
func (t *paintTask) setSequenceOutput(pattern photo.Output) error {
	path := pattern.Path
	if isFilm(path) {
		return t.setFilmOutput(pattern)
	}
	if !photo.IsPhoto(path) {
		return unknownExtension(path)
	}
	name, numbered, err := parseSequenceName(path)
	named := strings.Contains(path, "%s")
	switch {
	case err != nil:
		return UsageErrorf("--output %v", err)
	case numbered && named:
		return UsageErrorf("--output %s: give a number or %%s, which stands for the input's name, not both", path)
	case !numbered && !named:
		return UsageErrorf("%s names %d pictures, %s is one: number the results, 'out/%%05d.png', or name them like the inputs, 'out/%%s.png'",
			t.in, len(t.sequence), path)
	}
	t.pattern = path
	for i := range t.sequence {
		p := &t.sequence[i]
		if numbered {
			p.out = name.path(p.number)
		} else if p.out, err = pattern.PathFor(p.in); err != nil {
			return UsageErrorf("%v", err)
		}
	}
	return nil
}

// checkSequenceFiles reports a result that exists or cannot be written.
func checkSequenceFiles(pictures []sequencePicture, overwrite bool) error {
	checked := map[string]bool{}
	var first string
	existing := 0
	longest := slices.MaxFunc(pictures, func(a, b sequencePicture) int { return cmp.Compare(len(a.out), len(b.out)) })
	if err := cmp.Or(checkFolder(longest.out), checkName(longest.out)); err != nil {
		return err
	}
	for _, p := range pictures {
		if folder := filepath.Dir(p.out); !checked[folder] {
			checked[folder] = true
			if err := checkFolder(p.out); err != nil {
				return err
			}
			if err := photo.CanWrite(p.out); err != nil {
				return err
			}
		}
		if info, err := os.Lstat(p.out); err == nil {
			if info.IsDir() {
				return fmt.Errorf("%s: is a folder: name the results otherwise", p.out)
			}
			if existing == 0 {
				first = p.out
			}
			existing++
		}
	}
	if existing > 0 && !overwrite {
		return fmt.Errorf("%s exists (%d of %d results do): add -y to replace them, or choose another folder", first, existing, len(pictures))
	}
	return nil
}

// paintSequence paints pictures as the frames of one film.
func (w *worker) paintSequence(ctx context.Context, t paintTask) error {
	n := int64(len(t.sequence))
	s := &stylizer{worker: w, ledger: w.newLedger(t.in), frames: n, strength: t.strength, mask: t.mask, pictures: t.sequence, stop: w.stop}
	h, err := checkHeaders(t.sequence)
	if err != nil {
		return err
	}
	if h != (photo.Header{}) {
		if err := s.checkInput(h.W, h.H); err != nil {
			return fmt.Errorf("%s: %w", t.sequence[0].in, err)
		}
	}
	j, err := w.openJournal(t, t.pattern, n, 0)
	if err != nil {
		return err
	}
	sink := sequenceSink{task: t, ledger: s.ledger, styles: w.styles, journal: j, mode: outfile.Mode(w.options.Overwrite), made: w.recipe(t), read: sha256.New()}
	if j != nil && j.Completed(t.sequence[n-1].out) {
		w.reporter.say(t.in + ": was done before")
		return j.Remove()
	}
	if j != nil {
		if err := cmp.Or(sink.resume(), s.resume(j)); err != nil {
			j.Close()
			return err
		}
	}
	w.reporter.begin(t.in, n, s.resumption.kept)
	return w.run(ctx, sequenceSource{t.sequence, s.unread(), filter.Rational(w.video.Rate), photo.ReadOwn, w.checkSize}, sink, s)
}

// checkHeaders reports, before any work, a picture that is damaged, cut short or of another
// size than the first, whose header it returns. It reads headers and ends alone: what it does
// not see is found when its turn comes.
func checkHeaders(pictures []sequencePicture) (first photo.Header, err error) {
	for _, p := range pictures {
		if info, err := os.Stat(p.in); err == nil && !info.Mode().IsRegular() {
			continue // a pipe is read once
		}
		h, err := photo.ReadHeader(p.in)
		if err != nil {
			return first, err
		}
		if first == (photo.Header{}) {
			first = h
		}
		turned := photo.Header{W: h.H, H: h.W} // EXIF may turn one of them
		if h != first && turned != first {
			return first, sizesDiffer(p.in, pictures[0].in, h.W, h.H, first.W, first.H)
		}
	}
	return first, nil
}

func sizesDiffer(name, first string, w, h, firstW, firstH int) error {
	return fmt.Errorf("%s is %d×%d, %s is %d×%d, and the frames of a film have one size: scale it to %d×%d, or paint each picture by itself: -o 'out/%%s.png' %s",
		name, w, h, first, firstW, firstH, firstW, firstH, filepath.Join(filepath.Dir(name), "*"+filepath.Ext(name)))
}

// resume checks that the pictures that an earlier run painted are what they were, before
// and after.
func (s *sequenceSink) resume() error {
	j := s.journal
	s.kept = int(j.Done)
	if j.Begun {
		s.mode = outfile.Replace // of pictures painted after the state was saved
		if err := outfile.RemovePartials(s.task.results()...); err != nil {
			return err
		}
	}
	if s.kept > len(s.task.sequence) {
		return fmt.Errorf("%s: %d pictures are done, and here are %d: name the same ones, or add --restart to begin anew", s.task.in, s.kept, len(s.task.sequence))
	}
	for _, p := range s.task.sequence[:s.kept] {
		if err := addFile(s.read, p.in); err != nil {
			return err
		}
		if !fileExists(p.out) {
			return fmt.Errorf("%s, which an earlier run of this command painted, is gone: add --restart to begin anew", p.out)
		}
	}
	if j.Resumed && s.readSum() != j.InputSum {
		return fmt.Errorf("%s: %d pictures are done, and of these the inputs have changed: add --restart to begin anew", s.task.in, s.kept)
	}
	return nil
}

func (s *sequenceSink) readSum() string { return hex.EncodeToString(s.read.Sum(nil)) }

// sequenceSource reads pictures as frames. They must be of one size, and come evenly. Of the first kept frames, which an earlier run
// painted, only the first and the last one are read; the others have no samples.
type sequenceSource struct {
	pictures []sequencePicture
	kept     int
	rate     filter.Rational                                                      // frames per second
	read     func(path string, check func(w, h int) error) (*filter.Frame, error) // photo's
	check    func(w, h int) error                                                 // of a size that cannot be decoded
}

func (s sequenceSource) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		var w, h int
		var profile []byte
		for i, p := range s.pictures {
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			var f *filter.Frame
			var err error
			if i > 0 && i < s.kept-1 {
				f = &filter.Frame{W: w, H: h}
			} else {
				f, err = s.read(p.in, s.check)
			}
			if err == nil && i == 0 {
				w, h, profile = f.W, f.H, photo.Profile(f)
			}
			if err == nil && f.Pix != nil && !bytes.Equal(photo.Profile(f), profile) {
				err = fmt.Errorf("%s has another colour profile than %s, and the frames of a film have one: convert it first: vips icc_transform, or paint each picture by itself", p.in, s.pictures[0].in)
			}
			if err == nil && (f.W != w || f.H != h) {
				err = sizesDiffer(p.in, s.pictures[0].in, f.W, f.H, w, h)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			f.Index, f.PTS, f.TimeBase, f.Duration = i, int64(i), filter.Rational{Num: s.rate.Den, Den: s.rate.Num}, 1
			if !yield(f, nil) {
				return
			}
		}
	}
}

// sequenceSink writes each frame to its own file, whole or not at all. It keeps the
// pictures that are done, however the input ends.
type sequenceSink struct {
	task    paintTask
	ledger  *statLedger
	styles  *styleTimeline
	journal *journal.Journal // nil: none
	read    hash.Hash        // of the files that frames were read from
	kept    int              // frames that an earlier run painted
	mode    outfile.Mode
	made    *recipe.Recipe
}

func (s sequenceSink) WriteFrame(f *filter.Frame) error {
	if f.Index < s.kept {
		return nil // an earlier run wrote it
	}
	p := s.task.sequence[f.Index]
	if err := photo.WriteAs(s.mode, p.out, s.task.options, f, s.ledger.madeByHand(f, s.made)); err != nil || s.journal == nil {
		return err
	}
	if err := addFile(s.read, p.in); err != nil {
		return err
	}
	s.journal.InputSum = s.readSum()
	return nil
}

// End says how to go on if pictures are left.
func (s sequenceSink) End(cause error) error {
	done, all, say := s.ledger.done, s.task.sequence, s.ledger.reporter.say
	switch interrupted := errors.Is(cause, ErrInterrupted) || errors.Is(cause, context.Canceled); {
	case cause == nil && s.journal != nil:
		return s.journal.CompleteWith(all[len(all)-1].out)
	case cause == nil || done == len(all):
	case done == 0 && !interrupted:
	case done == 0:
		say(s.task.in + ": interrupted before the first frame was done; nothing is kept")
	case s.journal != nil && s.journal.Done > 0:
		say(fmt.Sprintf("%s: ended early; %d of %d frames are done, up to %s. Run the same command again to go on", s.task.in, done, len(all), all[done-1].out))
	default:
		next := all[done]
		say(fmt.Sprintf("%s: ended early; %d of %d frames are done, up to %s. Go on from number %d: put %s and those after it into a folder of their own and paint that%s, or run the same command again with -y for the whole",
			s.task.in, done, len(all), all[done-1].out, next.number, next.in, s.styles.shiftText(secondsToDuration(s.ledger.last))))
	}
	return cause
}
