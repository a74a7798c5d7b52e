package video

import (
	"fmt"
	"strconv"
	"strings"

	"nstfilter/filter"
)

// Sampling says how many samples the second and third plane have beside the first.
type Sampling uint8

const (
	S420 Sampling = iota // Y, Cb, Cr; chroma halved both ways
	S422                 // Y, Cb, Cr; chroma halved in width
	S444                 // Y, Cb, Cr
	Mono                 // Y
	RGB                  // G, B, R
)

// PixelFormat is a planar layout. Samples of more than 8 bits take two bytes,
// little-endian.
type PixelFormat struct {
	Sampling Sampling
	Depth    int  // bits per sample, 8 to 16
	Alpha    bool // there is a last plane of alpha, of the first one's size and in full range
}

// pixelFormats lists the layouts that can be read. They are those of ffmpeg, which has 14
// bits with alpha from version 7 on and no planar gray with alpha.
var pixelFormats = func() (all []PixelFormat) {
	for s := S420; s <= RGB; s++ {
		for _, depth := range []int{8, 9, 10, 12, 14, 16} {
			all = append(all, PixelFormat{s, depth, false})
		}
	}
	for s, depths := range [...][]int{S420: {8, 9, 10, 16}, S422: {8, 9, 10, 12, 16}, S444: {8, 9, 10, 12, 16}, RGB: {8, 10, 12, 14, 16}} {
		for _, depth := range depths {
			all = append(all, PixelFormat{Sampling(s), depth, true})
		}
	}
	return all
}()

// String returns ffmpeg's name: yuv420p10le, yuva420p, gray, gbrap16le.
func (p PixelFormat) String() string {
	names := [...]string{"yuv420p", "yuv422p", "yuv444p", "gray", "gbrp"}
	if p.Alpha {
		names = [...]string{"yuva420p", "yuva422p", "yuva444p", "", "gbrap"}
	}
	name := names[p.Sampling]
	if p.Depth > 8 {
		name += strconv.Itoa(p.Depth) + "le"
	}
	return name
}

// parsePixelFormat reads ffmpeg's name. ok is false if pixelFormats lacks it.
func parsePixelFormat(name string) (p PixelFormat, ok bool) {
	name = strings.TrimSuffix(name, "le")
	for _, p := range pixelFormats {
		if name == strings.TrimSuffix(p.String(), "le") {
			return p, true
		}
	}
	return p, false
}

// Opaque returns the layout without alpha.
func (p PixelFormat) Opaque() PixelFormat {
	p.Alpha = false
	return p
}

// coloured returns the format of a film that is painted from one of format p. For grey, which
// cannot hold colours, it is a format of the same depth: RGB in full range, 4:4:4 in limited
// range, because that is what readers take them for if no tag says otherwise.
func (p PixelFormat) coloured(full bool) PixelFormat {
	switch {
	case p.Sampling != Mono:
	case full:
		p.Sampling = RGB
	default:
		p.Sampling = S444
	}
	return p
}

// colours returns the number of planes without alpha, 1 or 3.
func (p PixelFormat) colours() int {
	if p.Sampling == Mono {
		return 1
	}
	return 3
}

// bytesPerSample returns 1 or 2.
func (p PixelFormat) bytesPerSample() int {
	if p.Depth > 8 {
		return 2
	}
	return 1
}

// chroma returns the size of the second and third plane. It rounds odd sizes up.
func (p PixelFormat) chroma(w, h int) (cw, ch int) {
	switch p.Sampling {
	case S420:
		return (w + 1) / 2, (h + 1) / 2
	case S422:
		return (w + 1) / 2, h
	case Mono:
		return 0, 0
	}
	return w, h
}

// FrameBytes returns the size of one frame's samples.
func (p PixelFormat) FrameBytes(w, h int) int64 {
	cw, ch := p.chroma(w, h)
	samples := int64(w)*int64(h) + 2*int64(cw)*int64(ch)
	if p.Alpha {
		samples += int64(w) * int64(h)
	}
	return samples * int64(p.bytesPerSample())
}

const (
	maxSide       = 65535
	maxFrameBytes = 1 << 31
)

// checkSize returns an error for a size that no film has. It is for use before anything is
// allocated.
func checkSize(p PixelFormat, w, h int) error {
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return fmt.Errorf("size %d×%d is not between 1×1 and %d×%d", w, h, maxSide, maxSide)
	}
	if n := p.FrameBytes(w, h); n > maxFrameBytes {
		return fmt.Errorf("a frame of %d×%d %v takes %d bytes, more than %d", w, h, p, n, maxFrameBytes)
	}
	return nil
}

// Matrix holds the luma weights of R and B.
type Matrix struct{ Kr, Kb float64 }

var (
	BT601  = Matrix{0.299, 0.114}
	BT709  = Matrix{0.2126, 0.0722}
	BT2020 = Matrix{0.2627, 0.0593} // non-constant luminance
)

// Siting is the place of a chroma sample among its luma samples.
type Siting uint8

const (
	Left    Siting = iota // MPEG-2, H.264: on the left column, between the rows
	Centre                // JPEG, MPEG-1: in the middle of the four
	TopLeft               // DV-PAL, BT.2020: on the first of the four
)

// Layout says how to read a frame's samples.
type Layout struct {
	W, H     int
	Format   PixelFormat
	Matrix   Matrix // unused by Mono and RGB
	Full     bool   // full range; else limited (16 to 235 of 8 bits)
	Siting   Siting
	Transfer Transfer
	SAR      filter.Rational // width over height of a pixel; zero: not known
}

// Native is a frame as it was read. Frames of film have it as their filter.Frame.Origin.
type Native struct {
	Layout
	Data []byte // planes one after the other, rows without padding

	Parameters string // what follows FRAME in y4m, with its leading blank
	Interlace  string // y4m's I token: p, t, b, m or ?; empty: not known
}

// alphaPlane is the index that stands for alpha, even if fewer planes come before it.
const alphaPlane = 3

// plane returns plane i and its size.
func (l *Layout) plane(data []byte, i int) (p []byte, w, h int) {
	b := l.Format.bytesPerSample()
	size := l.W * l.H * b
	switch i {
	case 0:
		return data[:size], l.W, l.H
	case alphaPlane:
		return data[len(data)-size:], l.W, l.H
	}
	w, h = l.Format.chroma(l.W, l.H)
	size += (i - 1) * w * h * b
	return data[size : size+w*h*b], w, h
}

// guessMatrix returns the matrix that players use for untagged film: BT.709 from 720 lines
// on.
func guessMatrix(h int) Matrix {
	if h >= 720 {
		return BT709
	}
	return BT601
}

// fullByDefault reports whether an untagged format has full range. ffmpeg takes gray and RGB
// as full, the rest as limited.
func fullByDefault(p PixelFormat) bool { return p.Sampling == Mono || p.Sampling == RGB }
