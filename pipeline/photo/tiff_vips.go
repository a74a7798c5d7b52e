//go:build cgo && !novips

package photo

import (
	"encoding/binary"
	"math"
)

// wrapTIFF makes a TIFF of one strip of interleaved little-endian samples (TIFF 6.0,
// section 2) with XMP, if there is any, because govips can import neither from memory.
func wrapTIFF(pix []byte, w, h, bands, bits int, xmp []byte) []byte {
	const (
		octet, short, long = 1, 3, 4
		headerBytes        = 8
	)
	type entry struct {
		tag, kind    uint16
		count, value uint32
	}
	entries := []entry{
		{256, long, 1, uint32(w)},
		{257, long, 1, uint32(h)},
		{258, short, uint32(bands), 0}, // bits per sample, stored after the directory
		{259, short, 1, 1},             // no compression
		{262, short, 1, 2},             // RGB
		{273, long, 1, 0},              // the strip
		{277, short, 1, uint32(bands)},
		{278, long, 1, uint32(h)},
		{279, long, 1, uint32(len(pix))},
		{284, short, 1, 1}, // interleaved
	}
	if bands == 4 {
		entries = append(entries, entry{338, short, 1, 2}) // alpha, not multiplied in
	}
	if len(xmp) > 4 { // a shorter one would be in the directory, and is no XMP
		entries = append(entries, entry{700, octet, uint32(len(xmp)), 0})
	}
	if len(pix) > math.MaxInt32 {
		panic("photo: more than 2 GiB of samples")
	}
	depths := uint32(headerBytes + 2 + 12*len(entries) + 4)
	xmpAt := depths + 2*uint32(bands)
	strip := (xmpAt + uint32(len(xmp)) + 15) &^ 15
	le := binary.LittleEndian
	out := make([]byte, 0, int(strip)+len(pix))
	out = append(out, 'I', 'I', 42, 0)
	out = le.AppendUint32(out, headerBytes)
	out = le.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		switch e.tag {
		case 258:
			e.value = depths
		case 273:
			e.value = strip
		case 700:
			e.value = xmpAt
		}
		out = le.AppendUint16(out, e.tag)
		out = le.AppendUint16(out, e.kind)
		out = le.AppendUint32(out, e.count)
		out = le.AppendUint32(out, e.value)
	}
	out = le.AppendUint32(out, 0)
	for range bands {
		out = le.AppendUint16(out, uint16(bits))
	}
	out = append(out, xmp...)
	out = append(out, make([]byte, int(strip)-len(out))...)
	return append(out, pix...)
}
