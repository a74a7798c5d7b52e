package contact

import (
	"fmt"
	"image"
	"path/filepath"

	"nstfilter/filter"
)

// Sheet is a sheet of drafts. It holds all its pictures, and nothing beside.
type Sheet struct {
	*filter.Frame
	layout
	writer
	photos, styles []string // their names, as they are written
	sizes          []image.Point
}

// Size returns how large a sheet of pictures of these sizes is, which are at most cell wide
// and high. A picture of size 0 is one that could not be read.
func Size(cell int, photos, styles []image.Point) (w, h int) {
	l := newLayout(cell, photos, styles)
	return l.size()
}

// New returns a white sheet with the names of photos and styles; without photos it is one of
// pictures side by side, which are the styles. Notes say which number stands for which name
// that the font cannot write.
func New(cell int, photoNames, styleNames []string, photos, styles []image.Point) (s *Sheet, notes []string) {
	s = &Sheet{layout: newLayout(cell, photos, styles), sizes: photos}
	s.Frame = filter.NewFrame(s.size())
	for i := range s.Pix {
		s.Pix[i] = 1
	}
	s.writer = newWriter(s.text)
	readable := func(kind string, names []string) (all []string) {
		for i, name := range names {
			name = filepath.Base(name)
			if !s.has(name) {
				number := fmt.Sprintf("%s %d", kind, i+1)
				notes = append(notes, fmt.Sprintf("%s on the sheet is %s: its font has not all of these letters", number, name))
				name = number
			}
			all = append(all, name)
		}
		return all
	}
	s.photos, s.styles = readable("photo", photoNames), readable("style", styleNames)
	for c, style := range s.styles {
		s.write(s.Frame, s.name(s.box(-1, c, 0)), style)
	}
	for r, photo := range s.photos {
		for b := range s.bands() {
			s.write(s.Frame, s.name(s.box(r, -1, b)), photo)
		}
	}
	return s, notes
}

// SetPhoto draws photo r, at the left of its rows.
func (s *Sheet) SetPhoto(r int, f *filter.Frame) {
	for b := range s.bands() {
		s.draw(s.box(r, -1, b), f)
	}
}

// SetStyle draws the picture of style c, above its column.
func (s *Sheet) SetStyle(c int, f *filter.Frame) { s.draw(s.box(-1, c, 0), f) }

// SetDraft draws photo r in style c, with the style's name, for on a long sheet its head is
// far away.
func (s *Sheet) SetDraft(r, c int, f *filter.Frame) {
	s.draw(s.box(r, c, 0), f)
	s.write(s.Frame, s.name(s.box(r, c, 0)), s.styles[c])
}

// FailPhoto, FailStyle and FailDraft write the reason in place of a picture.
func (s *Sheet) FailPhoto(r int, reason string) {
	for b := range s.bands() {
		s.explain(s.box(r, -1, b), reason)
	}
}

func (s *Sheet) FailStyle(c int, reason string) { s.explain(s.box(-1, c, 0), reason) }

func (s *Sheet) FailDraft(r, c int, reason string) { s.explain(s.box(r, c, 0), reason) }

// Photo returns photo r as it was drawn.
func (s *Sheet) Photo(r int) *filter.Frame {
	at := s.centred(s.box(r, -1, 0), s.sizes[r].X, s.sizes[r].Y)
	f := filter.NewFrame(at.Dx(), at.Dy())
	for p := range 3 {
		for y := range f.H {
			from := (p*s.H+at.Min.Y+y)*s.W + at.Min.X
			copy(f.Pix[(p*f.H+y)*f.W:][:f.W], s.Pix[from:])
		}
	}
	return f
}

// centred returns where in a box a picture of w×h is: in the middle, at the bottom, by its
// name.
func (s *Sheet) centred(box image.Rectangle, w, h int) image.Rectangle {
	x, y := box.Min.X+(box.Dx()-w)/2, box.Max.Y-h
	return image.Rect(x, y, x+w, y+h)
}

// draw draws a picture over white.
func (s *Sheet) draw(box image.Rectangle, f *filter.Frame) {
	at := s.centred(box, f.W, f.H)
	if !at.In(box) {
		panic(fmt.Sprintf("contact: a picture of %d×%d for a place of %v", f.W, f.H, box))
	}
	for p := range 3 {
		for y := range f.H {
			to, from := s.Pix[(p*s.H+at.Min.Y+y)*s.W+at.Min.X:][:f.W], (p*f.H+y)*f.W
			copy(to, f.Pix[from:])
			if f.Alpha == nil {
				continue
			}
			for x := range to {
				to[x] = 1 - f.Alpha[y*f.W+x]*(1-to[x])
			}
		}
	}
}

// explain writes a reason, as much of it as there is room for.
func (s *Sheet) explain(box image.Rectangle, reason string) {
	for _, line := range s.wrapped(reason, box.Dx()) {
		at := image.Rect(box.Min.X, box.Min.Y, box.Max.X, box.Min.Y+s.text)
		if !at.In(box) {
			return
		}
		s.write(s.Frame, at, line)
		box.Min.Y += s.text
	}
}
