package video

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"nstfilter/filter"
)

// Kind is the format of a stream between programs.
type Kind uint8

const (
	Other Kind = iota
	Y4M
	NUT
)

// Sniff returns the kind of a stream by its first bytes, which it leaves unread.
func Sniff(r *bufio.Reader) Kind {
	b, _ := r.Peek(len(y4mMagic))
	switch {
	case string(b) == y4mMagic:
		return Y4M
	case len(b) == len(y4mMagic) && strings.HasPrefix(nutMagic, string(b)):
		return NUT
	}
	return Other
}

const (
	y4mMagic     = "YUV4MPEG2"
	y4mRange     = "XCOLORRANGE="
	y4mOlder     = "XYSCSS=" // the token for it before there was C
	maxY4MHeader = 4096      // bytes of a line
	y4mRemedy    = "make one with: ffmpeg -i IN -f yuv4mpegpipe -"
)

// Y4MHeader is the first line of a YUV4MPEG2 stream.
type Y4MHeader struct {
	Layout
	Rate       filter.Rational // frames per second
	Interlace  string          // token I: p, t, b, m or ?; empty: not given
	Parameters []string        // the line's parameters as read; nil: made from the fields
}

// String returns the line without its end. It has the parameters as they were read, or made
// from the fields if none were read.
func (h *Y4MHeader) String() string {
	if h.Parameters != nil {
		return y4mMagic + " " + strings.Join(h.Parameters, " ")
	}
	s := fmt.Sprintf("%s W%d H%d F%d:%d", y4mMagic, h.W, h.H, h.Rate.Num, h.Rate.Den)
	if h.Interlace != "" {
		s += " I" + h.Interlace
	}
	if h.SAR.Num > 0 && h.SAR.Den > 0 {
		s += fmt.Sprintf(" A%d:%d", h.SAR.Num, h.SAR.Den)
	}
	return s + " C" + h.Layout.y4mColour() + " " + h.rangeToken()
}

func (h *Y4MHeader) rangeToken() string {
	if h.Full {
		return y4mRange + "FULL"
	}
	return y4mRange + "LIMITED"
}

// Resized returns the header of the same stream at another size.
func (h Y4MHeader) Resized(w, ht int) Y4MHeader {
	h.W, h.H = w, ht
	h.Parameters = append([]string(nil), h.Parameters...)
	for i, p := range h.Parameters {
		switch {
		case strings.HasPrefix(p, "W"):
			h.Parameters[i] = "W" + strconv.Itoa(w)
		case strings.HasPrefix(p, "H"):
			h.Parameters[i] = "H" + strconv.Itoa(ht)
		}
	}
	return h
}

// Coloured returns the header of the stream that is painted from this one. For grey frames
// its format has colours, at the same depth and range. o is the reader's.
func (h Y4MHeader) Coloured(o Options) Y4MHeader {
	if h.Format.Sampling != Mono {
		return h
	}
	h.Format.Sampling, h.Matrix = S444, guessMatrix(h.H)
	o.apply(&h.Layout)
	if h.Parameters != nil {
		h.Parameters = slices.DeleteFunc(slices.Clone(h.Parameters), func(p string) bool {
			return strings.HasPrefix(p, "C") || strings.HasPrefix(p, y4mOlder) || strings.HasPrefix(p, y4mRange)
		})
		h.Parameters = append(h.Parameters, "C"+h.Layout.y4mColour(), h.rangeToken()) // untagged, grey is full and 4:4:4 limited
	}
	return h
}

// CheckY4M returns an error that says why y4m cannot carry p, or nil if it can.
func CheckY4M(p PixelFormat) error {
	l := Layout{Format: p}
	if l.y4mColour() != "" {
		return nil
	}
	why, name := "no such format", strings.TrimSuffix(p.Opaque().String(), "le")
	switch {
	case p.Sampling == RGB:
		why, name = "no RGB", "yuv444p"
	case p.Alpha:
		why, name = "alpha with 8-bit 4:4:4 alone", "yuva444p"
	case p.Sampling == Mono:
		why, name = "no gray of 14 bits", "gray16"
	}
	return fmt.Errorf("y4m carries %s, and the stream is %v: let NUT come out (--output-format nut), or give y4m's format to the ffmpeg before the pipe: -pix_fmt %s", why, p, name)
}

