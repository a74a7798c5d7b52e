package video

import (
	"encoding/binary"

	"nstfilter/filter"
)

// NUT is the container for raw film with exact times ("NUT Open Container Format", version
// 20130327). Only what raw video needs is here.

const (
	nutMagic = "nut/multimedia container\x00"

	nutMain      = 0x4E4D7A561F5F04AD
	nutStream    = 0x4E5311405BF2F9DB
	nutSyncpoint = 0x4E4BE4ADEECA4569
	nutIndex     = 0x4E58DD672F23E64E
	nutInfo      = 0x4E49AB68B596BA78

	nutRate = "r_frame_rate" // ffmpeg's name in an info packet
)

// Flags of a frame.
const (
	nutKey        = 1
	nutCodedPTS   = 8
	nutStreamID   = 16
	nutSizeMSB    = 32
	nutChecksum   = 64
	nutReserved   = 128
	nutSideData   = 256
	nutHeaderIdx  = 1024
	nutMatchTime  = 2048
	nutCoded      = 4096
	nutInvalid    = 8192
	nutLongPacket = 4096 // a header of more bytes has a checksum of its own
)

// NUTHeader is the layout and the clock of a NUT stream.
type NUTHeader struct {
	Layout
	TimeBase filter.Rational // seconds
	Rate     filter.Rational // frames per second; zero: the stream does not say
}

// Coloured returns the header of the stream that is painted from this one. For grey frames
// its format has colours, at the same depth and range. o is the reader's.
func (h NUTHeader) Coloured(o Options) NUTHeader {
	if h.Format.Sampling == Mono {
		h.Format, h.Matrix = h.Format.coloured(h.Full), guessMatrix(h.H)
		o.apply(&h.Layout)
	}
	return h
}

// nutCRC is CRC-32 with polynomial 0x04C11DB7, most significant bit first, from 0.
func nutCRC(c uint32, b []byte) uint32 {
	for _, x := range b {
		c = c<<8 ^ nutCRCTable[byte(c>>24)^x]
	}
	return c
}

var nutCRCTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04C11DB7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// nutFourCC returns the tag that ffmpeg writes for raw video of format p.
func nutFourCC(p PixelFormat) []byte {
	if p.Depth == 8 && !p.Alpha {
		switch p.Sampling {
		case S420:
			return []byte("I420")
		case S422:
			return []byte("Y42B")
		case S444:
			return []byte("444P")
		case Mono:
			return []byte("Y800")
		}
	}
	depth, planes := byte(p.Depth), byte('3')
	if p.Alpha {
		planes = '4'
	}
	switch p.Sampling {
	case Mono:
		return []byte{'Y', '1', 0, depth}
	case RGB:
		return []byte{'G', planes, 0, depth}
	}
	return []byte{'Y', planes, [...]byte{11, 10, 0}[p.Sampling], depth} // 11: halved both ways
}

// parseNUTFourCC reverses nutFourCC.
func parseNUTFourCC(tag []byte) (PixelFormat, bool) {
	for _, p := range pixelFormats {
		if string(nutFourCC(p)) == string(tag) {
			return p, true
		}
	}
	return PixelFormat{}, false
}

// nutColourspace returns the header's colourspace_type, or 0 if none fits.
func nutColourspace(l *Layout) uint64 {
	var t uint64
	switch {
	case l.Format.Sampling == RGB || l.Format.Sampling == Mono:
		return 0
	case l.Matrix == BT601:
		t = 1
	case l.Matrix == BT709:
		t = 2
	default:
		return 0
	}
	if l.Full {
		t += 16
	}
	return t
}

// appendVarint writes 7 bits per byte, most significant first.
func appendVarint(b []byte, v uint64) []byte {
	n := 1
	for x := v >> 7; x != 0; x >>= 7 {
		n++
	}
	for i := n - 1; i > 0; i-- {
		b = append(b, 128|byte(v>>(7*i)))
	}
	return append(b, byte(v&127))
}

func appendVarints(b []byte, values ...uint64) []byte {
	for _, v := range values {
		b = appendVarint(b, v)
	}
	return b
}

