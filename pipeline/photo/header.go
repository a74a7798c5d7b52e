package photo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // registers its decoder, as the others
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Header is what a file says of its picture before the pixels.
type Header struct {
	W, H int // before the picture is turned upright
}

// ReadHeader reads a picture's size without decoding it. It fails, as Read would, for a file
// that is missing, empty or no picture, and for a JPEG, PNG or WebP without its end.
func ReadHeader(path string) (Header, error) {
	file, err := os.Open(path)
	if err != nil {
		return Header{}, ExplainFileError(path, err)
	}
	defer file.Close()
	config, kind, err := image.DecodeConfig(bufio.NewReader(file))
	if err != nil { // a format that only libvips knows
		return readWholeHeader(path)
	}
	if err := findEnd(file, kind); err != nil {
		return Header{}, fmt.Errorf("%s: %w", path, errDamaged(err))
	}
	return Header{config.Width, config.Height}, nil
}

func readWholeHeader(path string) (Header, error) {
	data, err := readFile(path)
	if err != nil {
		return Header{}, err
	}
	h, err := decodeHeader(data)
	if err != nil {
		return Header{}, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

var errCutShort = errors.New("the file ends before its picture does")

// findEnd returns errCutShort for a file without what ends its format. What follows the end,
// as a telephone's film behind its photo, is none of the picture.
func findEnd(file *os.File, kind string) error {
	switch kind {
	case "png":
		return findLast(file, []byte("IEND"), 0)
	case "jpeg":
		scan, err := jpegScan(file)
		if err != nil {
			return err
		}
		return findLast(file, []byte{0xff, 0xd9}, scan)
	case "webp":
		var b [8]byte
		if _, err := file.ReadAt(b[:], 0); err != nil {
			return err
		}
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() < 8+int64(binary.LittleEndian.Uint32(b[4:])) {
			return errCutShort
		}
	}
	return nil
}

// jpegScan returns where a JPEG's coded pixels begin: behind all segments, of which one may
// hold a thumbnail with an end of its own.
func jpegScan(file *os.File) (int64, error) {
	at := int64(2)
	for {
		var b [4]byte
		switch _, err := file.ReadAt(b[:], at); {
		case err == io.EOF:
			return 0, errCutShort
		case err != nil:
			return 0, err
		case b[0] == 0xff && b[1] == 0xff: // padding
			at++
		case b[0] != 0xff:
			return at, nil // no segment: leave it to the decoder
		case b[1] == 0xda:
			return at, nil
		default:
			at += 2 + int64(binary.BigEndian.Uint16(b[2:]))
		}
	}
}

// findLast looks for mark in the end of the file, then in all that is behind from.
func findLast(file *os.File, mark []byte, from int64) error {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	const end = 1 << 16
	for _, begin := range []int64{max(from, info.Size()-end), from} {
		part, err := io.ReadAll(io.NewSectionReader(file, begin, info.Size()-begin))
		if err != nil || bytes.Contains(part, mark) {
			return err
		}
	}
	return errCutShort
}
