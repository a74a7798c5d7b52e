//go:build cgo && !novips

package photo

import (
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// saver is the encoder of one format, with its options set.
type saver struct {
	bits   int  // of the samples that it takes, 8 or 16
	depth  int  // of the samples that it stores, where bits do not decide that: HEIF and AVIF
	strip  bool // no metadata
	knobs  map[string]knob
	ready  func() error // sets what depends on several options; nil if nothing does
	export func(*vips.ImageRef) ([]byte, error)
}

// saverFormats lists the formats by name. set adds a format's options and its export.
var saverFormats = map[string]struct {
	kind vips.ImageType
	set  func(*saver)
}{
	"jpeg": {vips.ImageTypeJPEG, (*saver).setJPEG},
	"png":  {vips.ImageTypePNG, (*saver).setPNG},
	"tiff": {vips.ImageTypeTIFF, (*saver).setTIFF},
	"webp": {vips.ImageTypeWEBP, (*saver).setWebP},
	"heif": {vips.ImageTypeHEIF, (*saver).setHEIF},
	"avif": {vips.ImageTypeAVIF, (*saver).setAVIF},
	"jxl":  {vips.ImageTypeJXL, (*saver).setJXL},
	"jp2k": {vips.ImageTypeJP2K, (*saver).setJP2K},
	"gif":  {vips.ImageTypeGIF, (*saver).setGIF},
}

func writable(f pictureFormat) error {
	if err := startVips(); err != nil {
		return err
	}
	saver, ok := saverFormats[f.name]
	if !ok || !vips.IsTypeSupported(saver.kind) {
		if !ok {
			return fmt.Errorf("this libvips writes no %s; write PNG or JPEG and convert it", f.name)
		}
		return fmt.Errorf("this libvips writes no %s: install %s, or write PNG or JPEG and convert it", f.name, packagesFor(f.name))
	}
	return nil
}

// newSaver returns the encoder of a format with the options of text. bits are those of the
// picture that was read.
func newSaver(f pictureFormat, text string, bits int) (*saver, error) {
	s := &saver{bits: 8, depth: 8}
	if f.deep {
		s.bits = bits
	}
	s.knobs = map[string]knob{"strip": boolKnob(&s.strip)}
	saverFormats[f.name].set(s)
	if err := setKnobs(f, text, s.knobs); err != nil {
		return nil, err
	}
	if s.ready != nil {
		if err := s.ready(); err != nil {
			return nil, err
		}
	}
	switch {
	case s.depth > 8:
		s.bits = 16
	case f.name == "heif" || f.name == "avif":
		s.bits = 8
	}
	return s, nil
}

var chromaSampling = map[string]vips.SubsampleMode{
	"auto": vips.VipsForeignSubsampleAuto, "on": vips.VipsForeignSubsampleOn, "off": vips.VipsForeignSubsampleOff,
}

// bitDepth is the option of formats that store 8 or 16 bits a sample.
func (s *saver) bitDepth() knob { return choiceKnob(&s.bits, map[string]int{"8": 8, "16": 16}) }

func (s *saver) setJPEG() {
	p := vips.NewJpegExportParams()
	p.Quality, p.Interlace, p.OptimizeCoding = 92, false, true
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["interlace"] = boolKnob(&p.Interlace)
	s.knobs["optimize-coding"] = boolKnob(&p.OptimizeCoding)
	s.knobs["subsample-mode"] = choiceKnob(&p.SubsampleMode, chromaSampling)
	s.knobs["trellis-quant"] = boolKnob(&p.TrellisQuant)
	s.knobs["overshoot-deringing"] = boolKnob(&p.OvershootDeringing)
	s.knobs["optimize-scans"] = boolKnob(&p.OptimizeScans)
	s.knobs["quant-table"] = intKnob(&p.QuantTable, 0, 8)
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		p.StripMetadata = s.strip
		data, _, err := img.ExportJpeg(p)
		return data, err
	}
}

func (s *saver) setPNG() {
	p := vips.NewPngExportParams()
	p.Filter = vips.PngFilterAll
	s.knobs["compression"] = intKnob(&p.Compression, 0, 9)
	s.knobs["interlace"] = boolKnob(&p.Interlace)
	s.knobs["palette"] = boolKnob(&p.Palette)
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["dither"] = floatKnob(&p.Dither, 0, 1)
	s.knobs["bitdepth"] = s.bitDepth()
	s.ready = func() error {
		if p.Palette {
			s.bits = 8
		} else if p.Quality != 0 || p.Dither != 0 {
			return errors.New("options Q and dither of png go with palette; without it PNG loses nothing")
		}
		return nil
	}
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		p.StripMetadata = s.strip
		data, _, err := img.ExportPng(p)
		return data, err
	}
}

