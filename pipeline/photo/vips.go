//go:build cgo && !novips

package photo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
)

// start brings libvips up once, with small caches: each picture is seen once.
var start = sync.OnceValue(func() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("libvips did not start (%v); install libvips 8.10 or later", r)
		}
	}()
	// Before Startup, else it logs to stderr; what matters comes as errors.
	vips.LoggingSettings(func(string, vips.LogLevel, string) {}, vips.LogLevelWarning)
	vips.Startup(&vips.Config{ConcurrencyLevel: 1, MaxCacheMem: 1 << 20, MaxCacheSize: 1})
	return nil
})

// Photo is the Origin of a frame that Read made: what Write needs beside pixels.
type Photo struct {
	file []byte // as read: header and metadata
	bits int    // a sample, 8 or 16
}

// Bulk is the file, and what makes the same Photo of it: frames of a film that wait
// leave it on the disk.
func (p *Photo) Bulk() (file []byte, whole func([]byte) any) {
	bits := p.bits
	return p.file, func(file []byte) any { return &Photo{file: file, bits: bits} }
}

var errNotPicture = errors.New("not a picture of a known format; see that the file is what its name says, or convert it to PNG")

var decodable = []vips.ImageType{
	vips.ImageTypeJPEG, vips.ImageTypePNG, vips.ImageTypeTIFF, vips.ImageTypeWEBP, vips.ImageTypeHEIF,
	vips.ImageTypeAVIF, vips.ImageTypeGIF, vips.ImageTypeJXL, vips.ImageTypeJP2K, vips.ImageTypeBMP,
}

func decode(data []byte) (*filter.Frame, error) {
	img, err := open(data)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	origin := &Photo{file: data, bits: 8}
	if img.BandFormat() != vips.BandFormatUchar {
		origin.bits = 16
	}
	if err := normalise(img, origin.bits); err != nil {
		return nil, errDamaged(cause(err))
	}
	raw, err := img.ToBytes()
	if err != nil {
		// ToBytes leaves the cause in libvips's buffer; the next failure tells it.
		if _, again := img.Average(); again != nil {
			err = cause(again)
		}
		return nil, errDamaged(err)
	}
	f := filter.NewFrame(img.Width(), img.Height())
	f.Origin = origin
	bands := img.Bands()
	n := f.W * f.H
	if len(raw) != n*bands*origin.bits/8 || bands < 3 || bands > 4 {
		return nil, fmt.Errorf("has %d bands after conversion to RGB; convert it to PNG first", bands)
	}
	if bands == 4 {
		f.Alpha = make([]float32, n)
	}
	for p := range n {
		for b := range bands {
			var v float32
			if i := p*bands + b; origin.bits == 8 {
				v = float32(raw[i]) / 255
			} else {
				v = float32(binary.NativeEndian.Uint16(raw[2*i:])) / 65535
			}
			if b == 3 {
				f.Alpha[p] = v
			} else {
				f.Pix[b*n+p] = v
			}
		}
	}
	return f, nil
}

// open reads the header; pixels come when asked for.
func open(data []byte) (*vips.ImageRef, error) {
	if err := start(); err != nil {
		return nil, err
	}
	kind := vips.DetermineImageType(data)
	if !slices.Contains(decodable, kind) {
		return nil, errNotPicture
	}
	if kind != vips.ImageTypeBMP && !vips.IsTypeSupported(kind) {
		return nil, fmt.Errorf("this libvips reads no %s; convert the picture to PNG first", vips.ImageTypes[kind])
	}
	params := vips.NewImportParams()
	params.FailOnError.Set(true)
	img, err := vips.LoadImageFromBuffer(data, params)
	if err != nil {
		return nil, errDamaged(cause(err))
	}
	pages := img.Pages()
	switch kind {
	case vips.ImageTypeHEIF, vips.ImageTypeAVIF: // the primary picture is the page that was loaded
	case vips.ImageTypeTIFF:
		if pages > 1 {
			err = fmt.Errorf("holds %d pages; take one out first: vips copy 'in.tif[page=0]' page.tif", pages)
		}
	default:
		if pages > 1 {
			err = errAnimation
		}
	}
	if err == nil {
		err = checkSize(img.Width(), img.Height())
	}
	if err != nil {
		img.Close()
		return nil, err
	}
	return img, nil
}

