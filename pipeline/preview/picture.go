package preview

import (
	"bytes"
	"image"
	"image/jpeg"
	"time"

	"nstfilter/filter"
)

// Longest sides of what is shown, in pixels, and the height of a film's small pictures.
const (
	mostSide    = 1280
	styleSide   = 480
	smallHeight = 90
)

// Pictures are made at most ten times a second, and so seldom that the painting, which waits
// for some of it and shares its processors with the rest, is not slowed by more than 1/waitShare.
const (
	shortestWait = 100 * time.Millisecond
	waitShare    = 60
)

// picture is one that somebody wants to see.
type picture struct {
	*filter.Frame
	took     time.Duration // for which the painting has waited
	finished bool          // it is the result; else colours and strength of the photo are missing
}

// show hands a picture to watch, in the place of one that it has not taken.
func (s *Server) show(p picture) {
	for {
		select {
		case s.looks <- p:
			return
		default:
		}
		select {
		case <-s.looks:
		default:
		}
	}
}

// wake sends a word, unless one waits already.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watch asks for pictures as long as somebody looks, and makes JPEGs of them.
func (s *Server) watch() {
	for {
		select {
		case <-s.someone:
		case <-s.closing:
			return
		}
		for s.board.watched() {
			s.Live.Look()
			select {
			case p := <-s.looks:
				began := time.Now()
				s.present(p)
				wait := time.NewTimer(max(shortestWait, waitShare*(p.took+time.Since(began))))
				select {
				case <-wait.C:
				case <-s.closing:
					wait.Stop()
					return
				}
			case <-s.closing:
				return
			}
		}
	}
}

// present shows a picture, as the result will be.
func (s *Server) present(p picture) {
	f := s.asResult(p)
	if s.terminal == nil {
		s.board.setPicture(jpegOf(f))
	} else if s.terminal.Show(f) != nil { // it is gone, and the painting goes on
		s.board.leave(nil)
	}
}

// asResult returns a picture as the result will be, but at most as large as is shown.
func (s *Server) asResult(p picture) *filter.Frame {
	f := reduced(p.Frame, mostSide, mostSide)
	content := s.board.contentFrame()
	if !p.finished && content != nil && (s.Options.OriginalColors || content.Strength != nil) {
		content = content.Resized(f.W, f.H)
		if s.Options.OriginalColors {
			f = f.InColoursOf(content)
		}
		f = content.Blended(f)
	}
	return f
}

// reduced returns a picture that is at most w wide and h high.
func reduced(f *filter.Frame, w, h int) *filter.Frame {
	if f.W <= w && f.H <= h {
		return f
	}
	return fitted(f, w, h)
}

// fitted returns a picture that is w wide or h high, and at most the other.
func fitted(f *filter.Frame, w, h int) *filter.Frame {
	k := min(float64(w)/float64(f.W), float64(h)/float64(f.H))
	return f.Resized(max(1, int(float64(f.W)*k+0.5)), max(1, int(float64(f.H)*k+0.5)))
}

// imageOf returns a picture in 8 bits.
func imageOf(f *filter.Frame) *image.RGBA {
	m, n := image.NewRGBA(image.Rect(0, 0, f.W, f.H)), f.W*f.H
	for i := range n {
		to := m.Pix[4*i : 4*i+4]
		for c := range 3 {
			to[c] = uint8(min(max(f.Pix[c*n+i], 0), 1)*255 + 0.5)
		}
		to[3] = 255
	}
	return m
}

// jpegOf returns a picture as a JPEG.
func jpegOf(f *filter.Frame) []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, imageOf(f), &jpeg.Options{Quality: 85}) // fails for sides over 65,535 alone
	return b.Bytes()
}
