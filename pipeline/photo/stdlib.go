//go:build !cgo || novips

package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"nstfilter/filter"
	"nstfilter/pipeline/recipe"
)

const noVips = "this build has no libvips: convert first, or build with cgo and without -tags novips"

const decoderName = "this build, without libvips,"

// Library returns what reads and writes photos.
func Library() string { return "Go alone, without libvips" }

// Photo is the Origin of a frame from Read: what Write needs besides pixels.
type Photo struct {
	// Notes say what the result does not keep. Read and Write add to them.
	Notes []string

	bits    int    // a sample, 8 or 16
	profile []byte // nil: this build takes every picture for sRGB
}

// Convert returns f: there is no profile but sRGB's.
func Convert(f *filter.Frame, _ []byte) (*filter.Frame, error) { return f, nil }

// decodeHeader returns the size of the picture in a file.
func decodeHeader(data []byte) (Header, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case isAnimated(data):
		return Header{}, errAnimation
	case errors.Is(err, image.ErrFormat):
		return Header{}, fmt.Errorf("not a picture that this build knows (%s); see that the file is what its name says, or convert it to PNG", noVips)
	case err != nil:
		return Header{}, errDamaged(err)
	}
	return Header{config.Width, config.Height}, checkSize(config.Width, config.Height)
}

func decodePicture(data []byte, _ bool) (*filter.Frame, error) {
	_, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errDamaged(err)
	}
	var img image.Image
	if kind == "bmp" {
		if img, err = decodeBMP(data); err != nil {
			return nil, err
		}
	} else if img, _, err = image.Decode(bytes.NewReader(data)); err != nil {
		return nil, errDamaged(err)
	}
	f, bits := frameFromImage(img)
	if kind == "jpeg" {
		f = applyOrientation(f, exifOrientation(data))
	}
	f.Origin = &Photo{bits: bits}
	return f, nil
}

// ReadAnimation decodes an animated WebP where there is libvips.
func ReadAnimation(path string) (*Animation, error) {
	return nil, fmt.Errorf("%s: an animated WebP cannot be read: %s", path, noVips)
}

// isPicture reports whether the head of a file is that of a format that is read.
func isPicture(head []byte) bool {
	_, _, err := image.DecodeConfig(bytes.NewReader(head))
	return !errors.Is(err, image.ErrFormat)
}

// kindName returns the format's name in pictureFormats of a file that begins so.
func kindName(head []byte) string {
	_, kind, _ := image.DecodeConfig(bytes.NewReader(head))
	return kind
}

// checkStill returns an error if the file is no picture, or an animation.
func checkStill(data []byte) error {
	if isAnimated(data) {
		return errAnimation
	}
	_, _, err := image.DecodeConfig(bytes.NewReader(data))
	return err
}

// frameFromImage converts any image. Its colours are not multiplied by alpha.
func frameFromImage(img image.Image) (f *filter.Frame, bits int) {
	box := img.Bounds()
	f = filter.NewFrame(box.Dx(), box.Dy())
	n := f.W * f.H
	bits = 8
	switch img.ColorModel() {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		bits = 16
	}
	alpha := make([]float32, n)
	opaque := true
	for y := range f.H {
		for x := range f.W {
			p := y*f.W + x
			var c color.NRGBA64
			switch v := img.At(box.Min.X+x, box.Min.Y+y).(type) {
			case color.NRGBA: // as it is stored, so that it comes back exactly
				c = color.NRGBA64{R: uint16(v.R) * 257, G: uint16(v.G) * 257, B: uint16(v.B) * 257, A: uint16(v.A) * 257}
			case color.NRGBA64:
				c = v
			default:
				c = color.NRGBA64Model.Convert(v).(color.NRGBA64)
			}
			f.Pix[p] = float32(c.R) / 65535
			f.Pix[n+p] = float32(c.G) / 65535
			f.Pix[2*n+p] = float32(c.B) / 65535
			alpha[p] = float32(c.A) / 65535
			opaque = opaque && c.A == 65535
		}
	}
	if !opaque {
		f.Alpha = alpha
	}
	return f, bits
}

var encoders = map[string]bool{"jpeg": true, "png": true, "tiff": true, "bmp": true}

func writable(f pictureFormat) error {
	if !encoders[f.name] {
		return fmt.Errorf("%s cannot be written: %s: .png, .jpg, .tif and .bmp can", f.name, noVips)
	}
	return nil
}

func encodePicture(kind pictureFormat, text string, f *filter.Frame, origin *Photo, made *recipe.Recipe) ([]byte, error) {
	quality := 92
	knobs := map[string]knob{}
	if kind.name == "jpeg" {
		knobs["Q"] = intKnob(&quality, 1, 100)
	}
	if err := setKnobs(kind, text, knobs); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, noVips)
	}
	bits := 8
	if kind.deep {
		bits = origin.bits
	}
	img := imageFromFrame(f, bits, kind.alpha)
	var out bytes.Buffer
	var err error
	switch kind.name {
	case "jpeg":
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: quality})
	case "png":
		err = png.Encode(&out, img)
	case "tiff":
		err = tiff.Encode(&out, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	case "bmp":
		err = bmp.Encode(&out, img)
	}
	if err != nil || made == nil {
		return out.Bytes(), err
	}
	xmp := recipe.Packet(made.XMP())
	switch kind.name {
	case "jpeg":
		return jpegWithXMP(out.Bytes(), xmp), nil
	case "png":
		return pngWithXMP(out.Bytes(), xmp), nil
	}
	return out.Bytes(), nil
}

// jpegWithXMP puts XMP into a JPEG, behind its first marker (XMP Specification Part 3, 1.1.3).
// It returns the JPEG as it is if the XMP is longer than a segment.
func jpegWithXMP(file, xmp []byte) []byte {
	const marker = 2
	if len(xmp) > mostJPEGXMP {
		return file
	}
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(jpegXMP)+len(xmp)))
	return slices.Concat(file[:marker], segment, []byte(jpegXMP), xmp, file[marker:])
}

// imageFromFrame makes an image of 8 or 16 bits a sample, not multiplied by alpha.
func imageFromFrame(f *filter.Frame, bits int, alpha bool) image.Image {
	pix, bands := packSamples(f, bits, alpha, binary.BigEndian)
	size := bits / 8
	full := make([]byte, 4*size*f.W*f.H)
	for i := range full {
		full[i] = 0xff
	}
	for p := range f.W * f.H {
		copy(full[4*size*p:], pix[bands*size*p:bands*size*(p+1)])
	}
	box := image.Rect(0, 0, f.W, f.H)
	switch {
	case bits == 16 && bands == 4:
		return &image.NRGBA64{Pix: full, Stride: 8 * f.W, Rect: box}
	case bits == 16:
		return &image.RGBA64{Pix: full, Stride: 8 * f.W, Rect: box}
	case bands == 4:
		return &image.NRGBA{Pix: full, Stride: 4 * f.W, Rect: box}
	}
	return &image.RGBA{Pix: full, Stride: 4 * f.W, Rect: box}
}
