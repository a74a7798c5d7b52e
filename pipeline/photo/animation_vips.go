//go:build cgo && !novips

package photo

import (
	"fmt"
	"os"

	"github.com/davidbyttow/govips/v2/vips"
)

// ReadAnimation decodes an animated WebP.
func ReadAnimation(path string) (*Animation, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, ExplainFileError(path, err)
	}
	a, err := decodeAnimation(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func decodeAnimation(data []byte) (*Animation, error) {
	if err := startVips(); err != nil {
		return nil, err
	}
	params := vips.NewImportParams()
	params.NumPages.Set(-1)
	params.FailOnError.Set(true)
	img, err := vips.LoadImageFromBuffer(data, params)
	if err != nil {
		return nil, errDamaged(firstLine(err))
	}
	defer img.Close()
	if err := checkSize(img.Width(), img.Height()); err != nil { // of all frames, one below the other
		return nil, fmt.Errorf("all its frames together: %w", err)
	}
	a := &Animation{W: img.Width(), H: img.PageHeight()}
	if a.Delays, err = img.PageDelay(); err == nil {
		err = toSRGB(img, 8)
	}
	if err == nil {
		a.samples, err = img.ToBytes()
	}
	if err != nil {
		return nil, errDamaged(firstLine(err))
	}
	a.bands = img.Bands()
	for i := 3; a.bands == 4 && i < len(a.samples) && !a.Alpha; i += 4 {
		a.Alpha = a.samples[i] < 255
	}
	if n := img.Height() / a.H; len(a.Delays) != n {
		return nil, fmt.Errorf("%d delays for %d frames; export the animation again", len(a.Delays), n)
	}
	return a, nil
}