// appendPacket writes a packet: startcode, size, contents, checksum.
func appendPacket(b []byte, startcode uint64, contents []byte) []byte {
	begin := len(b)
	b = binary.BigEndian.AppendUint64(b, startcode)
	b = appendVarint(b, uint64(len(contents)+4))
	if len(contents)+4 > nutLongPacket {
		b = binary.BigEndian.AppendUint32(b, nutCRC(0, b[begin:]))
	}
	b = append(b, contents...)
	return binary.BigEndian.AppendUint32(b, nutCRC(0, contents))
}

// nutPacked is a layout of raw video that is not planar, by ffmpeg's tag in NUT. It is read
// as the planar format with the same samples.
type nutPacked struct {
	format   PixelFormat
	step     int    // samples of a pixel, or 0
	at       [4]int // where R, G, B and alpha are among them
	swapped  bool   // of pairs of Cb and Cr: Cr comes first
	coloured bool   // by a palette of 256 times B, G, R, A behind the samples
}

var nutPackings = func() map[string]nutPacked {
	rgb, rgba := PixelFormat{RGB, 8, false}, PixelFormat{RGB, 8, true}
	deep, deepAlpha := PixelFormat{RGB, 16, false}, PixelFormat{RGB, 16, true}
	return map[string]nutPacked{
		"RGB\x18": {format: rgb, step: 3, at: [4]int{0, 1, 2}},
		"BGR\x18": {format: rgb, step: 3, at: [4]int{2, 1, 0}},
		"RGB\x00": {format: rgb, step: 4, at: [4]int{0, 1, 2}},
		"BGR\x00": {format: rgb, step: 4, at: [4]int{2, 1, 0}},
		"\x00RGB": {format: rgb, step: 4, at: [4]int{1, 2, 3}},
		"\x00BGR": {format: rgb, step: 4, at: [4]int{3, 2, 1}},
		"RGBA":    {format: rgba, step: 4, at: [4]int{0, 1, 2, 3}},
		"BGRA":    {format: rgba, step: 4, at: [4]int{2, 1, 0, 3}},
		"ARGB":    {format: rgba, step: 4, at: [4]int{1, 2, 3, 0}},
		"ABGR":    {format: rgba, step: 4, at: [4]int{3, 2, 1, 0}},
		"RGB0":    {format: deep, step: 3, at: [4]int{0, 1, 2}},
		"BGR0":    {format: deep, step: 3, at: [4]int{2, 1, 0}},
		"RBA@":    {format: deepAlpha, step: 4, at: [4]int{0, 1, 2, 3}},
		"BRA@":    {format: deepAlpha, step: 4, at: [4]int{2, 1, 0, 3}},
		"PAL\x08": {format: rgba, coloured: true},
		"NV12":    {format: PixelFormat{S420, 8, false}},
		"NV21":    {format: PixelFormat{S420, 8, false}, swapped: true},
	}
}()

// frameBytes is the size of a frame of w×h.
func (p *nutPacked) frameBytes(w, h int) int64 {
	pixels := int64(w) * int64(h)
	switch {
	case p.coloured:
		return pixels + 4*256
	case p.step > 0:
		return pixels * int64(p.step*p.format.bytesPerSample())
	}
	return p.format.FrameBytes(w, h)
}

// planar takes a frame of frameBytes apart.
func (p *nutPacked) planar(src []byte, w, h int) []byte {
	l := Layout{W: w, H: h, Format: p.format}
	dst := make([]byte, p.format.FrameBytes(w, h))
	if p.step == 0 && !p.coloured { // Y, and pairs of Cb and Cr
		n := copy(dst, src[:w*h])
		cb, _, _ := l.plane(dst, 1)
		cr, _, _ := l.plane(dst, 2)
		if p.swapped {
			cb, cr = cr, cb
		}
		for i := range cb {
			cb[i], cr[i] = src[n+2*i], src[n+2*i+1]
		}
		return dst
	}
	planes := []int{2, 0, 1} // of R, G, B
	if p.format.Alpha {
		planes = append(planes, alphaPlane)
	}
	size := p.format.bytesPerSample()
	for c, plane := range planes {
		to, _, _ := l.plane(dst, plane)
		if p.coloured {
			palette := src[w*h:]
			for i, index := range src[:w*h] {
				to[i] = palette[4*int(index)+[...]int{2, 1, 0, 3}[c]]
			}
			continue
		}
		for i := 0; i < w*h; i++ {
			copy(to[i*size:(i+1)*size], src[(i*p.step+p.at[c])*size:])
		}
	}
	return dst
}
