//go:build !cgo || novips

package photo

import "bytes"

// isAnimated reports a GIF of several images, and a WebP with the animation flag.
func isAnimated(data []byte) bool {
	if len(data) > 20 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:16]) == "WEBPVP8X" {
		return data[20]&2 != 0
	}
	return bytes.HasPrefix(data, []byte("GIF8")) && gifImages(data) > 1
}

// gifImages counts image descriptors (GIF89a, appendix B), but stops at 2.
func gifImages(data []byte) (n int) {
	const header, descriptor = 13, 10
	table := func(flags byte) int { // returns the bytes of a colour table
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(data) < header {
		return 0
	}
	at := header + table(data[10])
	for at < len(data) && n < 2 {
		switch data[at] {
		case ',':
			if at+descriptor >= len(data) {
				return n
			}
			n++
			at += descriptor + table(data[at+9]) + 1 // LZW's code size
		case '!':
			at += 2
		default:
			return n
		}
		for at < len(data) && data[at] != 0 { // sub-blocks
			at += 1 + int(data[at])
		}
		at++
	}
	return n
}