func (s *saver) setTIFF() {
	p := vips.NewTiffExportParams()
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["compression"] = choiceKnob(&p.Compression, map[string]vips.TiffCompression{
		"none": vips.TiffCompressionNone, "jpeg": vips.TiffCompressionJpeg, "deflate": vips.TiffCompressionDeflate,
		"packbits": vips.TiffCompressionPackbits, "lzw": vips.TiffCompressionLzw, "webp": vips.TiffCompressionWebp, "zstd": vips.TiffCompressionZstd,
	})
	s.knobs["predictor"] = choiceKnob(&p.Predictor, map[string]vips.TiffPredictor{"none": vips.TiffPredictorNone, "horizontal": vips.TiffPredictorHorizontal})
	s.knobs["pyramid"] = boolKnob(&p.Pyramid)
	s.knobs["tile"] = boolKnob(&p.Tile)
	s.knobs["bitdepth"] = s.bitDepth()
	s.ready = func() error {
		if p.Compression == vips.TiffCompressionJpeg || p.Compression == vips.TiffCompressionWebp {
			s.bits = 8
		}
		return nil
	}
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		p.StripMetadata = s.strip
		data, _, err := img.ExportTiff(p)
		return data, err
	}
}

func (s *saver) setWebP() {
	p := vips.NewWebpExportParams()
	p.Quality = 90
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["lossless"] = boolKnob(&p.Lossless)
	s.knobs["near-lossless"] = boolKnob(&p.NearLossless)
	s.knobs["effort"] = intKnob(&p.ReductionEffort, 0, 6)
	s.knobs["reduction-effort"] = s.knobs["effort"]
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		p.StripMetadata = s.strip
		data, _, err := img.ExportWebp(p)
		return data, err
	}
}

func (s *saver) setHEIF() {
	p := vips.NewHeifExportParams()
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["lossless"] = boolKnob(&p.Lossless)
	s.knobs["effort"] = intKnob(&p.Effort, 1, 9)
	s.knobs["bitdepth"] = choiceKnob(&s.depth, map[string]int{"8": 8, "10": 10, "12": 12})
	s.ready = func() error {
		p.Bitdepth = s.depth
		return nil
	}
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		data, _, err := img.ExportHeif(p)
		return data, err
	}
}

func (s *saver) setAVIF() {
	p := vips.NewAvifExportParams()
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["lossless"] = boolKnob(&p.Lossless)
	s.knobs["effort"] = intKnob(&p.Effort, 1, 9)
	// At 10 bits libaom fails an assertion, which ends the process.
	s.knobs["bitdepth"] = choiceKnob(&s.depth, map[string]int{"8": 8, "12": 12})
	s.ready = func() error {
		p.Bitdepth = s.depth
		return nil
	}
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		p.StripMetadata = s.strip
		data, _, err := img.ExportAvif(p)
		return data, err
	}
}

func (s *saver) setJXL() {
	p := vips.NewJxlExportParams()
	quality := 0
	s.knobs["Q"] = intKnob(&quality, 1, 100)
	s.knobs["distance"] = floatKnob(&p.Distance, 0, 15)
	s.knobs["lossless"] = boolKnob(&p.Lossless)
	s.knobs["effort"] = intKnob(&p.Effort, 3, 9)
	s.knobs["tier"] = intKnob(&p.Tier, 0, 4)
	s.ready = func() error {
		if quality != 0 { // govips always passes a distance, which hides Q
			p.Distance = jxlDistance(float64(quality))
		}
		return nil
	}
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		data, _, err := img.ExportJxl(p)
		return data, err
	}
}

func (s *saver) setJP2K() {
	p := vips.NewJp2kExportParams()
	s.knobs["Q"] = intKnob(&p.Quality, 1, 100)
	s.knobs["lossless"] = boolKnob(&p.Lossless)
	s.knobs["subsample-mode"] = choiceKnob(&p.SubsampleMode, chromaSampling)
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		data, _, err := img.ExportJp2k(p)
		return data, err
	}
}

func (s *saver) setGIF() {
	p := vips.NewGifExportParams()
	s.knobs["dither"] = floatKnob(&p.Dither, 0, 1)
	s.knobs["effort"] = intKnob(&p.Effort, 1, 10)
	s.knobs["bitdepth"] = intKnob(&p.Bitdepth, 1, 8)
	s.export = func(img *vips.ImageRef) ([]byte, error) {
		data, _, err := img.ExportGIF(p)
		return data, err
	}
}

// jxlDistance returns the distance that libvips takes for a quality (jxlsave.c, after cjxl).
func jxlDistance(q float64) float64 {
	if q >= 30 {
		return 0.1 + (100-q)*0.09
	}
	return 53.0/3000*q*q - 23.0/20*q + 25
}
