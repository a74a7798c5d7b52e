package coherence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"nstfilter/filter"
	"nstfilter/video"
)

// Painted is a frame and what became of it.
type PaintedFrame struct {
	Frame           *filter.Frame // as it came
	Content, Result *filter.Frame // at the size worked at: Frame, Resized, and its result
	Margin          []float32     // around Result: the Margin of its filter.Report
	Shares          []float64     // of the styles that Result is in; nil: there is one
}

// Spill holds painted frames on the disk, in one temporary file that nobody else
// sees, for more of them than memory has room for. It is for one goroutine at a
// time.
type Spill struct {
	file   *os.File
	limit  int64
	end    int64 // bytes that are in use
	stored []stored
	buf    []byte
}

// held is where one Painted lies: heads in memory, the rest from at on, one after
// the other.
type stored struct {
	frame   filter.Frame // without Pix, Alpha, Origin
	w, h    int          // of the result
	shares  []float64
	rebuild func(bulk []byte) any
	at      int64
	sizes   [partCount]int // bytes
}

// What is kept of a frame. One that its native planes give again has no samples of its
// own.
const (
	partBulk = iota
	partFrame
	partAlpha
	partResult
	partMargin
	partCount
)

// bulky is an Origin whose bulk can lie elsewhere for a while.
type bulkOrigin interface {
	// Bulk returns what is large in it, and what makes the same Origin of that.
	Bulk() (data []byte, rebuild func([]byte) any)
}

// NewSpill makes the file in dir ("": the system's folder for such), for limit
// bytes. Where a file can be unlinked while it is open (not on Windows) it is gone
// however the program ends; else by Close.
func NewSpill(dir string, limit int64) (*Spill, error) {
	file, err := os.CreateTemp(dir, "nstfilter-*.frames")
	if err != nil {
		return nil, fmt.Errorf("no room for frames that wait: %w; name another folder by TMPDIR", err)
	}
	os.Remove(file.Name())
	return &Spill{file: file, limit: limit}, nil
}

