//go:build cgo && !novips

package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
	"nstfilter/pipeline/recipe"
)

// startVips starts libvips once, with small caches, because each picture is read once.
var startVips = sync.OnceValue(func() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("libvips did not start (%v); install libvips 8.10 or later", r)
		}
	}()
	// This must precede Startup, which logs to stderr. What matters is returned as errors.
	vips.LoggingSettings(func(string, vips.LogLevel, string) {}, vips.LogLevelWarning)
	vips.Startup(&vips.Config{ConcurrencyLevel: 1, MaxCacheMem: 1 << 20, MaxCacheSize: 1})
	return nil
})

// Photo is the Origin of a frame from Read: what Write needs besides pixels.
type Photo struct {
	// Notes say what the result does not keep. Read and Write add to them.
	Notes []string

	file    []byte // as it was read, for its metadata
	bits    int    // a sample, 8 or 16
	profile []byte // ICC's that the samples of the frame are coded by; nil: sRGB
}

// Bulk returns the file, and a function that makes the same Photo from it. Frames that wait
// on the disk (coherence.Spill) need not keep the file in memory.
func (p *Photo) Bulk() (file []byte, whole func([]byte) any) {
	rest := *p
	rest.file = nil
	return p.file, func(file []byte) any {
		whole := rest
		whole.file = file
		return &whole
	}
}

const decoderName = "this libvips"

// Library returns what reads and writes photos, and its version: libvips 8.14.1.
func Library() string { return "libvips " + vips.Version }

var errNotPicture = errors.New("not a picture of a known format; see that the file is what its name says, or convert it to PNG")

var decodableTypes = []vips.ImageType{
	vips.ImageTypeJPEG, vips.ImageTypePNG, vips.ImageTypeTIFF, vips.ImageTypeWEBP, vips.ImageTypeHEIF,
	vips.ImageTypeAVIF, vips.ImageTypeGIF, vips.ImageTypeJXL, vips.ImageTypeJP2K, vips.ImageTypeBMP,
}

