package flow

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A .flo file (vision.middlebury.edu/flow) is, little endian: the float 202021.25,
// the int32 width and height, then for each pixel, row by row, the floats u and v.
const floMagic = 202021.25

// maxFloPixels bounds what a header may claim: a flow of 2 GiB.
const maxFloPixels = 1 << 28

// ReadFlo reads a Middlebury .flo file. What is unknown there stays Unknown; what
// is not a number becomes it. Memory grows with what is read, not with what the
// header says. Errors name cause and remedy, not the file.
func ReadFlo(r io.Reader) (*Field, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	var header [12]byte
	if n, err := io.ReadFull(br, header[:]); err != nil {
		return nil, floEnd(err, "header", n, len(header))
	}
	if m := math.Float32frombits(binary.LittleEndian.Uint32(header[:])); m != floMagic {
		return nil, fmt.Errorf(".flo: begins with %q, not with PIEH: not a flow in Middlebury's format, or a big-endian one; write it as little-endian float32", header[:4])
	}
	w, h := int32(binary.LittleEndian.Uint32(header[4:])), int32(binary.LittleEndian.Uint32(header[8:]))
	if w < 1 || h < 1 || int64(w)*int64(h) > maxFloPixels {
		return nil, fmt.Errorf(".flo: header says %d×%d pixels, which is not between 1 and %d in all; write the file again", w, h, maxFloPixels)
	}
	f := &Field{W: int(w), H: int(h)}
	chunk := make([]byte, 8*min(f.W, 4096))
	for left := f.W * f.H; left > 0; {
		c := chunk[:min(len(chunk), 8*left)]
		if n, err := io.ReadFull(br, c); err != nil {
			return nil, floEnd(err, "flow", 8*len(f.U)+n, 8*f.W*f.H)
		}
		for ; len(c) > 0; c = c[8:] {
			u := math.Float32frombits(binary.LittleEndian.Uint32(c))
			v := math.Float32frombits(binary.LittleEndian.Uint32(c[4:]))
			if u != u || v != v {
				u, v = 2*Unknown, 2*Unknown
			}
			f.U, f.V = append(f.U, u), append(f.V, v)
			left--
		}
	}
	return f, nil
}

func floEnd(err error, what string, n, want int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf(".flo: the file ends after %d of %d bytes of its %s; copy or write it again", n, want, what)
	}
	return fmt.Errorf(".flo: %s: %w", what, err)
}

// WriteFlo writes f as a Middlebury .flo file.
func WriteFlo(w io.Writer, f *Field) error {
	bw := bufio.NewWriterSize(w, 1<<16)
	var b [12]byte
	binary.LittleEndian.PutUint32(b[:], math.Float32bits(floMagic))
	binary.LittleEndian.PutUint32(b[4:], uint32(f.W))
	binary.LittleEndian.PutUint32(b[8:], uint32(f.H))
	bw.Write(b[:])
	for i := range f.U {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(f.U[i]))
		binary.LittleEndian.PutUint32(b[4:], math.Float32bits(f.V[i]))
		bw.Write(b[:8])
	}
	return bw.Flush()
}
