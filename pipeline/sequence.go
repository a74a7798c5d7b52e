package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// picture is one frame of a film that lies in a folder, and what it becomes.
type sequencePicture struct {
	number  int64 // in its name; of a glob's matches from 1
	in, out string
}

// findPictures lists the frames that in names: by a number, frames/%05d.png, or by
// a glob that the shell has left, frames/*.png. Nil: in is one file.
func findSequence(in string) ([]sequencePicture, error) {
	pattern, counted, err := parseSequenceName(in)
	if !counted && !strings.ContainsAny(in, "*?[") {
		return nil, nil
	}
	if _, err := os.Lstat(in); err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, usageError("%v", err)
	}
	var all []sequencePicture
	if counted {
		if !photo.IsPhoto(in) {
			return nil, usageError("%s is no picture by its extension, and only pictures are numbered frames: use one of %s, or name each film by itself",
				in, strings.Join(photo.Extensions(), " "))
		}
		numbers, err := pattern.find()
		for _, n := range numbers {
			all = append(all, sequencePicture{number: n, in: pattern.name(n)})
		}
		return all, err
	}
	names, err := filepath.Glob(in)
	if err != nil {
		return nil, usageError("%s: no such file, and no glob: a [ is not closed", in)
	}
	names = slices.DeleteFunc(names, func(s string) bool { // as the shell does
		return strings.HasPrefix(filepath.Base(s), ".") && !strings.HasPrefix(filepath.Base(in), ".")
	})
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no such file, and as a glob it matches none: check the name", in)
	}
	slices.SortFunc(names, naturalOrder)
	for i, name := range names {
		if !photo.IsPhoto(name) {
			return nil, usageError("%s is no picture by its extension, and a glob in quotes names the frames of one film: narrow %s, or leave the quotes out, for each file by itself",
				name, in)
		}
		all = append(all, sequencePicture{number: int64(i) + 1, in: name})
	}
	return all, nil
}

// nameResults gives each picture the name of its result by --output: numbered like
// the pictures, or with %s by their names.
func (t *paintTask) nameResults(pattern string) error {
	path, options, err := photo.ParseOutput(pattern)
	if err != nil {
		return usageError("%v", err)
	}
	if isFilm(path) {
		return usageError("%s names pictures, %s is a film: paint them to '%%05d.png' in a folder, and make the film of that: ffmpeg -framerate 25 -start_number %d -i FOLDER/%%05d.png %s",
			t.in, path, t.pictures[0].number, path)
	}
	if !photo.IsPhoto(path) {
		return unknownExtension(path)
	}
	p, counted, err := parseSequenceName(path)
	named := strings.Contains(path, "%s")
	switch {
	case err != nil:
		return usageError("--output %v", err)
	case counted && named:
		return usageError("--output %s: give a number or %%s, which stands for the input's name, not both", path)
	case !counted && !named:
		return usageError("%s names %d pictures, %s is one: number the results, 'out/%%05d.png', or name them like the inputs, 'out/%%s.png'",
			t.in, len(t.pictures), path)
	}
	t.options = options
	for i := range t.pictures {
		to := &t.pictures[i]
		if counted {
			to.out = p.name(to.number)
		} else if to.out, err = photo.OutputName(path, to.in); err != nil {
			return usageError("%v", err)
		}
	}
	return nil
}

// checkPictures is check for all frames of a film.
func (t paintTask) checkPictures(overwrite bool) error {
	known := map[string]bool{}
	var first string
	there := 0
	for _, p := range t.pictures {
		if folder := filepath.Dir(p.out); !known[folder] {
			known[folder] = true
			if err := hasFolder(p.out); err != nil {
				return err
			}
			if err := photo.CanWrite(p.out); err != nil {
				return err
			}
		}
		if _, err := os.Lstat(p.out); err == nil {
			if there == 0 {
				first = p.out
			}
			there++
		}
	}
	if there > 0 && !overwrite {
		return fmt.Errorf("%s exists (%d of %d results do): add -y to replace them, or choose another folder", first, there, len(t.pictures))
	}
	return nil
}

// folder paints pictures as the frames of one film. Those that are done stay,
// however it ends.
func (w *worker) paintSequence(ctx context.Context, t paintTask) error {
	if err := t.check(w.Overwrite); err != nil {
		return err
	}
	w.reporter.begin(t.in, int64(len(t.pictures)))
	l := newLedger(t.in, w.stats, w.reporter)
	painting := &stylizer{worker: w, ledger: l, frames: int64(len(t.pictures)), pictures: t.pictures}
	err := Run(ctx, StopSource(w.Stop, sequenceSource(t.pictures)), l.sink(sequenceSink{t.pictures, t.options}), w.stages(l, painting.stage())...)
	if ctx.Err() != nil || err == nil && w.Stop.Err() != nil {
		err = ErrInterrupted
	}
	switch {
	case err == nil || l.done == len(t.pictures):
	case l.done == 0 && err != ErrInterrupted:
	case l.done == 0:
		w.reporter.say(t.in + ": interrupted before the first frame was done; nothing is kept")
	default:
		next := t.pictures[l.done]
		w.reporter.say(fmt.Sprintf("%s: ended early; %d of %d frames are done, up to %s. Go on from number %d: put %s and those after it into a folder of their own and paint that%s, or run the same command again with -y for the whole",
			t.in, l.done, len(t.pictures), t.pictures[l.done-1].out, next.number, next.in, w.shiftStylesText(secondsToDuration(l.last))))
	}
	return err
}

// pictureSource reads pictures as frames, 25 a second as ffmpeg has it, which must
// be of one size.
type sequenceSource []sequencePicture

func (s sequenceSource) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		var w, h int
		for i, p := range s {
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			f, err := photo.Read(p.in)
			if err == nil && i == 0 {
				w, h = f.W, f.H
			}
			if err == nil && (f.W != w || f.H != h) {
				err = fmt.Errorf("%s is %d×%d, %s is %d×%d, and the frames of a film have one size: scale it to %d×%d, or paint each picture by itself: -o 'out/%%s.png' %s",
					p.in, f.W, f.H, s[0].in, w, h, w, h, filepath.Join(filepath.Dir(p.in), "*"+filepath.Ext(p.in)))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			f.Index, f.PTS, f.TimeBase, f.Duration = i, int64(i), filter.Rational{Num: 1, Den: 25}, 1
			if !yield(f, nil) {
				return
			}
		}
	}
}

// pictureSink writes each frame to its own file, whole or not at all.
type sequenceSink struct {
	pictures []sequencePicture
	options  string
}

func (s sequenceSink) WriteFrame(f *filter.Frame) error {
	return photo.Write(s.pictures[f.Index].out, s.options, f)
}
func (s sequenceSink) Close() error { return nil }
func (s sequenceSink) Abort()       {}
