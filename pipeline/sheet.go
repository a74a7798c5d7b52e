package pipeline

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/contact"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/photo"
	"nstfilter/pipeline/recipe"
	"nstfilter/video/outfile"
	"nstfilter/weights"
)

// sheetCell is the longest side of a draft on a sheet, in pixels, where --size does not say.
const sheetCell = 320

// Sheet paints each of Inputs in each style by itself, small, and writes all onto one picture,
// Output. Inputs and styles are files or globs. A picture that cannot be read leaves its row or
// column empty, and Sheet returns an error when the others are done. After Stop it writes
// nothing and returns ErrInterrupted.
func (j *Job) Sheet(ctx context.Context) (err error) {
	if err := checkAddresses(host.AddressLimit()); err != nil {
		return err
	}
	if err := j.checkSettings(); err != nil {
		return err
	}
	out, err := j.checkSheet()
	if err != nil {
		return err
	}
	reporter := newReporter(j.Progress, j.Quiet, j.DumbTerminal, j.Stderr)
	defer reporter.close()
	opened, err := j.openEngines(reporter, 1)
	if err != nil {
		return err
	}
	defer opened[0].Close()
	var tasks []paintTask
	for _, in := range j.Inputs {
		tasks = append(tasks, paintTask{in: in, out: out.Path, picture: true})
	}
	if err := j.confine(tasks, opened, reporter); err != nil {
		return err
	}
	networks, err := j.networks()
	if err != nil {
		return err
	}
	began := time.Now()
	s := &sheetJob{Job: j, networks: networks, cell: sheetCell}
	if j.Filter.Size > 0 {
		s.cell = int(j.Filter.Size)
	}
	s.worker = &worker{engine: opened[0], workers: 1, reporter: reporter, stop: j.Stop, options: j.Options,
		settings: j.Filter, coherence: j.Coherence, video: j.Video, stdin: j.Stdin, stdout: j.Stdout, stderr: j.Stderr, tempDir: j.TempDir}
	s.worker.settings.Size = 0 // pictures come as small as they are painted
	if _, err := s.worker.memoryLimit(); err != nil {
		return err
	}
	if err := s.layOut(out); err != nil {
		return err
	}
	if err := s.paintAll(ctx); err != nil {
		if errors.Is(err, ErrInterrupted) {
			reporter.say(out.Path + ": interrupted; nothing is kept")
		}
		return err
	}
	if err := s.write(out); err != nil {
		return err
	}
	if j.Progress != "none" {
		reporter.say(fmt.Sprintf("%s: %s in %s", out.Path, plural(s.painted, "draft"), briefDuration(time.Since(began))))
	}
	return nil
}

// checkSheet lists the pictures, and reports what is wrong with them or with the output
// before any work.
func (j *Job) checkSheet() (out photo.Output, err error) {
	if j.Style, err = expandPictures(j.Style); err != nil {
		return out, fmt.Errorf("--style %w", err)
	}
	if j.Inputs, err = expandPictures(j.Inputs); err != nil {
		return out, err
	}
	switch {
	case len(j.Style) == 0:
		return out, UsageErrorf("no style: name the pictures to paint like with --style, as files or as a glob in quotes: --style 'styles/*'")
	case len(j.Inputs) == 0:
		return out, UsageErrorf("no photo: name those to be painted, as files or as a glob")
	case j.Output == "":
		return out, UsageErrorf("where should the sheet go? Add --output sheet.jpg")
	case len(j.Filter.StyleBlendWeights) > 0:
		return out, UsageErrorf("--style-blend-weights: on a sheet each style is by itself: leave it out")
	}
	if out, err = photo.ParseOutput(j.Output); err != nil {
		return out, UsageError{err}
	}
	if !photo.IsPhoto(out.Path) {
		return out, UsageErrorf("%s: a sheet is a picture: use one of %s", out.Path, strings.Join(photo.Extensions(), " "))
	}
	if err := checkResult(out.Path, j.Overwrite); err != nil {
		return out, err
	}
	if o, err := os.Stat(out.Path); err == nil {
		for _, read := range slices.Concat(j.Inputs, j.filesRead()) {
			if info, err := os.Stat(read); err == nil && os.SameFile(o, info) {
				return out, UsageErrorf("%s would be written over: give the sheet another name", read)
			}
		}
	}
	return out, photo.CanWrite(out.Path)
}

