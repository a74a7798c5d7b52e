package preview

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"nstfilter/filter"
)

// board is what there is to see. Viewers take from it what is new to them.
type board struct {
	mu      sync.Mutex
	viewers map[chan struct{}]bool // each gets a word when something changes
	ended   string                 // how the job ended; empty: it has not

	now     now
	picture versioned
	content versioned
	source  *filter.Frame // content's; nil: content is up to date
	styles  [][]byte
	curve   series[point]
	frames  series[small]
	cuts    []int // frames with which scenes begin
}

// now is how far the job is, and what is asked of it.
type now struct {
	Input    string         `json:"input"`
	Photo    bool           `json:"photo"`
	Frames   int64          `json:"frames"` // 0: not known
	Done     int64          `json:"done"`
	Frame    int64          `json:"frame"` // that is painted, from 0
	Pass     int            `json:"pass"`
	Passes   int            `json:"passes"`
	Scale    int            `json:"scale"`
	Scales   int            `json:"scales"`
	W        int            `json:"w"`
	H        int            `json:"h"`
	Step     int            `json:"step"`
	Steps    int            `json:"steps"`
	Share    float64        `json:"share"`
	Left     float64        `json:"left"` // seconds; negative: not known
	Why      string         `json:"why"`  // weights cannot be changed; empty: they can
	Paused   bool           `json:"paused"`
	Hold     bool           `json:"hold"`
	Stopping bool           `json:"stopping"`
	Factors  filter.Factors `json:"factors"`
	Weights  weights        `json:"weights"`
}

// weights are those in use, as options have them.
type weights struct {
	Content string `json:"content"`
	Style   string `json:"style"`
	TV      string `json:"tv"`
}

// versioned is a JPEG that is replaced now and then.
type versioned struct {
	jpeg    []byte
	version int
}

func (v *versioned) set(jpeg []byte) { v.jpeg, v.version = jpeg, v.version+1 }

// series is a list that grows, and is thinned when it is too long: then its version changes.
type series[T any] struct {
	list    []T
	version int
}

// point is one step of the curves.
type point struct {
	Step    int     `json:"n"` // of the input, over all frames
	Frame   int64   `json:"f"`
	Scale   int     `json:"k"`
	Content float64 `json:"c"`
	Style   float64 `json:"s"`
	Total   float64 `json:"t"`
}

// small is a painted frame of a film.
type small struct {
	Index int    `json:"index"`
	JPEG  []byte `json:"jpeg"`
}

const (
	mostPoints = 1200
	mostSmall  = 200
)

// cursor is what a viewer has seen.
type cursor struct {
	picture, content, styles        int
	curve, points, frames, pictures int // versions, and how many of each
}

// change changes the board and tells the viewers.
func (b *board) change(change func(*board)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
	for news := range b.viewers {
		wake(news)
	}
}

// enter counts a viewer, and returns what tells of changes.
func (b *board) enter() (news chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.viewers) >= mostViewers {
		return nil, false
	}
	news = make(chan struct{}, 1)
	b.viewers[news] = true
	return news, true
}

func (b *board) leave(news chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.viewers, news)
}

func (b *board) watched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.viewers) > 0
}

func (b *board) isPhoto() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.Photo
}

func (b *board) contentFrame() *filter.Frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.source
}

func (b *board) setPicture(jpeg []byte) { b.change(func(b *board) { b.picture.set(jpeg) }) }

// tell writes what is new to a viewer as server-sent events. It returns true behind the last.
func (b *board) tell(w io.Writer, seen *cursor, s *Server) (ended bool, err error) {
	type event struct {
		name string
		data any
	}
	var all []event
	b.mu.Lock()
	add := func(name string, data any) { all = append(all, event{name, data}) }
	if b.source != nil && b.content.jpeg == nil {
		b.content.set(jpegOf(b.source))
	}
	if seen.styles == 0 && b.styles != nil {
		seen.styles = 1
		add("styles", b.styles)
	}
	if v := b.content; v.version != seen.content && v.jpeg != nil {
		seen.content = v.version
		add("content", v.jpeg)
	}
	if v := b.picture; v.version != seen.picture {
		seen.picture = v.version
		add("picture", v.jpeg)
	}
	if c := &b.curve; c.version != seen.curve || len(c.list) > seen.points {
		if c.version != seen.curve {
			seen.points = 0
		}
		add("curve", map[string]any{"anew": seen.points == 0, "points": slices.Clone(c.list[seen.points:])})
		seen.curve, seen.points = c.version, len(c.list)
	}
	if f := &b.frames; f.version != seen.frames || len(f.list) > seen.pictures {
		if f.version != seen.frames {
			seen.pictures = 0
		}
		add("frames", map[string]any{"anew": seen.pictures == 0, "frames": slices.Clone(f.list[seen.pictures:]), "cuts": slices.Clone(b.cuts)})
		seen.frames, seen.pictures = f.version, len(f.list)
	}
	n := b.now
	ended = b.ended != ""
	add("now", s.complete(n))
	if ended {
		add("end", b.ended)
	}
	b.mu.Unlock()
	for _, e := range all {
		data, err := json.Marshal(e.data)
		if err != nil {
			return false, err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, data); err != nil {
			return false, err
		}
	}
	return ended, nil
}

