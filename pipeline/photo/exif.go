//go:build !cgo || novips

package photo

import (
	"bytes"
	"encoding/binary"

	"nstfilter/filter"
)

// exifOrientation returns tag 0x0112 of a JPEG's EXIF (Exif 2.32, section 4.5), from 1 to 8.
// It returns 1 if there is none or if the EXIF is malformed.
func exifOrientation(jpeg []byte) int {
	tiff := findEXIF(jpeg)
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	count := int64(order.Uint16(tiff[at:]))
	for i := range count {
		e := at + 2 + 12*i
		if e+12 > int64(len(tiff)) {
			break
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := order.Uint16(tiff[e+8:]); 1 <= v && v <= 8 {
				return int(v)
			}
			break
		}
	}
	return 1
}

// findEXIF returns the TIFF in the first Exif segment, or nil.
func findEXIF(jpeg []byte) []byte {
	at := 2
	for at+4 <= len(jpeg) && jpeg[at] == 0xff {
		marker := jpeg[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == 0xda || marker == 0xd9 { // start of scan, end of image
			return nil
		}
		end := at + 2 + int(binary.BigEndian.Uint16(jpeg[at+2:]))
		if end < at+4 || end > len(jpeg) {
			return nil
		}
		body := jpeg[at+4 : end]
		if marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		at = end
	}
	return nil
}

// applyOrientation turns a picture upright, by its EXIF orientation.
func applyOrientation(f *filter.Frame, orientation int) *filter.Frame {
	if orientation <= 1 {
		return f
	}
	w, h := f.W, f.H
	if orientation >= 5 {
		w, h = h, w
	}
	g := filter.NewFrame(w, h)
	if f.Alpha != nil {
		g.Alpha = make([]float32, w*h)
	}
	n := w * h
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = f.W - 1 - x
			case 3:
				sx, sy = f.W-1-x, f.H-1-y
			case 4:
				sy = f.H - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, f.H-1-x
			case 7:
				sx, sy = f.W-1-y, f.H-1-x
			case 8:
				sx, sy = f.W-1-y, x
			}
			d, s := y*w+x, sy*f.W+sx
			for b := range 3 {
				g.Pix[b*n+d] = f.Pix[b*n+s]
			}
			if f.Alpha != nil {
				g.Alpha[d] = f.Alpha[s]
			}
		}
	}
	return g
}