// normalise makes an image upright sRGB of 3 or 4 bands and 8 or 16 bits.
func normalise(img *vips.ImageRef, bits int) error {
	if err := img.AutoRotate(); err != nil {
		return err
	}
	space := vips.InterpretationSRGB
	if bits == 16 {
		space = vips.InterpretationRGB16
	}
	var err error
	switch {
	case img.HasICCProfile():
		err = img.TransformICCProfile(vips.SRGBIEC6196621ICCProfilePath)
	case img.Interpretation() == vips.InterpretationCMYK:
		err = img.TransformICCProfileWithFallback(vips.SRGBIEC6196621ICCProfilePath, "cmyk")
	}
	if err != nil {
		return err
	}
	if err := img.ToColorSpace(space); err != nil {
		return err
	}
	if want := map[int]vips.BandFormat{8: vips.BandFormatUchar, 16: vips.BandFormatUshort}[bits]; img.BandFormat() != want {
		return img.Cast(want)
	}
	return nil
}

// encode puts the new pixels into the original image, so that EXIF, XMP and IPTC
// go along; orientation is then 1 and the profile sRGB.
func encode(kind format, text string, f *filter.Frame, origin *Photo) ([]byte, error) {
	if err := start(); err != nil {
		return nil, err
	}
	save, err := newSaver(kind, text, origin.bits)
	if err != nil {
		return nil, err
	}
	pix, bands := samples(f, save.bits, kind.alpha, binary.LittleEndian)
	img, err := vips.NewImageFromBuffer(tiffOf(pix, f.W, f.H, bands, save.bits))
	if err != nil {
		return nil, cause(err)
	}
	defer img.Close()
	if origin.file != nil && !save.strip {
		if img, err = withMetadata(origin.file, img, save.bits); err != nil {
			return nil, cause(err)
		}
		defer img.Close()
	}
	data, err := save.export(img)
	if err != nil {
		return nil, fmt.Errorf("libvips cannot write this %s (%w); try PNG", kind.name, cause(err))
	}
	return data, nil
}

// withMetadata returns the original image, cut or widened to the picture's size
// and bands, with the picture laid over all of it.
func withMetadata(file []byte, picture *vips.ImageRef, bits int) (*vips.ImageRef, error) {
	img, err := open(file)
	if err != nil {
		return nil, err
	}
	steps := []func() error{
		func() error { return normalise(img, bits) },
		func() error { return dropThumbnail(img) },
		func() error {
			switch {
			case img.Bands() == 4 && picture.Bands() == 3:
				return img.ExtractBand(0, 3)
			case img.Bands() == 3 && picture.Bands() == 4:
				return img.BandJoinConst([]float64{0})
			}
			return nil
		},
		func() error {
			if w, h := picture.Width(), picture.Height(); w != img.Width() || h != img.Height() {
				return img.Embed(0, 0, w, h, vips.ExtendBlack)
			}
			return nil
		},
		func() error { return img.Insert(picture, 0, 0, false, nil) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			img.Close()
			return nil, err
		}
	}
	return img, nil
}

// dropThumbnail takes out the small copy of the unpainted picture.
func dropThumbnail(img *vips.ImageRef) error {
	const field = "jpeg-thumbnail-data"
	fields := img.ImageFields()
	if !slices.Contains(fields, field) {
		return nil
	}
	return img.RemoveMetadata(slices.DeleteFunc(fields, func(s string) bool { return s == field })...)
}

// cause takes the first line of a govips error: after it comes a stack.
func cause(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\nStack:")
	return errors.New(strings.Join(strings.Fields(text), " "))
}
