package video

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/big"
	"strings"

	"nstfilter/filter"
)

const (
	maxNUTPacket  = 1 << 20 // bytes of a header
	maxNUTStreams = 64
)

var errNUT = errors.New("stream is damaged")

// NUTReader reads the first stream of raw video in a NUT file and skips the others.
type NUTReader struct {
	// Options may override matrix and range. Set them before Frames is called.
	Options Options

	r         *bufio.Reader
	header    []byte // bytes of the frame header being read
	timeBases []filter.Rational
	codes     [256]nutCode
	elided    [][]byte
	streams   []*nutStreamState
	left      int // stream headers that are still to come
	video     int // index of the stream that is read
	h         NUTHeader
	packed    *nutPacked // how its samples lie, if they are not planar; else nil
}

// nutCode is the meaning of one frame code.
type nutCode struct {
	flags, multiplier, stream, size, reserved, header uint64
	pts                                               int64
}

type nutStreamState struct {
	timeBase int
	shift    uint // msb_pts_shift
	last     int64
}

// NewNUTReader reads the headers, up to the first frame.
func NewNUTReader(r io.Reader) (*NUTReader, error) {
	n := &NUTReader{r: bufio.NewReaderSize(r, 1<<16), video: -1}
	magic := make([]byte, len(nutMagic))
	got, err := io.ReadFull(n.r, magic)
	if string(magic) != nutMagic {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("nut: header: %w", err)
		}
		return nil, fmt.Errorf("nut: input begins with %.16q, not with a NUT header; make one with: ffmpeg -i IN -map 0:v:0 -c:v rawvideo -f nut -", magic[:got])
	}
	for n.left = -1; n.left != 0; {
		b, err := n.r.ReadByte()
		if err == nil && b != 'N' {
			err = errNUT
		}
		if err == nil {
			err = n.packet()
		}
		if err != nil {
			return nil, fmt.Errorf("nut: header: %w", unexpected(err))
		}
	}
	if n.video < 0 {
		return nil, errors.New("nut: no raw video that is known in the stream; add to the ffmpeg before the pipe: -map 0:v:0 -c:v rawvideo -pix_fmt, with what loses nothing: yuv420p10le for p010, yuv422p or yuv444p for other YUV (of more bits yuv444p16le), gbrap for gray with alpha")
	}
	for {
		b, err := n.r.Peek(8)
		if err != nil || b[0] != 'N' || binary.BigEndian.Uint64(b) == nutSyncpoint {
			return n, nil // Frames says what is wrong, if anything is
		}
		n.r.ReadByte()
		if err := n.packet(); err != nil {
			return nil, fmt.Errorf("nut: header: %w", unexpected(err))
		}
	}
}

// Header returns the stream's layout and clock, with the colour that Options put in place
// of its own.
func (n *NUTReader) Header() NUTHeader {
	h := n.h
	n.Options.apply(&h.Layout)
	return h
}

// Frames yields the frames in order, with the PTS and timebase of the stream. If the input
// ends within a frame, the whole frames come first, and then an error. ctx is checked before
// each frame; to end a read that waits, close the reader's input.
func (n *NUTReader) Frames(ctx context.Context) iter.Seq2[*filter.Frame, error] {
	return func(yield func(*filter.Frame, error) bool) {
		h := n.Header()
		var samples sampleReader
		for i := 0; ; i++ {
			err := ctx.Err()
			var f *filter.Frame
			if err == nil {
				f, err = n.next(h, &samples)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("nut: frame %d: %w", i, err))
				return
			}
			f.Index = i
			if !yield(f, nil) {
				return
			}
		}
	}
}

// next reads packets up to the next frame of the stream that is read.
func (n *NUTReader) next(h NUTHeader, samples *sampleReader) (*filter.Frame, error) {
	for {
		b, err := n.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == 'N' {
			if err := n.packet(); err != nil {
				return nil, unexpected(err)
			}
			continue
		}
		stream, pts, size, prefix, err := n.frameHeader(b)
		if err != nil {
			return nil, unexpected(err)
		}
		if stream != n.video {
			if _, err := io.CopyN(io.Discard, n.r, size-int64(len(prefix))); err != nil {
				return nil, unexpected(err)
			}
			continue
		}
		want := h.Format.FrameBytes(h.W, h.H)
		if n.packed != nil {
			want = n.packed.frameBytes(h.W, h.H)
		}
		if size != want {
			return nil, fmt.Errorf("%d bytes where %d×%d %v takes %d", size, h.W, h.H, h.Format, want)
		}
		data, err := samples.read(io.MultiReader(bytes.NewReader(prefix), n.r), size)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("input ends after %d of %d bytes", len(data), size)
		}
		if err != nil {
			return nil, err
		}
		if n.packed != nil {
			data = n.packed.planar(data, h.W, h.H)
		}
		f := (&Native{Layout: h.Layout, Data: data}).Frame()
		f.PTS, f.TimeBase = pts, h.TimeBase
		return f, nil
	}
}

