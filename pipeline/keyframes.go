package pipeline

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/contact"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
	"nstfilter/video/outfile"
)

// Keyframe is a frame that Keys has written.
type Keyframe struct {
	coherence.Keyframe
	Number int64         // of its picture
	Time   time.Duration // from the film's beginning, as a player shows it
}

// Keys writes the frames of a film, or of numbered pictures, the only one of Inputs, that are worth painting by hand: to
// Output, numbered as Run numbers the film's frames there, and all of them onto one picture,
// sheet; an empty name stands for one in Output's folder. It writes the number of frames that
// shows most of the film, or with a number of 0 as few as show most of each scene. After Stop it
// returns ErrInterrupted.
func (j *Job) Keys(ctx context.Context, number int, sheet string) (keys []Keyframe, err error) {
	if err := checkAddresses(host.AddressLimit()); err != nil {
		return nil, err
	}
	if err := j.checkSettings(); err != nil {
		return nil, err
	}
	k, err := j.checkKeyframes(sheet)
	if err != nil {
		return nil, err
	}
	reporter := newReporter(j.Progress, j.Quiet, j.DumbTerminal, j.Stderr)
	defer reporter.close()
	if err := j.confine([]paintTask{k.task, {in: k.task.in, out: k.sheet.Path, sequence: k.task.sequence}}, nil, reporter); err != nil {
		return nil, err
	}
	k.worker = &worker{workers: 1, reporter: reporter, stop: j.Stop, options: j.Options, coherence: j.Coherence, video: j.Video, tempDir: j.TempDir}
	keys, err = k.run(ctx, number)
	if ctx.Err() != nil {
		err = ErrInterrupted
	}
	if errors.Is(err, ErrInterrupted) {
		k.say(k.interruptedText())
		return nil, err
	}
	return keys, addRemedy(nameInput(err, k.task.in, k.folder(), k.sheet.Path))
}

// keysJob is a search for keyframes.
type keysJob struct {
	*worker
	task    paintTask
	name    sequenceName // of the keyframes
	sheet   photo.Output
	written int

	source Source
	film   *video.Film // nil: numbered pictures
}

func (k *keysJob) folder() string { return filepath.Dir(k.name.path(1)) }

// checkKeyframes reports, before any work, what is wrong with the film's name or with the results'.
func (j *Job) checkKeyframes(sheet string) (*keysJob, error) {
	switch {
	case len(j.Inputs) != 1 || j.Output == "":
		return nil, UsageErrorf("give a film and where its keyframes go: nstfilter keys in.mkv 'keys/%%05d.png'")
	case j.Inputs[0] == "-" || j.Output == "-":
		return nil, UsageErrorf("- stands for a pipe, which cannot be read twice: name a film in a file, and pictures: nstfilter keys in.mkv 'keys/%%05d.png'")
	}
	in := j.Inputs[0]
	sequence, err := findSequence(in)
	if err != nil {
		return nil, err
	}
	pattern, err := photo.ParseOutput(j.Output)
	if err != nil {
		return nil, UsageError{err}
	}
	name, numbered, err := parseSequenceName(nameInPattern(pattern.Path, in))
	switch {
	case err != nil:
		return nil, UsageError{err}
	case !numbered:
		return nil, UsageErrorf("%s: the pictures need a number in their name, which is that of the frame: '%s'", pattern.Path, filepath.Join(filepath.Dir(pattern.Path), "%05d.png"))
	case !photo.IsPhoto(name.path(1)):
		return nil, UsageErrorf("%s: keyframes are pictures: use one of %s", pattern.Path, strings.Join(photo.Extensions(), " "))
	}
	k := &keysJob{name: name, task: paintTask{in: in, out: name.path(1), options: pattern.Options, sequence: sequence}}
	if sequence != nil {
		k.task.pattern = name.String() // without which results are a film
	}
	if sheet == "" {
		sheet = filepath.Join(k.folder(), "sheet"+filepath.Ext(name.after))
	}
	if k.sheet, err = photo.ParseOutput(sheet); err != nil {
		return nil, UsageErrorf("--sheet %v", err)
	}
	if !photo.IsPhoto(k.sheet.Path) {
		return nil, UsageErrorf("--sheet %s: a sheet is a picture: use one of %s", sheet, strings.Join(photo.Extensions(), " "))
	}
	if _, ok := name.number(filepath.Base(k.sheet.Path)); ok && sameFile(filepath.Dir(k.sheet.Path), k.folder()) {
		return nil, UsageErrorf("--sheet %s: keyframes have such names: give it another one", sheet)
	}
	return k, k.checkFiles(j.Overwrite)
}

