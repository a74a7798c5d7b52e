package photo

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// jpegXMP is what XMP begins with in a JPEG, and mostJPEGXMP how many bytes go into a segment
// behind it.
const (
	jpegXMP     = "http://ns.adobe.com/xap/1.0/\x00"
	mostJPEGXMP = 65533 - len(jpegXMP)
)

// pngWithXMP puts XMP into a PNG, behind its header (XMP Specification Part 3, 1.1.5). libvips
// would write it as zTXt, which few programs read.
func pngWithXMP(file, xmp []byte) []byte {
	const keyword, header = "XML:com.adobe.xmp\x00\x00\x00\x00\x00", 8 + 25 // the signature and IHDR
	chunk := slices.Concat([]byte("iTXt"), []byte(keyword), xmp)
	sum := crc32.ChecksumIEEE(chunk)
	chunk = slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(chunk)-4)), chunk)
	return slices.Concat(file[:header], binary.BigEndian.AppendUint32(chunk, sum), file[header:])
}
