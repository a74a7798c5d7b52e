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

// PaintedFrame is a frame with its result.
type PaintedFrame struct {
	Frame   *filter.Frame // as it was read
	Content *filter.Frame // Frame at the size it is painted at
	Result  *filter.Frame // of that size too; nil: not painted yet
	Margin  []float32     // painted around Result: filter.Report.Margin
	Shares  []float64     // of the styles in Result; nil: there is one
	Held    *Held         // what keys show of Content; nil: nothing
}

// Spill holds frames that wait, more than fit into memory, in a temporary file that no
// other program sees. It must not be used by two goroutines at once.
type Spill struct {
	file   *os.File
	limit  int64 // of file, in bytes
	end    int64 // of the last frame in file
	frames []spilledFrame
	left   []spilledFrame // that Shift dropped
	buf    []byte
}

// spilledFrame says where a PaintedFrame's parts lie in the file, one after the other
// from at on, and holds what stays in memory.
type spilledFrame struct {
	frame   filter.Frame // without its pictures and maps, and without Origin if rebuild makes it
	w, h    int          // of the content
	shares  []float64
	rebuild func(bulk []byte) any // nil: frame has its Origin
	at      int64
	sizes   [partCount]int // bytes
}

// The parts of a frame in the file, in their order. partFrame is empty for a frame of
// video.Native, whose samples are computed again.
const (
	partBulk = iota
	partFrame
	partAlpha
	partStrength
	partRegions
	partResult
	partMargin
	partHeld
	partCount
)

// bulkOrigin is a filter.Frame.Origin whose large part can be kept elsewhere.
type bulkOrigin interface {
	// Bulk returns the large part, and a function that makes the same Origin of it.
	Bulk() (data []byte, rebuild func([]byte) any)
}

// NewSpill makes a file of at most limit bytes in dir, or in the system's temporary
// folder if dir is empty. It unlinks the file at once, so that nothing is left however
// the program ends; on Windows, where an open file cannot be unlinked, Close does it.
func NewSpill(dir string, limit int64) (*Spill, error) {
	file, err := os.CreateTemp(dir, "nstfilter-*.frames")
	if err != nil {
		return nil, fmt.Errorf("no room for frames that wait: %w; name another folder by TMPDIR", err)
	}
	os.Remove(file.Name())
	return &Spill{file: file, limit: limit}, nil
}