// y4mColour returns the value of token C, or "" if y4m has none for this layout.
func (l *Layout) y4mColour() string {
	s := [...]string{"420", "422", "444", "mono", ""}[l.Format.Sampling]
	switch {
	case l.Format == PixelFormat{S444, 8, true}:
		return "444alpha"
	case l.Format.Sampling == RGB, l.Format.Alpha, l.Format == PixelFormat{Mono, 14, false}:
		return ""
	case l.Format.Depth > 8 && l.Format.Sampling == Mono:
		return s + strconv.Itoa(l.Format.Depth)
	case l.Format.Depth > 8:
		return s + "p" + strconv.Itoa(l.Format.Depth)
	case l.Format.Sampling == S420:
		return s + [...]string{"mpeg2", "jpeg", "paldv"}[l.Siting]
	}
	return s
}

// parseY4MColour reads the value of token C.
func parseY4MColour(s string, l *Layout) error {
	switch s {
	case "420", "420jpeg":
		l.Format, l.Siting = PixelFormat{S420, 8, false}, Centre
		return nil
	case "420mpeg2":
		l.Format, l.Siting = PixelFormat{S420, 8, false}, Left
		return nil
	case "420paldv":
		l.Format, l.Siting = PixelFormat{S420, 8, false}, TopLeft
		return nil
	case "444alpha":
		l.Format, l.Siting = PixelFormat{S444, 8, true}, Left
		return nil
	}
	name := "yuv" + s
	if digits, mono := strings.CutPrefix(s, "mono"); mono {
		name = "gray" + digits
	} else if !strings.Contains(s, "p") {
		name += "p"
	}
	p, ok := parsePixelFormat(name)
	if !ok || strings.HasSuffix(s, "le") || CheckY4M(p) != nil {
		return fmt.Errorf("colour format C%s is not handled; add to the ffmpeg before the pipe: -pix_fmt yuv420p", s)
	}
	l.Format, l.Siting = p, Left
	return nil
}

// parseY4MHeader reads the first line, without its end.
func parseY4MHeader(line string) (h Y4MHeader, err error) {
	tokens := strings.Split(line, " ")
	h.Parameters = tokens[1:]
	h.Rate = filter.Rational{Num: 25, Den: 1}
	var colour, older string
	tagged := false
	for _, p := range h.Parameters {
		if p == "" {
			continue
		}
		value := p[1:]
		switch p[0] {
		case 'W':
			h.W, err = strconv.Atoi(value)
		case 'H':
			h.H, err = strconv.Atoi(value)
		case 'F':
			var rate filter.Rational
			if rate, err = parseRatio(value); err == nil && rate.Num > 0 && rate.Den > 0 {
				h.Rate = rate // 0:0 means that the rate is not known
			}
		case 'A':
			if h.SAR, err = parseRatio(value); h.SAR.Num <= 0 || h.SAR.Den <= 0 {
				h.SAR = filter.Rational{}
			}
		case 'I':
			h.Interlace = value
		case 'C':
			colour = value
			err = parseY4MColour(value, &h.Layout)
		case 'X':
			if v, ok := strings.CutPrefix(p, y4mRange); ok {
				h.Full, tagged = v == "FULL", v == "FULL" || v == "LIMITED"
			}
			if v, ok := strings.CutPrefix(p, y4mOlder); ok {
				older = strings.ToLower(v)
			}
		}
		if err != nil {
			return h, fmt.Errorf("y4m: header parameter %.40q: %w", p, err)
		}
	}
	if colour == "" {
		if err := parseY4MColour(cmp.Or(older, "420"), &h.Layout); err != nil {
			return h, fmt.Errorf("y4m: %w", err)
		}
	}
	if err := checkSize(h.Format, h.W, h.H); err != nil {
		return h, fmt.Errorf("y4m: %w", err)
	}
	if !tagged {
		h.Full = fullByDefault(h.Format)
	}
	h.Matrix = guessMatrix(h.H)
	return h, nil
}

