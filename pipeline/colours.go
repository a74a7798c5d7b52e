package pipeline

import (
	"bytes"
	"fmt"
	"strings"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/photo"
)

// A photo whose profile has more colours than sRGB is painted in these: its samples stay as
// they are coded, and what it is painted with is converted to its profile.

// guidePictures are what frames are painted with, in the colours that they were read in.
type guidePictures struct {
	styles []*filter.Frame
	start  *filter.Frame // of --init image:FILE, or nil
}

// readStyles reads the pictures of the styles, and the one of --init image:FILE.
func (w *worker) readStyles() (all guidePictures, err error) {
	for _, s := range w.styles.styles {
		f, err := photo.ReadOwn(s.file, w.checkSize)
		if err != nil && isFilm(s.file) {
			return all, fmt.Errorf("--style %s: is a film, and a style is a picture: take one of its frames: ffmpeg -ss 10 -i %s -frames:v 1 style.png", s.file, s.file)
		} else if err != nil {
			return all, fmt.Errorf("--style %w", err)
		}
		if min(f.W, f.H) < engine.MinSide {
			return all, fmt.Errorf("--style %s: is %d×%d pixels, at least %d on each side are needed; enlarge it first", s.file, f.W, f.H, engine.MinSide)
		}
		all.styles = append(all.styles, f)
	}
	if len(w.keys) > 0 {
		f, err := photo.ReadOwn(w.keys[0].path, w.checkSize)
		if err != nil {
			return all, fmt.Errorf("--key %w", err)
		}
		all.styles = append(all.styles, f)
	}
	if file, ok := strings.CutPrefix(w.settings.Init, "image:"); ok {
		if all.start, err = photo.ReadOwn(file, w.checkSize); err != nil {
			return all, fmt.Errorf("--init image:%w", err)
		}
	}
	return all, nil
}

// in returns the pictures in the colours of a profile, or of sRGB if it is nil.
func (p *guidePictures) in(profile []byte) (styles []*filter.Frame, start *filter.Frame, err error) {
	for _, s := range p.styles {
		f, err := photo.Convert(s, profile)
		if err != nil {
			return nil, nil, err
		}
		styles = append(styles, f)
	}
	if p.start != nil {
		start, err = photo.Convert(p.start, profile)
	}
	return styles, start, err
}

// paintInColoursOf makes the filter paint in the colours of f's profile.
func (w *worker) paintInColoursOf(f *filter.Frame) error {
	profile := photo.Profile(f)
	if bytes.Equal(profile, w.profile) {
		return nil
	}
	styles, start, err := w.own.in(profile)
	if err != nil {
		return err
	}
	w.filter.SetStyles(styles)
	w.styledKey = 0
	w.filter.InitImage, w.profile = start, profile
	return nil
}
