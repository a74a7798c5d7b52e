package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/flow"
)

// mapFile is a map that lies beside an input: a picture for all of its frames, or a film or
// numbered pictures with one for each.
type mapFile struct {
	option   string            // what names it: --strength
	path     string            // with the input's name for %s
	sequence []sequencePicture // nil: path is one file
	film     bool              // path is a film
}

// findMap finds the map that an option names for a task. text "" stands for none.
func findMap(option, text string, t *paintTask) (*mapFile, error) {
	if text == "" {
		return nil, nil
	}
	m := &mapFile{option: option, path: text}
	if strings.Contains(text, "%s") {
		if t.isPipe() || t.sequence != nil {
			return nil, UsageErrorf("%s %s: %%s stands for the name of a photo or a film in a file, and the input is neither: write the map's name in full", option, text)
		}
		base := filepath.Base(t.in)
		m.path = strings.ReplaceAll(text, "%s", strings.TrimSuffix(base, filepath.Ext(base)))
	}
	var err error
	if m.sequence, err = findSequence(m.path); err != nil {
		return nil, fmt.Errorf("%s %w", option, err)
	}
	if m.sequence == nil {
		info, err := os.Stat(m.path)
		if err != nil {
			return nil, fmt.Errorf("%s %w", option, photo.ExplainFileError(m.path, err))
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s %s: not a regular file: write the map to one", option, m.path)
		}
		m.film = !photo.IsPhoto(m.path) && (isFilm(m.path) || !photo.Holds(m.path))
	}
	if t.isPhoto() && (m.film || m.sequence != nil) {
		return nil, UsageErrorf("%s %s has a map for each frame of a film, and %s is a photo: name one picture, or with %%s for the photo's name a picture for each photo", option, text, t.in)
	}
	return m, nil
}

// findMaps finds the maps of all tasks.
func (j *Job) findMaps(tasks []paintTask) (err error) {
	for i := range tasks {
		if tasks[i].strength, err = findMap("--strength", j.Strength, &tasks[i]); err != nil {
			return err
		}
		if tasks[i].mask, err = findMap("--mask", j.Mask, &tasks[i]); err != nil {
			return err
		}
	}
	return nil
}

// files are the files that the map is read from.
func (m *mapFile) files() []string {
	switch {
	case m == nil:
		return nil
	case m.sequence == nil:
		return []string{m.path}
	}
	var all []string
	for _, p := range m.sequence {
		all = append(all, p.in)
	}
	return all
}

