package coherence

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"

	"nstfilter/filter"
)

// analyzerState is what Analyzer knows, for encoding/gob. What can be computed from the
// pictures is left out.
type analyzerState struct {
	Content  *pictureState
	Age      samples
	Labels   []byte
	Older    []olderState // with its pixels' ages and the camera's motion
	Shares   []float64
	Released float64
}

// historyState is what History knows, for encoding/gob.
type historyState struct {
	Result      *pictureState
	Margin      samples
	Older       []olderState
	KeepResults int
}

// pictureState is a filter.Frame as coherence needs it.
type pictureState struct {
	W, H, Index int
	Pix, Alpha  samples
}

// olderState is an olderFrame or an olderResult.
type olderState struct {
	W, H, Index int
	Alpha       samples
	Pix, Age    []byte
	Labels      []byte
	Camera      *camera
}

// samples are float32s that gob takes as bytes, bit by bit.
type samples []float32

// GobEncode writes 4 bytes a sample, little endian.
func (s samples) GobEncode() ([]byte, error) {
	return appendFloats(make([]byte, 0, 4*len(s)), s), nil
}

// GobDecode reads what GobEncode wrote.
func (s *samples) GobDecode(b []byte) error {
	if len(b)%4 != 0 {
		return errState
	}
	*s = readFloats(b)
	return nil
}

var errState = errors.New("the state of the film is damaged")

// WriteState writes all that the Analyzer has learned from the frames so far.
func (a *Analyzer) WriteState(w io.Writer) error {
	s := analyzerState{Content: stateOf(a.content), Age: a.age, Labels: a.labels, Shares: a.shares, Released: a.released}
	for _, o := range a.older {
		s.Older = append(s.Older, olderState{o.head.W, o.head.H, o.head.Index, o.head.Alpha, o.pix, o.age, o.labels, o.camera})
	}
	return gob.NewEncoder(w).Encode(&s)
}

// ReadState makes a new Analyzer what the one was that wrote the state: both analyse the
// next frame to the same bits.
func (a *Analyzer) ReadState(r io.Reader) error {
	var s analyzerState
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	if s.Content == nil { // of no frame
		a.shares, a.released = s.Shares, s.Released
		return nil
	}
	content, err := s.Content.frame()
	if err != nil || s.Age != nil && len(s.Age) != content.W*content.H {
		return errState
	}
	a.restart(content)
	a.age, a.labels, a.shares, a.released = s.Age, s.Labels, s.Shares, s.Released
	for i := range s.Older {
		o := &s.Older[i]
		head, err := o.head()
		if err != nil || o.Age != nil && len(o.Age) != o.W*o.H {
			return errState
		}
		a.older = append(a.older, &olderFrame{head: head, pix: o.Pix, age: o.Age, labels: o.Labels, bins: newHistogram8(a.mem, o.Pix), camera: o.Camera})
	}
	return nil
}

// WriteState writes the results that later frames may ask for.
func (h *History) WriteState(w io.Writer) error {
	s := historyState{Result: stateOf(h.result), Margin: h.margin, KeepResults: h.keepResults}
	for _, o := range h.older {
		s.Older = append(s.Older, olderState{W: o.head.W, H: o.head.H, Index: o.head.Index, Alpha: o.head.Alpha, Pix: o.pix})
	}
	return gob.NewEncoder(w).Encode(&s)
}

// ReadState makes a new History what the one was that wrote the state.
func (h *History) ReadState(r io.Reader) error {
	var s historyState
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	h.margin, h.keepResults = s.Margin, s.KeepResults
	if s.Result != nil {
		result, err := s.Result.frame()
		if err != nil {
			return err
		}
		h.result, h.w, h.h = result, result.W, result.H
	}
	for i := range s.Older {
		o := &s.Older[i]
		head, err := o.head()
		if err != nil {
			return err
		}
		h.older = append(h.older, &olderResult{head, o.Pix})
	}
	return nil
}

// Last returns the latest result and what was painted around it, or nil.
func (h *History) Last() (result *filter.Frame, margin []float32) { return h.result, h.margin }

// stateOf returns nil for nil.
func stateOf(f *filter.Frame) *pictureState {
	if f == nil {
		return nil
	}
	return &pictureState{f.W, f.H, f.Index, f.Pix, f.Alpha}
}

func (p *pictureState) frame() (*filter.Frame, error) {
	return checkedFrame(p.W, p.H, p.Index, p.Alpha, p.Pix, len(p.Pix))
}

func (o *olderState) head() (*filter.Frame, error) {
	return checkedFrame(o.W, o.H, o.Index, o.Alpha, nil, len(o.Pix))
}

// checkedFrame fails if a frame of w×h has not so many samples.
func checkedFrame(w, h, index int, alpha, pix samples, n int) (*filter.Frame, error) {
	if w < 1 || h < 1 || w > math.MaxInt32 || h > math.MaxInt32 || n != 3*w*h || alpha != nil && len(alpha) != w*h {
		return nil, errState
	}
	return &filter.Frame{W: w, H: h, Index: index, Alpha: alpha, Pix: pix}, nil
}