// checkFiles makes the pictures' folder if it is missing.
func (k *keysJob) checkFiles(overwrite bool) error {
	in := k.task.in
	switch k.task.animation = photo.IsAnimatedWebP(in); {
	case k.task.sequence != nil:
		in = k.task.sequence[0].in // the others are in the same folder
	case !fileExists(in):
		return fmt.Errorf("%s: no such file", in)
	case !k.task.animation && !isFilm(in) && photo.Holds(in):
		return UsageErrorf("%s is a photo: keyframes are of a film", in)
	}
	if err := os.MkdirAll(k.folder(), 0o777); err != nil {
		return photo.ExplainFileError(k.folder(), err)
	}
	if _, ok := k.name.number(filepath.Base(in)); ok && sameFile(filepath.Dir(in), k.folder()) || sameFile(in, k.sheet.Path) {
		return UsageErrorf("%s would be written over: give the pictures other names, or another folder", in)
	}
	keys := paintTask{pattern: k.name.String()}
	if err := keys.checkPictures(overwrite); err != nil {
		return err
	}
	if err := checkResult(k.sheet.Path, overwrite); err != nil {
		return err
	}
	return photo.CanWrite(k.sheet.Path)
}

// open opens the film. Call done when it is read.
func (k *keysJob) open(ctx context.Context) (done func(), err error) {
	if sequence := k.task.sequence; sequence != nil {
		_, err = checkHeaders(sequence)
		k.source = sequenceSource{sequence, 0, filter.Rational(k.video.Rate), photo.ReadIf, k.checkSize}
		return func() {}, err
	}
	k.film, done, err = k.openFilm(ctx, k.task)
	if err == nil {
		k.source, err = k.film, k.checkSize(k.film.W, k.film.H)
	}
	return done, err
}