// unexpected replaces io.EOF by an error that says that more was expected.
func unexpected(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("input ends before the stream does")
	}
	return err
}

// varint reads 7 bits per byte, at most 63 bits.
func varint(r io.ByteReader) (uint64, error) {
	var v uint64
	for range 9 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		v = v<<7 | uint64(b&127)
		if b < 128 {
			return v, nil
		}
	}
	return 0, errNUT
}

// fields reads the values of a packet. It keeps the first error.
type fields struct {
	*bytes.Reader
	err error
}

func (f *fields) value() uint64 {
	v, err := varint(f.Reader)
	if err != nil && f.err == nil {
		f.err = errNUT
	}
	return v
}

// upTo reads a value of at most limit.
func (f *fields) upTo(limit uint64) uint64 {
	v := f.value()
	if v > limit && f.err == nil {
		f.err = errNUT
	}
	return min(v, limit)
}

func (f *fields) signed() int64 {
	v := f.value() + 1
	if v&1 != 0 {
		return -int64(v >> 1)
	}
	return int64(v >> 1)
}

func (f *fields) bytes() []byte {
	b := make([]byte, f.upTo(uint64(f.Len())))
	f.Read(b)
	return b
}

// packet reads the rest of a packet, whose first byte is 'N'.
func (n *NUTReader) packet() error {
	code := make([]byte, 8)
	code[0] = 'N'
	if _, err := io.ReadFull(n.r, code[1:]); err != nil {
		return err
	}
	size, err := varint(n.r)
	if err != nil {
		return err
	}
	startcode := binary.BigEndian.Uint64(code)
	if size < 4 || (size > maxNUTPacket && startcode != nutIndex && startcode != nutInfo) || size > math.MaxInt32 {
		return errNUT
	}
	if size > nutLongPacket {
		if err := n.skip(4); err != nil {
			return err
		}
	}
	switch {
	case startcode == nutMain || startcode == nutStream || startcode == nutSyncpoint:
	case startcode == nutInfo && size <= maxNUTPacket:
	case startcode == nutInfo || startcode == nutIndex:
		return n.skip(int(size))
	default:
		if code[1] == 'K' || code[1] == 'M' || code[1] == 'S' || code[1] == 'X' || code[1] == 'I' {
			return errNUT
		}
		return n.skip(int(size)) // the specification says so
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(n.r, b); err != nil {
		return err
	}
	if nutCRC(0, b) != 0 {
		return fmt.Errorf("%w: checksum of packet %016x", errNUT, startcode)
	}
	f := &fields{Reader: bytes.NewReader(b[:size-4])}
	switch {
	case startcode == nutSyncpoint && n.left == 0:
		n.syncpoint(f)
	case startcode == nutMain && n.left < 0:
		n.main(f)
	case startcode == nutStream && n.left > 0:
		return n.stream(f)
	case startcode == nutInfo:
		n.info(f)
		return nil // fields other than the rate may be of any kind
	case startcode == nutSyncpoint || n.left < 0:
		return errNUT
	} // else it repeats a header
	return f.err
}

func (n *NUTReader) skip(count int) error {
	_, err := io.CopyN(io.Discard, n.r, int64(count))
	return err
}

func (n *NUTReader) main(f *fields) {
	version := f.value()
	if version > 3 {
		f.value() // minor version
	}
	n.left = int(f.upTo(maxNUTStreams))
	if n.left == 0 {
		f.err = errNUT
	}
	n.streams = make([]*nutStreamState, n.left)
	f.value() // max_distance
	for range f.upTo(maxNUTStreams) {
		t := filter.Rational{Num: int64(f.upTo(math.MaxInt32)), Den: int64(f.upTo(math.MaxInt32))}
		if (t.Num == 0 || t.Den == 0) && f.err == nil {
			f.err = errNUT
		}
		n.timeBases = append(n.timeBases, t)
	}
	if len(n.timeBases) == 0 {
		f.err = errNUT
	}
	code := nutCode{multiplier: 1}
	for i := 0; i < 256 && f.err == nil; {
		code.flags = f.value()
		given := f.upTo(1 << 10)
		code.size, code.reserved = 0, 0
		optional := func(index uint64, limit uint64, to *uint64) {
			if given > index {
				*to = f.upTo(limit)
			}
		}
		if given > 0 {
			code.pts = f.signed()
		}
		optional(1, 1<<14, &code.multiplier)
		optional(2, maxNUTStreams, &code.stream)
		optional(3, 1<<14, &code.size)
		optional(4, 256, &code.reserved)
		count := code.multiplier - min(code.size, code.multiplier)
		optional(5, 256, &count)
		if given > 6 {
			f.signed() // match_time_delta
		}
		optional(7, 255, &code.header)
		for k := uint64(8); k < given; k++ {
			f.value()
		}
		if count == 0 {
			f.err = errNUT
		}
		for ; count > 0 && i < 256; i++ {
			if i == 'N' {
				n.codes[i].flags = nutInvalid
				continue
			}
			n.codes[i] = code
			code.size++
			count--
		}
	}
	n.elided = [][]byte{nil}
	if f.Len() > 0 {
		for range f.upTo(127) {
			n.elided = append(n.elided, f.bytes())
		}
	}
}

func (n *NUTReader) stream(f *fields) error {
	id := int(f.upTo(uint64(len(n.streams) - 1)))
	class := f.value()
	tag := f.bytes()
	s := &nutStreamState{timeBase: int(f.upTo(uint64(len(n.timeBases) - 1))), shift: uint(f.upTo(16))}
	f.value() // max_pts_distance
	f.value() // decode_delay
	f.value() // flags
	f.bytes() // codec specific data
	if f.err == nil && n.streams[id] != nil {
		f.err = errNUT
	}
	if f.err != nil {
		return f.err
	}
	n.streams[id] = s
	n.left--
	format, ok := parseNUTFourCC(tag)
	if packed, found := nutPackings[string(tag)]; found && !ok {
		format, ok = packed.format, true
		if class == 0 && n.video < 0 {
			n.packed = &packed
		}
	}
	if class != 0 || !ok || n.video >= 0 {
		return nil
	}
	n.video = id
	l := Layout{Format: format, W: int(f.upTo(math.MaxInt32)), H: int(f.upTo(math.MaxInt32))}
	l.SAR = filter.Rational{Num: int64(f.upTo(math.MaxInt32)), Den: int64(f.upTo(math.MaxInt32))}
	colour := f.value()
	if f.err != nil {
		return f.err
	}
	if err := checkSize(format, l.W, l.H); err != nil {
		return err
	}
	if l.SAR.Num == 0 || l.SAR.Den == 0 {
		l.SAR = filter.Rational{}
	}
	l.Matrix, l.Full = guessMatrix(l.H), fullByDefault(format)
	switch colour {
	case 1, 17:
		l.Matrix, l.Full = BT601, colour > 16
	case 2, 18:
		l.Matrix, l.Full = BT709, colour > 16
	}
	n.h = NUTHeader{Layout: l, TimeBase: n.timeBases[s.timeBase]}
	return nil
}

// info looks for the rate among the fields of the stream that is read. It stops at the first
// field of an unknown kind.
func (n *NUTReader) info(f *fields) {
	if n.video < 0 || f.value() != uint64(n.video)+1 {
		return
	}
	f.signed() // chapter
	f.value()  // its start
	f.value()  // its length
	for range f.upTo(1 << 10) {
		name := f.bytes()
		kind := f.signed()
		var text []byte
		switch {
		case kind == -1: // text
			text = f.bytes()
		case kind == -2: // a type by name, and data
			f.bytes()
			f.bytes()
		case kind == -3 || kind < -4: // signed; the numerator of a ratio
			f.signed()
		case kind == -4: // time
			f.value()
		} // else the value is kind itself
		if f.err != nil {
			return
		}
		if string(name) == nutRate {
			if r, err := parseRatio(strings.Replace(string(text), "/", ":", 1)); err == nil && r.Num > 0 && r.Den > 0 {
				n.h.Rate = r
			}
		}
	}
}

// syncpoint sets every stream's clock.
func (n *NUTReader) syncpoint(f *fields) {
	t := f.value()
	count := uint64(len(n.timeBases))
	from := n.timeBases[t%count]
	for _, s := range n.streams {
		last, ok := rescale(int64(t/count), from, n.timeBases[s.timeBase])
		if !ok {
			f.err = errNUT
			return
		}
		s.last = last
	}
}

// headerBytes reads a frame header and keeps its bytes for the checksum.
type headerBytes struct{ n *NUTReader }

func (h headerBytes) ReadByte() (byte, error) {
	b, err := h.n.r.ReadByte()
	h.n.header = append(h.n.header, b)
	return b, err
}

// frameHeader reads the rest of a frame's header. prefix is the frame's first bytes, which
// the stream leaves out; size counts them.
func (n *NUTReader) frameHeader(code byte) (stream int, pts, size int64, prefix []byte, err error) {
	n.header = append(n.header[:0], code)
	var first error
	value := func() uint64 {
		v, err := varint(headerBytes{n})
		if err != nil && first == nil {
			first = err
		}
		return v
	}
	c := n.codes[code]
	if c.flags&nutInvalid == 0 && c.flags&nutCoded != 0 {
		c.flags ^= value()
	}
	if c.flags&nutInvalid != 0 {
		return 0, 0, 0, nil, fmt.Errorf("%w: frame code %d", errNUT, code)
	}
	if c.flags&nutSideData != 0 {
		return 0, 0, 0, nil, errors.New("side data of NUT version 4 is not handled; write version 3")
	}
	if c.flags&nutStreamID != 0 {
		c.stream = value()
	}
	if c.stream >= uint64(len(n.streams)) {
		return 0, 0, 0, nil, fmt.Errorf("%w: stream %d of %d", errNUT, c.stream, len(n.streams))
	}
	s := n.streams[c.stream]
	pts = s.last + c.pts
	if c.flags&nutCodedPTS != 0 {
		pts = s.decodePTS(int64(value()))
	}
	total := c.size
	if c.flags&nutSizeMSB != 0 {
		v := value()
		if v > maxFrameBytes {
			return 0, 0, 0, nil, fmt.Errorf("%w: frame size", errNUT)
		}
		total += v * c.multiplier
	}
	if c.flags&nutMatchTime != 0 {
		value()
	}
	if c.flags&nutHeaderIdx != 0 {
		c.header = value()
	}
	if c.flags&nutReserved != 0 {
		c.reserved = value()
	}
	for range min(c.reserved, 256) {
		value()
	}
	if first != nil {
		return 0, 0, 0, nil, first
	}
	if c.flags&nutChecksum != 0 {
		if err := n.checkHeader(); err != nil {
			return 0, 0, 0, nil, err
		}
	}
	if total > 4096 {
		c.header = 0
	}
	if c.header >= uint64(len(n.elided)) {
		return 0, 0, 0, nil, fmt.Errorf("%w: elided header %d of %d", errNUT, c.header, len(n.elided))
	}
	prefix = n.elided[c.header]
	if total > maxFrameBytes || total < uint64(len(prefix)) {
		return 0, 0, 0, nil, fmt.Errorf("%w: frame size %d", errNUT, total)
	}
	s.last = pts
	return int(c.stream), pts, int64(total), prefix, nil
}

// decodePTS decodes a PTS. Up to the mask, v is the low bits of the PTS nearest to the last
// one; above it, v is a whole PTS plus mask + 1.
func (s *nutStreamState) decodePTS(v int64) int64 {
	mask := int64(1)<<s.shift - 1
	if v > mask {
		return v - mask - 1
	}
	delta := s.last - mask/2
	return (v-delta)&mask + delta
}

// checkHeader reads the checksum of a frame's header and compares it.
func (n *NUTReader) checkHeader() error {
	for range 4 {
		if _, err := (headerBytes{n}).ReadByte(); err != nil {
			return err
		}
	}
	if nutCRC(0, n.header) != 0 {
		return fmt.Errorf("%w: checksum of the frame's header", errNUT)
	}
	return nil
}

// rescale converts t from one timebase to another and rounds down. ok is false if the result
// needs more than 62 bits or a timebase is not positive.
func rescale(t int64, from, to filter.Rational) (v int64, ok bool) {
	if from == to {
		return t, true
	}
	if from.Num <= 0 || from.Den <= 0 || to.Num <= 0 || to.Den <= 0 {
		return 0, false
	}
	a := new(big.Int).Mul(big.NewInt(t), big.NewInt(from.Num))
	a.Mul(a, big.NewInt(to.Den))
	b := new(big.Int).Mul(big.NewInt(from.Den), big.NewInt(to.Num))
	a.Div(a, b)
	if a.BitLen() > 62 {
		return 0, false
	}
	return a.Int64(), true
}