// Close frees what the frames took.
func (s *Spill) Close() error {
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// Len is how many frames are held.
func (s *Spill) Len() int { return len(s.stored) }

// Clear lets go of all frames.
func (s *Spill) Clear() error {
	s.stored, s.end = nil, 0
	return s.file.Truncate(0)
}

// Room reports whether a frame like those that are held fits beside them. There is
// always room for the first.
func (s *Spill) Room(frame *filter.Frame) bool {
	if len(s.stored) == 0 {
		return true
	}
	_, sizes := partSizes(&PaintedFrame{Frame: frame})
	last := s.stored[len(s.stored)-1].sizes
	sizes[partResult], sizes[partMargin] = last[partResult], last[partMargin]
	return s.end+sumSizes(sizes[:]) <= s.limit
}

// measure lists the bytes that each part of a frame takes; origin is its bulk.
func partSizes(p *PaintedFrame) (origin []byte, sizes [partCount]int) {
	sizes[partFrame] = 2 * len(p.Frame.Pix)
	if b, ok := p.Frame.Origin.(bulkOrigin); ok {
		origin, _ = b.Bulk()
		sizes[partBulk] = len(origin)
	}
	if _, native := p.Frame.Origin.(*video.Native); native {
		sizes[partFrame] = 0
	}
	sizes[partAlpha], sizes[partMargin] = 2*len(p.Frame.Alpha), 4*len(p.Margin)
	if p.Result != nil {
		sizes[partResult] = 2 * len(p.Result.Pix)
	}
	return origin, sizes
}

func sumSizes(sizes []int) (n int64) {
	for _, size := range sizes {
		n += int64(size)
	}
	return n
}

// Add holds p behind those held: its pictures in 16 bits a sample, which frames of up to
// 16 bits survive bit by bit. Content comes of Frame again, and Result has the time, alpha
// and origin of Content. It fails where one frame alone is beyond the limit, and where
// the disk is full.
func (s *Spill) Add(p *PaintedFrame) error {
	origin, sizes := partSizes(p)
	h := stored{frame: *p.Frame, w: p.Result.W, h: p.Result.H, shares: p.Shares, at: s.end, sizes: sizes}
	h.frame.Pix, h.frame.Alpha = nil, nil
	if b, ok := p.Frame.Origin.(bulkOrigin); ok {
		_, h.rebuild = b.Bulk()
		h.frame.Origin = nil
	}
	size := sumSizes(sizes[:])
	if len(s.stored) == 0 && size > s.limit {
		return fmt.Errorf("frame %d takes %d MB of temporary disk, and --max-temp allows %d: allow more, or paint with --passes 1", p.Frame.Index, size/1e6+1, s.limit/1e6)
	}
	b := append(s.buf[:0], origin...)
	if sizes[partFrame] > 0 {
		b = appendSamples(b, p.Frame.Pix)
	}
	b = appendSamples(b, p.Frame.Alpha)
	if err := s.write(appendResult(b, p.Result, p.Margin), h.at, p.Frame.Index); err != nil {
		return err
	}
	s.stored, s.end = append(s.stored, h), h.at+size
	return nil
}

// Replace gives the ith frame another result of the same size.
func (s *Spill) Replace(i int, result *filter.Frame, margin []float32) error {
	h := &s.stored[i]
	if 2*len(result.Pix) != h.sizes[partResult] || 4*len(margin) != h.sizes[partMargin] {
		panic(fmt.Sprintf("video: a result of %d samples, %d around it, for one of %d, %d", len(result.Pix), len(margin), h.sizes[partResult]/2, h.sizes[partMargin]/4))
	}
	return s.write(appendResult(s.buf[:0], result, margin), h.at+sumSizes(h.sizes[:partResult]), h.frame.Index)
}

func appendResult(b []byte, result *filter.Frame, margin []float32) []byte {
	b = appendSamples(b, result.Pix)
	for _, v := range margin {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func (s *Spill) write(b []byte, at int64, frame int) error {
	s.buf = b[:0]
	_, err := s.file.WriteAt(b, at)
	if err != nil {
		return fmt.Errorf("frame %d waits for --passes: %w: make room in %s, name another folder by TMPDIR, or hold less by --max-temp or --lookahead", frame, err, filepath.Dir(s.file.Name()))
	}
	return nil
}

// At reads the ith frame.
func (s *Spill) At(i int) (*PaintedFrame, error) {
	h := &s.stored[i]
	size := int(sumSizes(h.sizes[:]))
	s.buf = slices.Grow(s.buf[:0], size)
	b := s.buf[:size]
	if _, err := s.file.ReadAt(b, h.at); err != nil {
		return nil, fmt.Errorf("frame %d: %w", h.frame.Index, err)
	}
	var part [partCount][]byte
	for k, n := range h.sizes {
		part[k], b = b[:n:n], b[n:]
	}
	frame := h.frame
	if h.rebuild != nil {
		frame.Origin = h.rebuild(slices.Clone(part[partBulk]))
	}
	if n, ok := frame.Origin.(*video.Native); ok {
		frame.Pix = make([]float32, 3*n.W*n.H)
		n.RGB(frame.Pix)
	} else {
		frame.Pix = unpackSamples(part[partFrame])
	}
	frame.Alpha = unpackSamples(part[partAlpha])
	p := &PaintedFrame{Frame: &frame, Content: frame.Resized(h.w, h.h), Shares: h.shares}
	p.Result = p.Content.With(unpackSamples(part[partResult]))
	if n := len(part[partMargin]) / 4; n > 0 {
		p.Margin = make([]float32, n)
		for i := range p.Margin {
			p.Margin[i] = math.Float32frombits(binary.LittleEndian.Uint32(part[partMargin][4*i:]))
		}
	}
	return p, nil
}

// appendSamples writes values of [0,1] as 16 bits each.
func appendSamples(b []byte, v []float32) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(min(max(x*math.MaxUint16+0.5, 0), math.MaxUint16)))
	}
	return b
}

// unpackSamples is the inverse of appendSamples; nil for nothing.
func unpackSamples(b []byte) []float32 {
	if len(b) == 0 {
		return nil
	}
	v := make([]float32, len(b)/2)
	for i := range v {
		v[i] = float32(binary.LittleEndian.Uint16(b[2*i:])) / math.MaxUint16
	}
	return v
}
