//go:build cgo && !novips

package photo

import (
	"bytes"
	"os"
	"slices"

	"github.com/davidbyttow/govips/v2/vips"
)

// keepsProfile are the formats that are written with a colour profile: libvips writes none to
// GIF and JPEG 2000, and govips lets it write none to WebP.
var keepsProfile = []string{"jpeg", "png", "tiff", "heif", "avif", "jxl"}

// wideProfile returns the profile of an RGB picture, unless it is sRGB's.
func wideProfile(img *vips.ImageRef) []byte {
	if !img.HasICCProfile() {
		return nil
	}
	profile := img.GetICCProfile()
	switch img.Interpretation() {
	case vips.InterpretationSRGB, vips.InterpretationRGB, vips.InterpretationRGB16:
	default:
		return nil
	}
	if bytes.Contains(profile, []byte("sRGB")) || bytes.Contains(profile, []byte("s\x00R\x00G\x00B")) {
		return nil
	}
	return profile
}

// toProfile brings img, a painted picture in sRGB, into the profile of the file that it was
// read from. Samples that were not painted stay the file's own, with colours that sRGB lacks.
func toProfile(img *vips.ImageRef, file []byte, profile string, bits int) error {
	if err := img.TransformICCProfile(profile); err != nil {
		return err
	}
	own, err := openImage(file)
	if err != nil {
		return err
	}
	defer own.Close()
	read, err := openImage(file) // as it was painted from
	if err != nil {
		return err
	}
	defer read.Close()
	space, format := vips.InterpretationSRGB, vips.BandFormatUchar
	if bits == 16 {
		space, format = vips.InterpretationRGB16, vips.BandFormatUshort
	}
	steps := []func() error{
		own.AutoRotate,
		func() error { return own.ToColorSpace(space) },
		func() error { return toSRGB(read, bits) },
		func() error { return read.TransformICCProfile(profile) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if own.Width() != img.Width() || own.Height() != img.Height() || own.Bands() != img.Bands() {
		return nil // resized, or without its alpha
	}
	same, err := img.Copy() // becomes 1 where a sample is the one that was read, else 0
	if err != nil {
		return err
	}
	defer same.Close()
	for _, step := range []func() error{
		func() error { return read.Linear1(-1, 0) },
		func() error { return same.Add(read) },
		func() error { return same.Multiply(same) },
		func() error { return same.Linear1(-1, 1) },
		func() error { return same.Cast(vips.BandFormatUchar) }, // which clips
		func() error { return own.Add(read) },                   // what sRGB did not hold
		func() error { return own.Multiply(same) },
		func() error { return img.Add(own) },
		func() error { return img.Cast(format) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// intoProfile is toProfile where the format keeps profiles and the file has one that is wider
// than sRGB. Where it does not keep it, a note says so. Call done after the export.
func intoProfile(img *vips.ImageRef, kind pictureFormat, strip bool, origin *Photo, bits int) (done func(), err error) {
	done = func() {}
	if origin.profile == nil {
		return done, nil
	}
	if strip || !slices.Contains(keepsProfile, kind.name) {
		origin.Notes = append(origin.Notes, "its colours become sRGB, which may be fewer: "+kind.name+" is written here without the ICC profile")
		return done, nil
	}
	file, err := os.CreateTemp("", "nstfilter-*.icc") // govips takes profiles from files
	if err != nil {
		return done, err
	}
	done = func() { os.Remove(file.Name()) }
	_, err = file.Write(origin.profile)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = toProfile(img, origin.file, file.Name(), bits)
	}
	return done, err
}