// Close deletes the file.
func (s *Spill) Close() error {
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// Len returns the number of frames.
func (s *Spill) Len() int { return len(s.frames) }

// Clear drops all frames.
func (s *Spill) Clear() error {
	s.frames, s.left, s.end = nil, nil, 0
	return s.file.Truncate(0)
}

// Pop drops the last frame.
func (s *Spill) Pop() { s.frames = s.frames[:len(s.frames)-1] }

// Shift drops the first frame. Its place is for another one, of the same size.
func (s *Spill) Shift() {
	s.left = append(s.left, s.frames[0])
	s.frames = s.frames[1:]
}

// Limit is how many bytes the file may have.
func (s *Spill) Limit() int64 { return s.limit }

// WaitingBytes is what a frame takes in a Spill, with something held of it, but without a result,
// if it is painted at w×h.
func WaitingBytes(frame *filter.Frame, w, h int) int64 {
	_, sizes := partSizes(&PaintedFrame{Frame: frame})
	return sumSizes(sizes[:]) + 2*4*int64(w)*int64(h)
}

// Room reports whether there is room for frame and for a result as large as the last
// one's. It is always true if there are no frames.
func (s *Spill) Room(frame *filter.Frame) bool {
	if len(s.frames) == 0 || len(s.left) > 0 {
		return true
	}
	_, sizes := partSizes(&PaintedFrame{Frame: frame})
	last := s.frames[len(s.frames)-1].sizes
	sizes[partResult], sizes[partMargin], sizes[partHeld] = last[partResult], last[partMargin], last[partHeld]
	return s.end+sumSizes(sizes[:]) <= s.limit
}

// partSizes returns how many bytes each part of p takes, and the bulk of its Origin.
func partSizes(p *PaintedFrame) (origin []byte, sizes [partCount]int) {
	sizes[partFrame] = 2 * len(p.Frame.Pix)
	if b, ok := p.Frame.Origin.(bulkOrigin); ok {
		origin, _ = b.Bulk()
		sizes[partBulk] = len(origin)
	}
	if _, native := p.Frame.Origin.(*video.Native); native {
		sizes[partFrame] = 0
	}
	sizes[partAlpha], sizes[partStrength], sizes[partMargin] = 2*len(p.Frame.Alpha), 2*len(p.Frame.Strength), 4*len(p.Margin)
	for _, m := range p.Frame.Regions {
		sizes[partRegions] += 2 * len(m)
	}
	if p.Result != nil {
		sizes[partResult] = 2 * len(p.Result.Pix)
	}
	if p.Held != nil {
		sizes[partHeld] = 2 * (len(p.Held.Pix) + len(p.Held.Trust))
	}
	return origin, sizes
}

func sumSizes(sizes []int) (n int64) {
	for _, size := range sizes {
		n += int64(size)
	}
	return n
}

// Add appends p. Pictures are stored in 16 bits a sample, which is exact for frames of up
// to 16 bits. At computes Content from Frame again and gives Result the time, alpha and
// origin of Content. Add fails if one frame alone exceeds the limit or the disk is full.
func (s *Spill) Add(p *PaintedFrame) error {
	origin, sizes := partSizes(p)
	f := spilledFrame{frame: *p.Frame, w: p.Content.W, h: p.Content.H, shares: p.Shares, at: s.end, sizes: sizes}
	f.frame.Pix, f.frame.Alpha, f.frame.Strength, f.frame.Regions = nil, nil, nil, nil
	if b, ok := p.Frame.Origin.(bulkOrigin); ok {
		_, f.rebuild = b.Bulk()
		f.frame.Origin = nil
	}
	size := sumSizes(sizes[:])
	if n := len(s.left); n > 0 && sumSizes(s.left[n-1].sizes[:]) == size {
		f.at, s.left = s.left[n-1].at, s.left[:n-1]
	}
	if len(s.frames) == 0 && size > s.limit {
		return fmt.Errorf("frame %d takes %d MB of temporary disk, and --max-temp allows %d: allow more, or paint with --passes 1", p.Frame.Index, size/1e6+1, s.limit/1e6)
	}
	b := append(s.buf[:0], origin...)
	if sizes[partFrame] > 0 {
		b = appendSamples(b, p.Frame.Pix)
	}
	b = appendSamples(b, p.Frame.Alpha)
	b = appendSamples(b, p.Frame.Strength)
	for _, m := range p.Frame.Regions {
		b = appendSamples(b, m)
	}
	if p.Result != nil {
		b = appendResult(b, p.Result, p.Margin)
	}
	if err := s.write(appendHeld(b, p.Held), f.at, p.Frame.Index); err != nil {
		return err
	}
	s.frames, s.end = append(s.frames, f), max(s.end, f.at+size)
	return nil
}

// Replace exchanges the ith frame's result for another one of the same size.
func (s *Spill) Replace(i int, result *filter.Frame, margin []float32) error {
	f := &s.frames[i]
	if 2*len(result.Pix) != f.sizes[partResult] || 4*len(margin) != f.sizes[partMargin] {
		panic(fmt.Sprintf("coherence: a result of %d samples, %d around it, for one of %d, %d", len(result.Pix), len(margin), f.sizes[partResult]/2, f.sizes[partMargin]/4))
	}
	return s.write(appendResult(s.buf[:0], result, margin), f.at+sumSizes(f.sizes[:partResult]), f.frame.Index)
}

// Hold exchanges what keys show of the ith frame, which was added with something held.
func (s *Spill) Hold(i int, h *Held) error {
	f := &s.frames[i]
	if 2*(len(h.Pix)+len(h.Trust)) != f.sizes[partHeld] {
		panic(fmt.Sprintf("coherence: %d held samples, for %d bytes", len(h.Pix)+len(h.Trust), f.sizes[partHeld]))
	}
	return s.write(appendHeld(s.buf[:0], h), f.at+sumSizes(f.sizes[:partHeld]), f.frame.Index)
}

// appendHeld appends partHeld.
func appendHeld(b []byte, h *Held) []byte {
	if h == nil {
		return b
	}
	return appendSamples(appendSamples(b, h.Pix), h.Trust)
}

// appendResult appends partResult and partMargin.
func appendResult(b []byte, result *filter.Frame, margin []float32) []byte {
	b = appendSamples(b, result.Pix)
	return appendFloats(b, margin)
}

// appendFloats appends 4 bytes a number, little endian.
func appendFloats(b []byte, v []float32) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// readFloats is the inverse of appendFloats.
func readFloats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// write writes b into the file; frame is the index that an error names.
func (s *Spill) write(b []byte, at int64, frame int) error {
	s.buf = b[:0]
	_, err := s.file.WriteAt(b, at)
	if err != nil {
		return fmt.Errorf("frame %d waits: %w: make room in %s, name another folder by TMPDIR, or hold less by --max-temp or --lookahead", frame, err, filepath.Dir(s.file.Name()))
	}
	return nil
}

// At reads the ith frame back.
func (s *Spill) At(i int) (*PaintedFrame, error) {
	f := &s.frames[i]
	size := int(sumSizes(f.sizes[:]))
	s.buf = slices.Grow(s.buf[:0], size)
	b := s.buf[:size]
	if _, err := s.file.ReadAt(b, f.at); err != nil {
		return nil, fmt.Errorf("frame %d: %w", f.frame.Index, err)
	}
	var part [partCount][]byte
	for k, n := range f.sizes {
		part[k], b = b[:n:n], b[n:]
	}
	frame := f.frame
	if f.rebuild != nil {
		frame.Origin = f.rebuild(slices.Clone(part[partBulk]))
	}
	if n, ok := frame.Origin.(*video.Native); ok {
		frame.Pix = make([]float32, 3*n.W*n.H)
		n.RGB(frame.Pix)
	} else {
		frame.Pix = unpackSamples(part[partFrame])
	}
	frame.Alpha, frame.Strength = unpackSamples(part[partAlpha]), unpackSamples(part[partStrength])
	for m := range slices.Chunk(unpackSamples(part[partRegions]), frame.W*frame.H) {
		frame.Regions = append(frame.Regions, m)
	}
	p := &PaintedFrame{Frame: &frame, Content: frame.Resized(f.w, f.h), Shares: f.shares}
	if result := part[partResult]; len(result) > 0 {
		p.Result = p.Content.With(unpackSamples(result))
	}
	if margin := part[partMargin]; len(margin) > 0 {
		p.Margin = readFloats(margin)
	}
	if held := unpackSamples(part[partHeld]); held != nil {
		p.Held = &Held{Pix: held[:3*f.w*f.h], Trust: held[3*f.w*f.h:]}
	}
	return p, nil
}

// appendSamples appends values in [0,1], 16 bits each.
func appendSamples(b []byte, v []float32) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(min(max(x*math.MaxUint16+0.5, 0), math.MaxUint16)))
	}
	return b
}

// unpackSamples is the inverse of appendSamples. It returns nil if b is empty.
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