// run reads the film twice: to choose, and to write what is chosen.
func (k *keysJob) run(ctx context.Context, number int) ([]Keyframe, error) {
	done, err := k.open(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	finder, frames, err := k.look(ctx)
	if err != nil {
		return nil, err
	}
	damage := ""
	if k.film != nil {
		for _, note := range slices.Concat(k.film.Notes, lostInPictures(k.film, k.name.after)) {
			k.say(note)
		}
		damage = k.film.Damage // which the second reading may not reach
	}
	chosen := finder.Choose(number)
	if len(chosen) < number {
		k.say(fmt.Sprintf("%d keyframes, not %d: what is left shows nothing more, or is within a third of a second of them", len(chosen), number))
	}
	var keys []Keyframe
	for _, c := range chosen {
		key := frames[c.Frame]
		key.Keyframe = c
		keys = append(keys, key)
	}
	if err := k.write(ctx, keys); err != nil {
		return nil, err
	}
	k.say(fmt.Sprintf("keyframes: %d of %d frames, for %.0f %% of what is seen in all of them; scenes: %d; %s, and all on %s",
		len(keys), len(frames), 100*finder.Shown(chosen), finder.Scenes(), k.name, k.sheet.Path))
	k.sayWhatIsLeft(keys)
	if damage != "" {
		return keys, PartlyError{fmt.Errorf("%s; the keyframes are of these", damage)}
	}
	return keys, nil
}

func (k *keysJob) say(text string) { k.reporter.say(k.task.in + ": " + text) }

// usualRate is the frames per second of a film that does not say it.
const usualRate = 25

// look has a finder see the whole film. The frames have their numbers and times.
func (k *keysJob) look(ctx context.Context) (finder *coherence.KeyframeFinder, frames []Keyframe, err error) {
	rate, count, begin := filter.Rational(k.video.Rate), int64(len(k.task.sequence)), 0.0
	if k.film != nil {
		rate, count, begin = k.film.Rate, k.film.Count, k.film.Begin
	}
	if rate.Num <= 0 || rate.Den <= 0 {
		rate = filter.Rational{Num: usualRate, Den: 1}
	}
	if finder, err = coherence.NewKeyframeFinder(k.coherence, float64(rate.Num)/float64(rate.Den), k.options.Threads); err != nil {
		return nil, nil, err
	}
	k.reporter.begin(k.task.in, count, 0)
	defer k.reporter.end(true)
	for f, err := range Prefetch(2)(ctx, StopSource(k.stop, k.source).Frames(ctx)) {
		if err == nil {
			err = finder.Add(f)
		}
		if err != nil {
			return nil, nil, err
		}
		frames = append(frames, Keyframe{Number: k.number(f), Time: secondsToDuration(max(0, presentedAt(f)-begin))})
		k.advance(f)
	}
	if k.stop.Err() != nil {
		return nil, nil, ErrInterrupted
	}
	return finder, frames, nil
}

// number is that of a frame's picture, as painting gives it.
func (k *keysJob) number(f *filter.Frame) int64 {
	if k.film == nil {
		return k.task.sequence[f.Index].number
	}
	return int64(f.Index) + 1
}

func (k *keysJob) advance(f *filter.Frame) {
	k.reporter.frame(&Stat{Index: f.Index, PTS: f.PTS, PTSTime: presentedAt(f), Input: k.task.in, Width: f.W, Height: f.H})
}

// write writes the keyframes and the sheet.
func (k *keysJob) write(ctx context.Context, keys []Keyframe) error {
	mode, sheet := outfile.Mode(k.options.Overwrite), (*keySheet)(nil)
	k.reporter.begin(k.task.in+", read again", int64(keys[len(keys)-1].Frame)+1, 0)
	defer k.reporter.end(true)
	for f, err := range StopSource(k.stop, k.source).Frames(ctx) {
		if err != nil {
			return err
		}
		k.advance(f)
		if k.number(f) != keys[k.written].Number {
			continue
		}
		if sheet == nil {
			sheet = newKeySheet(f.W, f.H, keys)
		}
		sheet.add(k.written, f)
		if k.film != nil {
			f.Origin = photo.OfDepth(k.film.Format.Depth)
		}
		if err := photo.WriteAs(mode, k.name.path(keys[k.written].Number), k.task.options, f, nil); err != nil {
			return err
		}
		if k.written++; k.written == len(keys) {
			return photo.WriteAs(mode, k.sheet.Path, k.sheet.Options, sheet.Frame, nil)
		}
	}
	if k.stop.Err() != nil {
		return ErrInterrupted
	}
	return errors.New("read again, it ends earlier: does another program write to it?")
}

func (k *keysJob) interruptedText() string {
	if k.written == 0 {
		return "interrupted; nothing is written"
	}
	return fmt.Sprintf("interrupted; %d keyframes are written, and not the others. Run the same command again with -y for all", k.written)
}

// sayWhatIsLeft says that other pictures of such names are there.
func (k *keysJob) sayWhatIsLeft(keys []Keyframe) {
	numbers, _ := k.name.list()
	numbers = slices.DeleteFunc(numbers, func(n int64) bool {
		return slices.ContainsFunc(keys, func(key Keyframe) bool { return key.Number == n })
	})
	if len(numbers) > 0 {
		k.say(fmt.Sprintf("%s and %d others of such names were there before, and are none of these keyframes", k.name.path(numbers[0]), len(numbers)-1))
	}
}

// keySheet has all keyframes, small, with their numbers and times.
type keySheet struct {
	*contact.Sheet
	size image.Point // of each
}

// mostOnSheet is how many pixels a sheet may have; more keyframes are smaller on it.
const mostOnSheet = 20e6

func newKeySheet(w, h int, keys []Keyframe) *keySheet {
	sizes, names := make([]image.Point, len(keys)), []string{}
	for _, key := range keys {
		names = append(names, fmt.Sprintf("%d   %s", key.Number, ClockText(key.Time)))
	}
	for cell := min(sheetCell, max(w, h)); ; cell = cell * 3 / 4 {
		scale := float64(cell) / float64(max(w, h))
		for i := range sizes {
			sizes[i] = image.Pt(max(1, int(float64(w)*scale)), max(1, int(float64(h)*scale)))
		}
		if width, height := contact.Size(cell, nil, sizes); float64(width)*float64(height) > mostOnSheet && cell > 32 {
			continue
		}
		sheet, _ := contact.New(cell, nil, names, nil, sizes)
		return &keySheet{sheet, sizes[0]}
	}
}

func (s *keySheet) add(i int, f *filter.Frame) { s.SetStyle(i, f.Resized(s.size.X, s.size.Y)) }

// ClockText writes a time in a film as --style FILE@TIME reads it, to the millisecond: 1:30.040.
func ClockText(d time.Duration) string {
	ms := d.Round(time.Millisecond).Milliseconds()
	text := fmt.Sprintf("%d:%02d.%03d", ms/60_000, ms/1000%60, ms%1000)
	if h := ms / 3_600_000; h > 0 {
		text = fmt.Sprintf("%d:%02d:%02d.%03d", h, ms/60_000%60, ms/1000%60, ms%1000)
	}
	return text
}
