package photo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"nstfilter/filter"
	"nstfilter/pipeline/recipe"
	"nstfilter/video/outfile"
)

// maxPixels keeps each buffer of libvips under 2 GiB.
const maxPixels = 178_000_000

// maxFile is the largest file that Read accepts, in bytes.
const maxFile = 1<<31 - 1

// Read decodes a file into planar RGB in [0,1], sRGB-coded, upright, with Alpha
// if the picture has it, and a *Photo as Origin. Empty, damaged and truncated
// files are errors, as are animations and files of several pages.
func Read(path string) (*filter.Frame, error) {
	return ReadIf(path, func(int, int) error { return nil })
}

// ReadIf is Read, but does not decode a picture of w×h, before it is turned upright, for
// which check returns an error.
func ReadIf(path string, check func(w, h int) error) (*filter.Frame, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return decode(path, data, check, false)
}

// ReadOwn is ReadIf, but leaves a picture in its own colours if its profile may have more than
// sRGB: Display P3, Adobe RGB, ProPhoto. The frame is then coded by that profile, which
// Profile returns, and Write keeps it.
func ReadOwn(path string, check func(w, h int) error) (*filter.Frame, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return decode(path, data, check, true)
}

// Profile returns the ICC profile that a frame of ReadOwn is coded by; nil: sRGB.
func Profile(f *filter.Frame) []byte {
	if p, ok := f.Origin.(*Photo); ok {
		return p.profile
	}
	return nil
}

// readFile returns the bytes of a file that may be a picture.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, ExplainFileError(path, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: is a folder; name the pictures in it", path)
	}
	data, _, err := readPicture(file)
	if err != nil {
		return nil, ExplainFileError(path, err)
	}
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("%s: the file is empty; fetch or export it again", path)
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s: the file is over 2 GiB; scale the picture down first", path)
	}
	return data, nil
}

// Holds reports whether a file holds one still picture that Read reads, whatever its name.
func Holds(path string) bool {
	file, err := openRegular(path)
	if err != nil {
		return false
	}
	defer file.Close()
	data, picture, err := readPicture(file)
	return err == nil && picture && checkStill(data) == nil
}

// readPicture reads a file, but only its head if that is no picture's: the rest may be
// endless. It reads at most one byte more than maxFile.
func readPicture(file io.Reader) (data []byte, picture bool, err error) {
	head, err := io.ReadAll(io.LimitReader(file, 512))
	if err != nil || !isPicture(head) {
		return head, false, err
	}
	rest, err := io.ReadAll(io.LimitReader(file, maxFile+1-int64(len(head))))
	return append(head, rest...), true, err
}

// openRegular opens a file that can be opened twice and does not make wait, as a pipe does.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	return os.Open(path)
}

// Decode is Read for a file in memory; name is for errors. It keeps data.
func Decode(name string, data []byte) (*filter.Frame, error) {
	return decode(name, data, func(int, int) error { return nil }, false)
}

// IsPicture reports whether the first bytes of a file, a few hundred, are those of a format
// that is read.
func IsPicture(head []byte) bool { return isPicture(head) }

// ReadOwnFrom is ReadOwn for a file that comes from a stream; name is for errors.
func ReadOwnFrom(name string, r io.Reader, check func(w, h int) error) (*filter.Frame, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("the picture is over 2 GiB; scale it down first")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return decode(name, data, check, true)
}

func decode(name string, data []byte, check func(w, h int) error, own bool) (f *filter.Frame, err error) {
	h, err := decodeHeader(data)
	if err == nil {
		err = check(h.W, h.H)
	}
	if err == nil {
		f, err = decodePicture(data, own)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// OfDepth returns the Origin of a frame that comes from elsewhere with so many bits a sample.
func OfDepth(bits int) *Photo {
	if bits > 8 {
		return &Photo{bits: 16}
	}
	return &Photo{bits: 8}
}

// BitsOf returns how many bits a sample of a frame from Read has, 8 or 16.
func BitsOf(f *filter.Frame) int {
	if p, ok := f.Origin.(*Photo); ok {
		return p.bits
	}
	return 8
}

// Depth returns how many bits a sample has in a file of this name, of bits that there are.
func Depth(path string, bits int) int {
	if f, ok := formatOf(path); ok && !f.deep {
		return 8
	}
	return bits
}

// Write encodes f as the path's extension and the options say (the text between vips's
// brackets: "Q=90,strip"). The file appears under its name when it is whole, and takes the
// place of an existing one. Samples are rounded to the origin's depth if the format has it,
// else to 8 bits. In a format without alpha, white shows through.
func Write(path, options string, f *filter.Frame) error {
	return WriteAs(outfile.Replace, path, options, f, nil)
}

// WriteAs is Write, but mode says whether the file may take the place of an existing one, and
// made, if not nil, goes into the file as XMP where the format has it.
func WriteAs(mode outfile.Mode, path, options string, f *filter.Frame, made *recipe.Recipe) error {
	data, err := Encode(path, options, f, made)
	if err != nil {
		return err
	}
	return ExplainWriteError(path, outfile.Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}))
}

// Encode returns the file that WriteAs writes.
func Encode(path, options string, f *filter.Frame, made *recipe.Recipe) ([]byte, error) {
	kind, err := outputFormat(path)
	if err != nil {
		return nil, err
	}
	if err := writable(kind); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := checkSize(f.W, f.H); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	origin, _ := f.Origin.(*Photo)
	if origin == nil {
		origin = &Photo{bits: 8}
	}
	data, err := encodePicture(kind, options, f, origin, made)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func checkSize(w, h int) error {
	if w < 1 || h < 1 {
		return fmt.Errorf("a picture of %d×%d has no pixels", w, h)
	}
	if int64(w)*int64(h) > maxPixels {
		return fmt.Errorf("%d×%d is more than %d megapixels; scale the picture down first", w, h, maxPixels/1_000_000)
	}
	return nil
}

var errAnimation = errors.New("is an animation; those are films: nstfilter in.gif out.gif, nstfilter in.webp out.mp4")

// notHere are words of decoders about files that are whole, and of a kind, or larger, than
// they read.
var notHere = regexp.MustCompile(`(?i)unsupported|not supported|support is not configured|not implemented|limit`)

// errDamaged explains what a decoder said of a file.
func errDamaged(err error) error {
	if notHere.MatchString(err.Error()) {
		return fmt.Errorf("%s cannot read this kind of it (%w); convert the picture to PNG first", decoderName, err)
	}
	return fmt.Errorf("damaged or truncated (%w); fetch or export the picture again", err)
}
