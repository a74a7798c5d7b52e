//go:build cgo && !novips

package photo

import (
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"
)

// A saver is one format's encoder with its options set.
type saver struct {
	bits   int  // of the samples it wants
	strip  bool // no metadata
	export func(*vips.ImageRef) ([]byte, error)
}

var saved = map[string]vips.ImageType{
	"jpeg": vips.ImageTypeJPEG, "png": vips.ImageTypePNG, "tiff": vips.ImageTypeTIFF, "webp": vips.ImageTypeWEBP,
	"heif": vips.ImageTypeHEIF, "avif": vips.ImageTypeAVIF, "jxl": vips.ImageTypeJXL, "jp2k": vips.ImageTypeJP2K, "gif": vips.ImageTypeGIF,
}

func writable(f format) error {
	if err := start(); err != nil {
		return err
	}
	kind, ok := saved[f.name]
	if !ok || !vips.IsTypeSupported(kind) {
		return fmt.Errorf("this libvips writes no %s; write PNG or JPEG and convert it", f.name)
	}
	return nil
}

func newSaver(f format, text string, bits int) (*saver, error) {
	s := &saver{bits: 8}
	if f.deep {
		s.bits = bits
	}
	knobs := map[string]knob{"strip": flag(&s.strip)}
	sampling := map[string]vips.SubsampleMode{
		"auto": vips.VipsForeignSubsampleAuto, "on": vips.VipsForeignSubsampleOn, "off": vips.VipsForeignSubsampleOff,
	}
	depth := 8 // of the two that are not what the samples have: HEIF, AVIF
	deep := choice(&s.bits, map[string]int{"8": 8, "16": 16})
	var ready func() error // what depends on several options
	switch f.name {
	case "jpeg":
		p := vips.NewJpegExportParams()
		p.Quality, p.Interlace, p.OptimizeCoding = 92, false, true
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["interlace"] = flag(&p.Interlace)
		knobs["optimize-coding"] = flag(&p.OptimizeCoding)
		knobs["subsample-mode"] = choice(&p.SubsampleMode, sampling)
		knobs["trellis-quant"] = flag(&p.TrellisQuant)
		knobs["overshoot-deringing"] = flag(&p.OvershootDeringing)
		knobs["optimize-scans"] = flag(&p.OptimizeScans)
		knobs["quant-table"] = integer(&p.QuantTable, 0, 8)
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			p.StripMetadata = s.strip
			data, _, err := img.ExportJpeg(p)
			return data, err
		}
	case "png":
		p := vips.NewPngExportParams()
		p.Filter = vips.PngFilterAll
		knobs["compression"] = integer(&p.Compression, 0, 9)
		knobs["interlace"] = flag(&p.Interlace)
		knobs["palette"] = flag(&p.Palette)
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["dither"] = real(&p.Dither, 0, 1)
		knobs["bitdepth"] = deep
		ready = func() error {
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
	case "tiff":
		p := vips.NewTiffExportParams()
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["compression"] = choice(&p.Compression, map[string]vips.TiffCompression{
			"none": vips.TiffCompressionNone, "jpeg": vips.TiffCompressionJpeg, "deflate": vips.TiffCompressionDeflate,
			"packbits": vips.TiffCompressionPackbits, "lzw": vips.TiffCompressionLzw, "webp": vips.TiffCompressionWebp, "zstd": vips.TiffCompressionZstd,
		})
		knobs["predictor"] = choice(&p.Predictor, map[string]vips.TiffPredictor{"none": vips.TiffPredictorNone, "horizontal": vips.TiffPredictorHorizontal})
		knobs["pyramid"] = flag(&p.Pyramid)
		knobs["tile"] = flag(&p.Tile)
		knobs["bitdepth"] = deep
		ready = func() error {
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
	case "webp":
		p := vips.NewWebpExportParams()
		p.Quality = 90
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["lossless"] = flag(&p.Lossless)
		knobs["near-lossless"] = flag(&p.NearLossless)
		knobs["effort"] = integer(&p.ReductionEffort, 0, 6)
		knobs["reduction-effort"] = knobs["effort"]
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			p.StripMetadata = s.strip
			data, _, err := img.ExportWebp(p)
			return data, err
		}
	case "heif":
		p := vips.NewHeifExportParams()
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["lossless"] = flag(&p.Lossless)
		knobs["effort"] = integer(&p.Effort, 1, 9)
		knobs["bitdepth"] = choice(&depth, map[string]int{"8": 8, "10": 10, "12": 12})
		ready = func() error {
			p.Bitdepth = depth
			return nil
		}
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			data, _, err := img.ExportHeif(p)
			return data, err
		}
	case "avif":
		p := vips.NewAvifExportParams()
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["lossless"] = flag(&p.Lossless)
		knobs["effort"] = integer(&p.Effort, 1, 9)
		// At 10 bits libaom fails an assertion, which ends the process.
		knobs["bitdepth"] = choice(&depth, map[string]int{"8": 8, "12": 12})
		ready = func() error {
			p.Bitdepth = depth
			return nil
		}
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			p.StripMetadata = s.strip
			data, _, err := img.ExportAvif(p)
			return data, err
		}
	case "jxl":
		p := vips.NewJxlExportParams()
		quality := 0
		knobs["Q"] = integer(&quality, 1, 100)
		knobs["distance"] = real(&p.Distance, 0, 15)
		knobs["lossless"] = flag(&p.Lossless)
		knobs["effort"] = integer(&p.Effort, 3, 9)
		knobs["tier"] = integer(&p.Tier, 0, 4)
		ready = func() error {
			if quality != 0 { // govips always passes a distance, which hides Q
				p.Distance = jxlDistance(float64(quality))
			}
			return nil
		}
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			data, _, err := img.ExportJxl(p)
			return data, err
		}
	case "jp2k":
		p := vips.NewJp2kExportParams()
		knobs["Q"] = integer(&p.Quality, 1, 100)
		knobs["lossless"] = flag(&p.Lossless)
		knobs["subsample-mode"] = choice(&p.SubsampleMode, sampling)
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			data, _, err := img.ExportJp2k(p)
			return data, err
		}
	case "gif":
		p := vips.NewGifExportParams()
		knobs["dither"] = real(&p.Dither, 0, 1)
		knobs["effort"] = integer(&p.Effort, 1, 10)
		knobs["bitdepth"] = integer(&p.Bitdepth, 1, 8)
		s.export = func(img *vips.ImageRef) ([]byte, error) {
			data, _, err := img.ExportGIF(p)
			return data, err
		}
	default:
		panic("photo: no saver for " + f.name)
	}
	if err := turn(f, text, knobs); err != nil {
		return nil, err
	}
	if ready != nil {
		if err := ready(); err != nil {
			return nil, err
		}
	}
	switch {
	case depth > 8:
		s.bits = 16
	case f.name == "heif" || f.name == "avif":
		s.bits = 8
	}
	return s, nil
}

// jxlDistance is libvips's own rule, jxlsave.c, after cjxl.
func jxlDistance(q float64) float64 {
	if q >= 30 {
		return 0.1 + (100-q)*0.09
	}
	return 53.0/3000*q*q - 23.0/20*q + 25
}
