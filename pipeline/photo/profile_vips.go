//go:build cgo && !novips

package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/davidbyttow/govips/v2/vips"

	"nstfilter/filter"
)

// keepsProfile are the formats that are written with a colour profile: libvips writes none to
// GIF and JPEG 2000, and govips lets it write none to WebP.
var keepsProfile = []string{"jpeg", "png", "tiff", "heif", "avif", "jxl"}

// wideProfile returns the profile of an RGB picture if it is another than sRGB's, and one that
// pictures can be converted to.
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
	if primaries, ok := profilePrimaries(profile); !ok || nearSRGB(primaries) {
		return nil
	}
	return profile
}

// profilePrimaries returns the primaries of a profile, XYZ of red, green and blue with the white
// of D50, if it says its colours by them, as those of Display P3, Adobe RGB, ProPhoto and Rec.
// 2020 do (ICC.1:2022, sections 7.2.5, 7.3 and 10.31). A scanner's table leads one way only.
func profilePrimaries(profile []byte) (out [9]float64, ok bool) {
	const class, table, entry, header = 12, 128, 12, 8
	if len(profile) < table+4 || !slices.Contains([]string{"mntr", "spac"}, string(profile[class:class+4])) {
		return out, false
	}
	found := 0
	for at := table + 4; at+entry <= len(profile) && at < table+4+entry*int(min(binary.BigEndian.Uint32(profile[table:]), 1000)); at += entry {
		k := slices.Index([]string{"rXYZ", "gXYZ", "bXYZ"}, string(profile[at:at+4]))
		offset := int64(binary.BigEndian.Uint32(profile[at+4:])) + header
		if k < 0 || offset+12 > int64(len(profile)) {
			continue
		}
		for i := range 3 {
			out[3*k+i] = float64(int32(binary.BigEndian.Uint32(profile[offset+4*int64(i):]))) / 65536
		}
		found++
	}
	return out, found == 3
}

// nearSRGB reports whether primaries are those of sRGB (IEC 61966-2-1), adapted to D50.
func nearSRGB(primaries [9]float64) bool {
	for i, v := range [9]float64{0.4360, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141} {
		if math.Abs(primaries[i]-v) > 0.004 {
			return false
		}
	}
	return true
}

// Convert returns f with its picture in the colours of a profile, of Profile. Colours that it
// lacks are clipped.
func Convert(f *filter.Frame, profile []byte) (*filter.Frame, error) {
	from := Profile(f)
	if bytes.Equal(from, profile) {
		return f, nil
	}
	srgb, err := srgbProfile()
	if err != nil {
		return nil, err
	}
	if from == nil {
		from = srgb
	}
	if profile == nil {
		profile = srgb
	}
	opaque := *f
	opaque.Alpha = nil
	pix, bands := packSamples(&opaque, 16, false, binary.LittleEndian)
	img, err := vips.NewImageFromBuffer(wrapTIFF(pix, f.W, f.H, bands, 16, nil))
	if err != nil {
		return nil, firstLine(err)
	}
	defer img.Close()
	err = withProfile(from, func(from string) error {
		return withProfile(profile, func(to string) error { return img.TransformICCProfileWithFallback(to, from) })
	})
	if err != nil {
		return nil, fmt.Errorf("a colour profile cannot be converted: %w", firstLine(err))
	}
	raw, err := img.ToBytes()
	if err != nil {
		return nil, firstLine(err)
	}
	g := filter.NewFrame(f.W, f.H)
	n := f.W * f.H
	for p := range n {
		for b := range 3 {
			g.Pix[b*n+p] = float32(binary.NativeEndian.Uint16(raw[2*(3*p+b):])) / 65535
		}
	}
	return f.With(g.Pix), nil
}

// fromProfile brings a painted picture that is in its own colours into sRGB where its format,
// or the option strip, keeps no profile. A note says so.
func fromProfile(img *vips.ImageRef, kind pictureFormat, strip bool, origin *Photo) error {
	if origin.profile == nil || !strip && slices.Contains(keepsProfile, kind.name) {
		return nil
	}
	origin.Notes = append(origin.Notes, "its colours become sRGB, which may be fewer: "+kind.name+" is written here without the ICC profile")
	if err := withSRGB(img.TransformICCProfile); err != nil || !strip {
		return err
	}
	if err := img.RemoveMetadata(); err != nil {
		return err
	}
	return img.RemoveICCProfile()
}