// parseRatio reads 30000:1001; both numbers are at least 0 and fit in 31 bits.
func parseRatio(s string) (r filter.Rational, err error) {
	a, b, found := strings.Cut(s, ":")
	n, err1 := strconv.ParseUint(a, 10, 31)
	d, err2 := strconv.ParseUint(b, 10, 31)
	if !found || err1 != nil || err2 != nil {
		return r, errors.New("is not a ratio like 30000:1001")
	}
	return filter.Rational{Num: int64(n), Den: int64(d)}, nil
}

// Y4MReader reads a YUV4MPEG2 stream.
type Y4MReader struct {
	// Options may override matrix and range. Set them before Frames is called.
	Options Options

	r *bufio.Reader
	h Y4MHeader
}

// NewY4MReader reads the header.
func NewY4MReader(r io.Reader) (*Y4MReader, error) {
	y := &Y4MReader{r: bufio.NewReaderSize(r, 1<<16)}
	line, err := y.line()
	switch {
	case err == io.EOF && line == "":
		return nil, errors.New("y4m: empty input, a YUV4MPEG2 stream was expected; " + y4mRemedy)
	case line != y4mMagic && !strings.HasPrefix(line, y4mMagic+" "):
		return nil, fmt.Errorf("y4m: input begins with %.16q, not with %s; %s", line, y4mMagic, y4mRemedy)
	case err == io.EOF:
		return nil, fmt.Errorf("y4m: input ends within its header, after %d bytes", len(line))
	case err != nil:
		return nil, fmt.Errorf("y4m: header: %w", err)
	}
	if y.h, err = parseY4MHeader(line); err != nil {
		return nil, err
	}
	return y, nil
}

// line reads up to the next line feed, which it drops.
func (y *Y4MReader) line() (string, error) {
	var line []byte
	for {
		b, err := y.r.ReadByte()
		if err != nil {
			return string(line), err
		}
		if b == '\n' {
			return string(line), nil
		}
		if line = append(line, b); len(line) > maxY4MHeader {
			return string(line), fmt.Errorf("no end of line within %d bytes", maxY4MHeader)
		}
	}
}

// Header returns the stream's header, with the colour and the range that Options put in
// place of its own.
func (y *Y4MReader) Header() Y4MHeader {
	h := y.h
	y.Options.apply(&h.Layout)
	if h.Full != y.h.Full {
		h.Parameters = slices.DeleteFunc(slices.Clone(h.Parameters), func(p string) bool { return strings.HasPrefix(p, y4mRange) })
		h.Parameters = append(h.Parameters, h.rangeToken())
	}
	return h
}

