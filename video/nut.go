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