// decodePicture decodes a picture to sRGB, or to its own colours if that is asked for and
// sRGB may lack some of them.
func decodePicture(data []byte, own bool) (*filter.Frame, error) {
	data, err := readable(data)
	if err != nil {
		return nil, err
	}
	img, err := openImage(data)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	origin := &Photo{file: data, bits: 8}
	if own {
		origin.profile = wideProfile(img)
	}
	if img.BandFormat() != vips.BandFormatUchar {
		origin.bits = 16
	}
	if what := promised(img); what != "" {
		origin.Notes = append(origin.Notes, "its "+what+" is left out, and its XMP, which promises that")
	}
	if origin.profile == nil && img.HasICCProfile() || img.Interpretation() == vips.InterpretationCMYK {
		if _, err := srgbProfile(); err != nil {
			return nil, err
		}
	}
	if err := toRGB(img, origin.bits, origin.profile != nil); err != nil {
		return nil, errDamaged(firstLine(err))
	}
	raw, err := img.ToBytes()
	if err != nil {
		// ToBytes leaves the cause in libvips's buffer, and the next failure returns it.
		if _, again := img.Average(); again != nil {
			err = firstLine(again)
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

// readable returns a picture in a form that govips knows.
func readable(data []byte) ([]byte, error) {
	switch {
	case isMore(data):
		return asTIFF(data)
	case bytes.HasPrefix(data, []byte("BM")):
		img, err := decodeBMP(data)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		fast := png.Encoder{CompressionLevel: png.BestSpeed}
		err = fast.Encode(&out, img)
		return out.Bytes(), err
	}
	return data, nil
}

// noCodec matches what libheif says without the plugin of a codec.
var noCodec = regexp.MustCompile(`(?i)unsupported codec|no .*(decoder|encoder|plugin)|unsupported compression|codec not available`)

// packagesFor names what a format may lack, for Debian and its heirs, and for Fedora.
func packagesFor(format string) string {
	packages, ok := map[string]string{
		"heif": "libvips42 with libheif-plugin-libde265, to write libheif-plugin-x265 (Debian, Ubuntu; older libheif1 has both), or vips-heif and libheif-freeworld (Fedora)",
		"avif": "libvips42 with libheif-plugin-dav1d, to write libheif-plugin-aomenc (Debian, Ubuntu; older libheif1 has both), or vips-heif (Fedora)",
		"jxl":  "libvips42 (Debian, Ubuntu) or vips-jxl (Fedora), of libvips 8.11 or later",
	}[format]
	if !ok {
		return "libvips42 (Debian, Ubuntu) or vips (Fedora)"
	}
	return packages
}

// isPicture reports whether the head of a file is that of a format that is read.
func isPicture(head []byte) bool {
	return isMore(head) || slices.Contains(decodableTypes, vips.DetermineImageType(head))
}

// kindName returns the format's name in pictureFormats of a file that begins so.
func kindName(head []byte) string { return vips.ImageTypes[vips.DetermineImageType(head)] }

// checkStill returns an error if the file is no picture, or an animation.
func checkStill(data []byte) error {
	if isMore(data) {
		return nil
	}
	img, err := openImage(data)
	if err == nil {
		img.Close()
	}
	return err
}

// openImage reads the header. libvips decodes pixels when they are asked for.
func openImage(data []byte) (*vips.ImageRef, error) {
	if err := startVips(); err != nil {
		return nil, err
	}
	kind := vips.DetermineImageType(data)
	if !slices.Contains(decodableTypes, kind) {
		return nil, errNotPicture
	}
	if kind != vips.ImageTypeBMP && !vips.IsTypeSupported(kind) {
		return nil, fmt.Errorf("this libvips reads no %s: install %s, or convert the picture to PNG first", vips.ImageTypes[kind], packagesFor(vips.ImageTypes[kind]))
	}
	if kind == vips.ImageTypeJP2K {
		if err := checkJP2K(data); err != nil {
			return nil, err
		}
	}
	params := vips.NewImportParams()
	params.FailOnError.Set(true)
	img, err := vips.LoadImageFromBuffer(data, params)
	if err != nil && noCodec.MatchString(err.Error()) {
		return nil, fmt.Errorf("%s cannot read this kind of it (%w): install %s, or convert the picture to PNG first", decoderName, firstLine(err), packagesFor(vips.ImageTypes[kind]))
	} else if err != nil {
		return nil, errDamaged(firstLine(err))
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

// decodeHeader returns the size of the picture in a file.
func decodeHeader(data []byte) (Header, error) {
	if isMore(data) {
		h, err := moreHeader(data)
		if err == nil {
			err = checkSize(h.W, h.H)
		}
		return h, err
	}
	img, err := openImage(data)
	if err != nil {
		return Header{}, err
	}
	defer img.Close()
	return Header{img.Width(), img.Height()}, nil
}

// toSRGB makes an image upright, and converts it to sRGB of 3 or 4 bands and 8 or 16 bits.
func toSRGB(img *vips.ImageRef, bits int) error { return toRGB(img, bits, false) }

// toRGB is toSRGB, but leaves the samples of an RGB picture in its own profile if own is set.
func toRGB(img *vips.ImageRef, bits int, own bool) error {
	if err := img.AutoRotate(); err != nil {
		return err
	}
	space := vips.InterpretationSRGB
	if bits == 16 {
		space = vips.InterpretationRGB16
	}
	var err error
	switch {
	case own:
	case img.HasICCProfile():
		err = withSRGB(img.TransformICCProfile)
	case img.Interpretation() == vips.InterpretationCMYK:
		err = withSRGB(func(profile string) error { return img.TransformICCProfileWithFallback(profile, "cmyk") })
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

// encodePicture puts the new pixels into the original image, in order to keep EXIF, XMP and
// IPTC; made joins the XMP. The orientation becomes 1. The profile is the one that the frame is
// coded by, or sRGB where the format keeps none.
func encodePicture(kind pictureFormat, text string, f *filter.Frame, origin *Photo, made *recipe.Recipe) ([]byte, error) {
	if err := startVips(); err != nil {
		return nil, err
	}
	save, err := newSaver(kind, text, origin.bits)
	if err != nil {
		return nil, err
	}
	pix, bands := packSamples(f, save.bits, kind.alpha, binary.LittleEndian)
	var xmp []byte
	if !save.strip {
		var note string
		if xmp, note, err = recipeXMP(origin, kind, made); err != nil {
			return nil, err
		}
		if note != "" {
			origin.Notes = append(origin.Notes, note)
		}
	}
	var wrapped []byte
	if kind.name != "png" {
		wrapped = xmp
	}
	img, err := vips.NewImageFromBuffer(wrapTIFF(pix, f.W, f.H, bands, save.bits, wrapped))
	if err != nil {
		return nil, firstLine(err)
	}
	defer img.Close()
	if origin.file != nil && (!save.strip || origin.profile != nil) {
		if img, err = withMetadata(origin, img, save.bits); err != nil {
			return nil, firstLine(err)
		}
		defer img.Close()
	}
	if err := fromProfile(img, kind, save.strip, origin); err != nil {
		return nil, firstLine(err)
	}
	data, err := save.export(img)
	if err != nil {
		if noCodec.MatchString(err.Error()) {
			return nil, fmt.Errorf("this libvips cannot write %s (%w): install %s, or write PNG", kind.name, firstLine(err), packagesFor(kind.name))
		}
		return nil, fmt.Errorf("libvips cannot write this %s (%w); try PNG", kind.name, firstLine(err))
	}
	if kind.name == "png" && len(xmp) > 0 {
		data = pngWithXMP(data, xmp)
	}
	return data, nil
}

// withMetadata returns the original image with its pixels, size, bands and XMP replaced by the
// picture's.
func withMetadata(origin *Photo, picture *vips.ImageRef, bits int) (*vips.ImageRef, error) {
	img, err := openImage(origin.file)
	if err != nil {
		return nil, err
	}
	steps := []func() error{
		func() error { return toRGB(img, bits, origin.profile != nil) },
		func() error { return dropFalse(img) },
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

// dropFalse removes metadata that would be false of a painted picture: a thumbnail of it as
// it was, and its XMP, which recipeXMP changes.
func dropFalse(img *vips.ImageRef) error {
	lies := []string{"jpeg-thumbnail-data", xmpField}
	fields := img.ImageFields()
	lie := func(s string) bool { return slices.Contains(lies, s) }
	if !slices.ContainsFunc(fields, lie) {
		return nil
	}
	return img.RemoveMetadata(slices.DeleteFunc(fields, lie)...)
}

const xmpField = "xmp-data"

// recipeXMP returns the XMP of a result: that of the photo, with made in it in the place of what
// made an older result. note says why made is not in it.
func recipeXMP(origin *Photo, kind pictureFormat, made *recipe.Recipe) (xmp []byte, note string, err error) {
	if origin.file != nil {
		img, err := openImage(origin.file)
		if err != nil {
			return nil, "", err
		}
		defer img.Close()
		if slices.Contains(img.ImageFields(), xmpField) && promised(img) == "" {
			xmp = img.GetBlob(xmpField)
		}
	}
	merged, err := recipe.Merge(xmp, made)
	if err == nil && kind.name == "jpeg" && len(merged) > mostJPEGXMP {
		err = errors.New("a JPEG has no room for it beside the photo's XMP")
	}
	switch {
	case err == nil:
		return merged, "", nil
	case made == nil:
		return xmp, "", nil
	}
	return xmp, "what made the result is not recorded in it: " + err.Error(), nil
}

// promised is what a picture's XMP says that its file has beside the picture; "": nothing.
func promised(img *vips.ImageRef) string {
	if !slices.Contains(img.ImageFields(), xmpField) {
		return ""
	}
	xmp := string(img.GetBlob(xmpField))
	switch {
	case strings.Contains(xmp, "hdrgm:"), strings.Contains(xmp, "HDRGainMap"):
		return "gain map, which makes it HDR,"
	case strings.Contains(xmp, "MotionPhoto"), strings.Contains(xmp, "MicroVideo"):
		return "film of the moment around it"
	}
	return ""
}

// firstLine returns the message of a govips error without the stack that follows it.
func firstLine(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\nStack:")
	return errors.New(strings.Join(strings.Fields(text), " "))
}