// expandPictures replaces globs, which a shell has left, by the pictures that they match.
func expandPictures(names []string) (all []string, err error) {
	for _, name := range names {
		if _, err := os.Lstat(name); err == nil || !strings.ContainsAny(name, "*?[") {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, photo.NoSuchFile(name)
			}
			all = append(all, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, UsageErrorf("%s: no such file, and no glob: a [ is not closed", name)
		}
		found = slices.DeleteFunc(found, func(s string) bool {
			return !photo.IsPhoto(s) || strings.HasPrefix(filepath.Base(s), ".") && !strings.HasPrefix(filepath.Base(name), ".")
		})
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no such file, and as a glob it matches no picture: check the name", name)
		}
		slices.SortFunc(found, naturalOrder)
		all = append(all, found...)
	}
	return all, nil
}

// sheetJob is a sheet that is being painted.
type sheetJob struct {
	*Job
	worker   *worker
	networks []*weights.Network
	cell     int
	sheet    *contact.Sheet

	badPhotos, badStyles []bool // by number; they could not be read
	failed, painted      int    // drafts
}

// layOut makes the sheet, with the small pictures of all photos and styles on it. The places
// for the drafts are empty.
func (s *sheetJob) layOut(out photo.Output) error {
	photos, photoSizes, photoErrs := s.readSmall(s.Inputs)
	styles, styleSizes, styleErrs := s.readSmall(s.Style)
	w, h := contact.Size(s.cell, photoSizes, styleSizes)
	most := 16_000 // of WebP, HEIC and others
	if ext := strings.ToLower(filepath.Ext(out.Path)); slices.Contains([]string{".jpg", ".jpeg", ".png", ".tif", ".tiff"}, ext) {
		most = 65_000
	}
	err := s.worker.checkSize(w, h)
	if err == nil && max(w, h) > most {
		err = fmt.Errorf("a side of at most %d can be written", most)
	}
	if err != nil {
		return fmt.Errorf("%s: the sheet of %s in %s would be %d×%d pixels: take fewer, or smaller ones with --size: %w", out.Path, plural(len(photos), "photo"), plural(len(styles), "style"), w, h, err)
	}
	var notes []string
	s.sheet, notes = contact.New(s.cell, s.Inputs, s.Style, photoSizes, styleSizes)
	for _, note := range notes {
		s.worker.reporter.say(note)
	}
	s.badPhotos, s.badStyles = make([]bool, len(photos)), make([]bool, len(styles))
	for r, f := range photos {
		if s.badPhotos[r] = f == nil; f == nil {
			s.sheet.FailPhoto(r, s.reason(s.Inputs[r], photoErrs[r]))
			continue
		}
		s.sheet.SetPhoto(r, f)
	}
	for c, f := range styles {
		if s.badStyles[c] = f == nil; f == nil {
			s.sheet.FailStyle(c, s.reason(s.Style[c], styleErrs[c]))
			continue
		}
		s.sheet.SetStyle(c, f)
	}
	s.worker.reporter.say(fmt.Sprintf("%s: %s in %s, a sheet of %d×%d", out.Path, plural(len(photos), "photo"), plural(len(styles), "style"), w, h))
	s.worker.reporter.begin(out.Path, int64(count(s.badPhotos, false)*count(s.badStyles, false)), 0)
	return nil
}

// readSmall reads pictures at the size that they have on the sheet. Of one that cannot be
// read, picture and size are zero.
func (s *sheetJob) readSmall(names []string) (pictures []*filter.Frame, sizes []image.Point, errs []error) {
	pictures, sizes, errs = make([]*filter.Frame, len(names)), make([]image.Point, len(names)), make([]error, len(names))
	for i, name := range names {
		f, err := s.worker.readPicture(name)
		if err == nil && min(f.W, f.H) < engine.MinSide {
			err = fmt.Errorf("%s: is %d×%d pixels, at least %d on each side are needed", name, f.W, f.H, engine.MinSide)
		}
		if errs[i] = err; err != nil {
			continue
		}
		if scale := float64(s.cell) / float64(max(f.W, f.H)); scale < 1 {
			f = f.Resized(max(1, int(math.Round(float64(f.W)*scale))), max(1, int(math.Round(float64(f.H)*scale))))
		}
		small := *f
		small.Origin = nil // which has the whole file
		pictures[i], sizes[i] = &small, image.Pt(f.W, f.H)
	}
	return pictures, sizes, errs
}

