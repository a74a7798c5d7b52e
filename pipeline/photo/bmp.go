package photo

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/bmp"
)

// decodeBMP decodes a BMP. Of 32 bits a pixel, the last 8 are alpha if any pixel has them,
// as other programs take them, though the older header does not say so.
func decodeBMP(data []byte) (image.Image, error) {
	if config, err := bmp.DecodeConfig(bytes.NewReader(data)); err != nil {
		return nil, errDamaged(err)
	} else if err := checkSize(config.Width, config.Height); err != nil {
		return nil, err
	}
	img, err := bmp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, errDamaged(err)
	}
	out, ok := img.(*image.NRGBA)
	const olderHeader = 40 // bytes
	if !ok || binary.LittleEndian.Uint32(data[14:]) != olderHeader || binary.LittleEndian.Uint16(data[28:]) != 32 {
		return img, nil
	}
	pixels := data[binary.LittleEndian.Uint32(data[10:]):]
	w, h := out.Rect.Dx(), out.Rect.Dy()
	if len(pixels) < 4*w*h {
		return img, nil
	}
	upward := int32(binary.LittleEndian.Uint32(data[22:])) > 0
	used := false
	for i := 3; i < 4*w*h; i += 4 {
		used = used || pixels[i] != 0
	}
	if !used {
		return img, nil
	}
	for y := range h {
		row := pixels[4*w*y:]
		if upward {
			row = pixels[4*w*(h-1-y):]
		}
		for x := range w {
			out.Pix[y*out.Stride+4*x+3] = row[4*x+3]
		}
	}
	return img, nil
}