// Frames yields the frames in order. PTS is the index, TimeBase the inverse of the rate. If
// the input ends within a frame, the whole frames come first, and then an error. ctx is
// checked before each frame; to end a read that waits, close the reader's input.
func (y *Y4MReader) Frames(ctx context.Context) iter.Seq2[*filter.Frame, error] {
	return func(yield func(*filter.Frame, error) bool) {
		h := y.Header()
		var samples sampleReader
		for i := 0; ; i++ {
			n, err := y.next(ctx, h, i, &samples)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			f := n.Frame()
			f.Index, f.PTS, f.Duration = i, int64(i), 1
			f.TimeBase = filter.Rational{Num: h.Rate.Den, Den: h.Rate.Num}
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (y *Y4MReader) next(ctx context.Context, h Y4MHeader, i int, samples *sampleReader) (*Native, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	line, err := y.line()
	if err == io.EOF && line == "" {
		return nil, io.EOF
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("y4m: frame %d: header: %w", i, err)
	}
	parameters, ok := strings.CutPrefix(line, "FRAME")
	if !ok || (parameters != "" && parameters[0] != ' ') {
		if h.W%2 == 1 && h.Format.Sampling < S444 && h.Format.Depth > 8 && i > 0 { // ffmpeg 5.1 leaves a byte of each chroma row out
			return nil, fmt.Errorf("y4m: frame %d: no FRAME where it was expected: some ffmpeg write odd widths of more than 8 bits wrongly; let it give NUT: -c:v rawvideo -f nut", i)
		}
		return nil, fmt.Errorf("y4m: frame %d: %.16q where FRAME was expected", i, line)
	}
	if err == io.EOF {
		return nil, fmt.Errorf("y4m: frame %d: input ends within the frame's header", i)
	}
	want := h.Format.FrameBytes(h.W, h.H)
	data, err := samples.read(y.r, want)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("y4m: frame %d: input ends after %d of %d bytes", i, len(data), want)
	}
	if err != nil {
		return nil, fmt.Errorf("y4m: frame %d: %w", i, err)
	}
	return &Native{Layout: h.Layout, Data: data, Parameters: parameters, Interlace: h.Interlace}, nil
}

// sampleReader reads each frame into new memory. Until the first frame is complete, it
// allocates no more than twice the bytes that have come.
type sampleReader struct{ whole bool }

// read returns n bytes, or the bytes that came and an error that says why there are no more.
func (s *sampleReader) read(r io.Reader, n int64) ([]byte, error) {
	if n > math.MaxInt {
		return nil, fmt.Errorf("a frame of %d bytes does not fit in memory", n)
	}
	if s.whole || n <= 1<<20 {
		b := make([]byte, n)
		got, err := io.ReadFull(r, b)
		return b[:got], err
	}
	var b bytes.Buffer
	got, err := io.CopyN(&b, r, n)
	if err == io.EOF && got > 0 {
		err = io.ErrUnexpectedEOF
	}
	s.whole = err == nil
	return b.Bytes(), err
}

// Y4MWriter writes a YUV4MPEG2 stream and flushes after each frame. It is a pipeline.Writer.
type Y4MWriter struct {
	w       *bufio.Writer
	h       Y4MHeader
	e       encoder
	started bool
	err     error
}

// NewY4MWriter writes nothing before the first frame. It panics if CheckY4M returns an error
// for the header's format.
func NewY4MWriter(w io.Writer, h Y4MHeader) *Y4MWriter {
	if err := CheckY4M(h.Format); err != nil {
		panic("video: " + err.Error())
	}
	return &Y4MWriter{w: bufio.NewWriterSize(w, 1<<16), h: h, e: encoder{layout: h.Layout}}
}

func (y *Y4MWriter) header() {
	if !y.started {
		y.started = true
		y.w.WriteString(y.h.String())
		y.w.WriteByte('\n')
	}
}

// WriteFrame writes f and flushes. f has the header's size.
func (y *Y4MWriter) WriteFrame(f *filter.Frame) error {
	if y.err != nil {
		return y.err
	}
	data, err := y.e.encode(f)
	if err != nil {
		return fmt.Errorf("y4m: %w", err)
	}
	y.header()
	y.w.WriteString("FRAME")
	if n, ok := f.Origin.(*Native); ok {
		y.w.WriteString(n.Parameters)
	}
	y.w.WriteByte('\n')
	y.w.Write(data)
	if err := y.w.Flush(); err != nil {
		y.err = fmt.Errorf("y4m: writing frame %d: %w", f.Index, err)
	}
	return y.err
}

// Close writes the header of a stream without frames. It does not close the
// underlying writer.
func (y *Y4MWriter) Close() error {
	if y.err != nil {
		return y.err
	}
	y.header()
	return y.w.Flush()
}

// Abort does nothing: the stream ends with the last whole frame.
func (y *Y4MWriter) Abort() {}