// complete adds what is asked of the painter.
func (s *Server) complete(n now) now {
	o := s.Live.Orders()
	n.Paused, n.Hold, n.Factors = o.Paused, o.Hold, o.Factors
	used := o.Factors.Of(s.Options)
	text := func(of filter.Numbers) string {
		t, _ := of.MarshalText() // never fails
		return string(t)
	}
	n.Weights = weights{text(used.ContentWeight), strconv.FormatFloat(used.StyleWeight, 'g', -1, 64), text(used.TVWeight)}
	return n
}

// Open begins an input: frames is 1 for a photo, and 0 if it is not known.
func (s *Server) Open(input string, frames, done int64) {
	if s == nil {
		return
	}
	name := filepath.Base(input) // folders are nobody's business
	if input == "-" {
		name = "stdin"
	}
	s.board.change(func(b *board) {
		b.now = now{Input: name, Photo: frames == 1, Frames: frames, Done: done, Left: -1, Why: b.now.Why, Stopping: b.now.Stopping}
		b.curve = series[point]{version: b.curve.version + 1}
		b.frames = series[small]{version: b.frames.version + 1}
		b.cuts = nil
	})
}

// noSteering says why weights stay as they are.
const noSteering = "The frames of this film are kept, so that the same command can go on behind them, and all have its settings. Try other weights on one of them with nstfilter try, or add --no-resume to change them as it is painted."

// steer changes what decides the pixels, unless the input at hand forbids it: then it returns why.
func (s *Server) steer(change func(*filter.Orders)) (why string) {
	s.board.change(func(b *board) {
		if why = b.now.Why; why == "" {
			s.Live.Change(change)
		}
	})
	return why
}

// Steer says whether weights may be changed in the next input. If not, they are what its command
// says, whatever was changed before.
func (s *Server) Steer(may bool) {
	if s == nil {
		return
	}
	s.board.change(func(b *board) {
		if b.now.Why = ""; !may {
			b.now.Why = noSteering
			s.Live.Change(func(to *filter.Orders) { to.Factors = filter.Factors{Content: 1, Style: 1, TV: 1} })
		}
	})
}

// SetStyles shows the pictures to paint like.
func (s *Server) SetStyles(styles []*filter.Frame) {
	if s == nil {
		return
	}
	var all [][]byte
	for _, f := range styles {
		all = append(all, jpegOf(reduced(f, styleSide, styleSide)))
	}
	s.board.change(func(b *board) { b.styles = all })
}

// Begin shows the frame that is painted next.
func (s *Server) Begin(f *filter.Frame) {
	if s == nil {
		return
	}
	f = reduced(f, mostSide, mostSide)
	s.board.change(func(b *board) {
		b.source, b.content.jpeg = f, nil
		b.now.Frame = int64(f.Index)
	})
}

// Step says how far the frame at hand is. share is that of the input, or of the frame if the
// number of frames is not known; left is negative if the time left is not known.
func (s *Server) Step(p filter.Progress, pass, passes int, share float64, left time.Duration) {
	s.board.change(func(b *board) {
		n := &b.now
		n.Pass, n.Passes, n.Scale, n.Scales, n.W, n.H, n.Step, n.Steps, n.Share, n.Left = pass, passes, p.Scale, p.Scales, p.W, p.H, p.Iteration, p.Iterations, share, left.Seconds()
		next := point{0, n.Frame, p.Scale, rounded(p.Losses.Content), rounded(p.Losses.Style), rounded(p.Losses.Total)}
		if k := len(b.curve.list); k > 0 {
			next.Step = b.curve.list[k-1].Step + 1
		}
		b.curve.list = append(b.curve.list, next)
		if len(b.curve.list) > mostPoints {
			b.curve.thin()
		}
	})
}

// rounded keeps four digits of a loss.
func rounded(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) { // which Paint reports, and JSON does not hold
		return 0
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return v
}

// thin keeps every second entry.
func (s *series[T]) thin() {
	var kept []T
	for i, of := range s.list {
		if i%2 == 0 {
			kept = append(kept, of)
		}
	}
	s.list, s.version = kept, s.version+1
}

// Painted shows a frame that is done. cut says that a scene of a film begins with it.
func (s *Server) Painted(f *filter.Frame, cut bool) {
	if s == nil {
		return
	}
	photo := s.board.isPhoto()
	s.show(picture{Frame: f, finished: photo})
	wake(s.someone)
	if photo {
		return
	}
	next := small{f.Index, jpegOf(reduced(f, mostSide, smallHeight))}
	s.board.change(func(b *board) {
		if cut && !slices.Contains(b.cuts, f.Index) {
			b.cuts = append(b.cuts, f.Index)
		}
		list := b.frames.list
		if i := slices.IndexFunc(list, func(of small) bool { return of.Index == f.Index }); i >= 0 { // another pass
			list[i], b.frames.version = next, b.frames.version+1
			return
		}
		b.frames.list = append(list, next)
		if len(b.frames.list) > mostSmall {
			b.frames.thin()
		}
	})
}

// Written says how many frames are with the sink.
func (s *Server) Written(done int64, share float64) {
	s.board.change(func(b *board) { b.now.Done, b.now.Share = done, share })
}