// sum returns the SHA-256 of the map's files.
func (m *mapFile) sum() (string, error) {
	h := sha256.New()
	for _, file := range m.files() {
		if err := addFile(h, file); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// decisiveFor returns all that decides a task's result beside its input.
func (w *worker) decisiveFor(t paintTask) (_ map[string]string, err error) {
	all := maps.Clone(w.decisive)
	all["output's options"], all["protect"] = t.options, w.options.Protect
	all["style-mask"] = w.regions.text()
	for name, m := range map[string]*mapFile{"strength": t.strength, "mask": t.mask} {
		if m == nil {
			continue
		}
		if all[name], err = m.sum(); err != nil {
			return nil, err
		}
	}
	if len(t.keys) > 0 {
		if all["key"], err = keySum(t.keys); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// pictures yields the map's pictures, and ends after the last.
func (w *worker) pictures(ctx context.Context, m *mapFile) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		if m.film {
			o := video.DefaultOptions()
			o.Start = w.video.Start
			film, err := video.OpenFilm(ctx, m.path, o)
			if err == nil {
				err = w.checkSize(film.W, film.H)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			film.Frames(ctx)(yield)
			if film.Damage != "" {
				w.reporter.say(fmt.Sprintf("%s %s: %s", m.option, m.path, film.Damage))
			}
			return
		}
		for _, file := range m.files() {
			f, err := w.readPicture(file)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// mapReader gives the map of each frame in turn. The last one holds for all frames that follow.
type mapReader struct {
	file   *mapFile
	input  string
	say    func(string)
	next   func() (*filter.Frame, error, bool)
	latest *filter.Frame // nil: none yet
	count  int           // how many have been read
	ended  bool
}

// openMap opens a map for the frames of an input. Call close behind the last frame.
func (w *worker) openMap(ctx context.Context, m *mapFile, input string) (r *mapReader, close func()) {
	next, close := iter.Pull2(w.pictures(ctx, m))
	return &mapReader{file: m, input: input, say: w.reporter.say, next: next}, close
}

// read returns the map for the next frame, f, at f's size. fresh reports whether it is another
// one than for the frame before.
func (r *mapReader) read(f *filter.Frame) (picture *filter.Frame, fresh bool, err error) {
	if !r.ended {
		picture, err, ok := r.next()
		if err != nil {
			return nil, false, r.named(f, err)
		}
		switch r.ended = !ok; {
		case ok:
			r.latest, fresh = picture, true
			r.count++
		case r.latest == nil:
			return nil, false, r.named(f, fmt.Errorf("%s: no frame in it: give one with a picture", r.file.path))
		case r.file.film || r.file.sequence != nil:
			r.say(fmt.Sprintf("%s: %s %s has %d frames, and the input has more: its last one holds", r.input, r.file.option, r.file.path, r.count))
		}
	}
	if err := checkAspect(r.latest, f); err != nil {
		return nil, false, r.named(f, fmt.Errorf("%s %w", r.file.path, err))
	}
	return r.latest, fresh, nil
}

func (r *mapReader) named(f *filter.Frame, err error) error {
	return fmt.Errorf("frame %d: %s %w", f.Index, r.file.option, err)
}

// checkAspect returns an error unless a map and a frame have about the same aspect ratio: to a
// hundredth, or to a pixel of the smaller one.
func checkAspect(m, f *filter.Frame) error {
	k := math.Sqrt(float64(m.W) * float64(m.H) / (float64(f.W) * float64(f.H)))
	smaller := min(1, k) * float64(min(f.W, f.H))
	ratio := float64(m.W) * float64(f.H) / (float64(m.H) * float64(f.W))
	if math.Abs(math.Log(ratio)) <= max(0.01, 1/smaller) {
		return nil
	}
	return fmt.Errorf("is %d×%d (%.3f to 1) and the picture %d×%d (%.3f to 1): cut or scale it to the picture's aspect ratio",
		m.W, m.H, float64(m.W)/float64(m.H), f.W, f.H, float64(f.W)/float64(f.H))
}

// strengthen is a stage that gives each frame the strength that the map m says.
func (s *stylizer) strengthen(m *mapFile) Stage {
	return func(ctx context.Context, in Frames) Frames {
		return func(yield func(*filter.Frame, error) bool) {
			reader, close := s.worker.openMap(ctx, m, s.ledger.input)
			defer close()
			var strength []float32
			mapStream(in, func(f *filter.Frame) (*filter.Frame, error) {
				picture, fresh, err := reader.read(f)
				if err != nil {
					return nil, err
				}
				if fresh || len(strength) != f.W*f.H {
					strength = filter.FitMap(strengthOf(picture), picture.W, picture.H, f.W, f.H)
				}
				g := *f
				g.Strength = strength
				return &g, nil
			})(yield)
		}
	}
}

// protect takes what --protect leaves alone off the strength of a frame. backward is the flow to
// the frame before, or nil; begins says that f begins a scene.
func (s *stylizer) protect(f *filter.Frame, backward *flow.Field, begins bool) *filter.Frame {
	if s.faces == nil {
		return f
	}
	before := len(s.faces.Tracks)
	s.faces.Next(f, backward, begins)
	if n := len(s.faces.Tracks); n == 0 && s.frames == 1 {
		s.worker.reporter.say(s.ledger.input + ": no face is found: all of it is painted; --strength FILE leaves alone what you draw")
	} else if n != before && s.worker.options.Verbose {
		s.worker.reporter.say(fmt.Sprintf("%s: frame %d: faces left as they are: %d", s.ledger.input, f.Index, n))
	}
	strength := s.faces.Strength(f.W, f.H)
	if strength == nil {
		return f
	}
	for i, v := range f.Strength {
		strength[i] *= v
	}
	g := *f
	g.Strength = strength
	return &g
}

// nearEnd is how near to black or white a map counts as such: lossy codecs make it grey.
const nearEnd = 2.0 / 255

// strengthOf returns what a grey map says, H rows of W: its luma, and 0 where it is transparent.
func strengthOf(m *filter.Frame) []float32 {
	n := m.W * m.H
	out := make([]float32, n)
	for i := range out {
		v := 0.2126*m.Pix[i] + 0.7152*m.Pix[n+i] + 0.0722*m.Pix[2*n+i]
		if m.Alpha != nil {
			v *= m.Alpha[i]
		}
		switch {
		case v <= nearEnd:
			v = 0
		case v >= 1-nearEnd:
			v = 1
		}
		out[i] = v
	}
	return out
}