// reason says an error, and returns it for the sheet, where the file's name stands below.
func (s *sheetJob) reason(file string, err error) string {
	err = addRemedy(err)
	fmt.Fprintln(s.worker.errorWriter(), "nstfilter: error:", err)
	return strings.TrimPrefix(err.Error(), file+": ")
}

// paintAll paints style by style, so that one is held at a time.
func (s *sheetJob) paintAll(ctx context.Context) error {
	w := s.worker
	defer w.reporter.end(false) // the sheet is not written yet
	var start *filter.Frame
	if file, ok := strings.CutPrefix(w.settings.Init, "image:"); ok {
		var err error
		if start, err = w.readPicture(file); err != nil {
			return fmt.Errorf("--init image:%w", err)
		}
	}
	for c, name := range s.Style {
		if s.badStyles[c] {
			continue
		}
		style, err := w.readPicture(name)
		if err != nil {
			return fmt.Errorf("--style %w", err) // it has been read before
		}
		w.filter = nil // whose memory the next one may have
		w.own = guidePictures{styles: []*filter.Frame{style}, start: start}
		if err := w.openFilter(s.networks); err != nil {
			return UsageError{err}
		}
		err = s.paintStyle(ctx, c)
		w.filter.Close()
		if err != nil {
			return err
		}
	}
	if s.painted == 0 {
		return errors.New("no photo could be painted in any style: no sheet is written")
	}
	return nil
}

// paintStyle paints the drafts of a column.
func (s *sheetJob) paintStyle(ctx context.Context, c int) error {
	w := s.worker
	for r, in := range s.Inputs {
		if s.badPhotos[r] {
			continue
		}
		if w.stop.Err() != nil {
			return ErrInterrupted
		}
		draft, report, err := w.filter.Paint(ctx, s.sheet.Photo(r), filter.Guide{})
		switch {
		case ctx.Err() != nil:
			return ErrInterrupted
		case deviceLost(err):
			return addRemedy(err)
		case err != nil:
			s.failed++
			s.sheet.FailDraft(r, c, s.reason(in, fmt.Errorf("%s: %w", in, err)))
			continue
		}
		s.painted++
		s.sheet.SetDraft(r, c, draft)
		w.reporter.frame(&Stat{Index: s.painted - 1, Input: in, Width: report.W, Height: report.H, Iterations: report.Iterations,
			Losses: report.Losses, Stopped: report.Stopped, Seconds: report.Seconds})
	}
	return nil
}

// write writes the sheet, and in it what paints each of its pictures in full. The error says
// how many are missing.
func (s *sheetJob) write(out photo.Output) error {
	made, err := s.sheetRecipe()
	if err != nil {
		return err
	}
	if err := photo.WriteAs(outfile.Mode(s.Overwrite), out.Path, out.Options, s.sheet.Frame, made); err != nil {
		return addRemedy(err)
	}
	photos, styles := len(s.Inputs), len(s.Style)
	missing := photos*styles - s.painted
	if missing > 0 {
		return fmt.Errorf("%s: %d of %s are missing: %s and %s could not be read, %s failed", out.Path, missing, plural(photos*styles, "draft"),
			plural(count(s.badPhotos, true), "photo"), plural(count(s.badStyles, true), "style"), plural(s.failed, "draft"))
	}
	return nil
}

// sheetRecipe returns what the drafts are made by, or nil with --no-record.
func (s *sheetJob) sheetRecipe() (*recipe.Recipe, error) {
	good := *s.Job
	good.Style = nil
	var files []timedStyle
	for c, name := range s.Style {
		if !s.badStyles[c] {
			good.Style, files = append(good.Style, name), append(files, timedStyle{file: name})
		}
	}
	made, err := good.recipe(s.networks, files)
	if err != nil || made == nil {
		return nil, err
	}
	made.Sheet, made.Engine = true, undecisive.ReplaceAllString(s.worker.engine.Name(), "")
	for r, name := range s.Inputs {
		if !s.badPhotos[r] {
			made.Inputs = append(made.Inputs, filepath.Base(name))
		}
	}
	return made, nil
}

// plural writes 1 photo, 2 photos.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func count(list []bool, value bool) (n int) {
	for _, v := range list {
		if v == value {
			n++
		}
	}
	return n
}
