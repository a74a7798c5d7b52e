package faces

import (
	_ "embed"
	"fmt"
	"math"

	pigo "github.com/esimov/pigo/core"

	"nstfilter/filter"
)

//go:embed facefinder
var cascade []byte

// Face is a face in a picture, in pixels.
type Face struct {
	X, Y float64 // of its middle, between the eyes and the mouth
	Size float64 // from the brows to the chin, about
	Q    float64 // how sure it is; a few faces that are none have more than sure
}

// sure is the least Q of what counts as a face by itself, and likely of what does where a face
// was in the frame before.
const (
	sure   = 15
	likely = 3
)

// longestSide is that of the picture in which faces are looked for, leastFace the smallest face
// there, both in pixels.
const (
	longestSide = 800
	leastFace   = 24
)

// Detector finds faces. It must not be used by two goroutines at once.
type Detector struct {
	cascade *pigo.Pigo
	grey    []uint8
}

// NewDetector returns a Detector.
func NewDetector() (*Detector, error) {
	c, err := pigo.NewPigo().Unpack(cascade)
	if err != nil {
		return nil, fmt.Errorf("the cascade that finds faces: %w", err)
	}
	return &Detector{cascade: c}, nil
}

// Find returns the faces in f that are at least likely, in no order.
func (d *Detector) Find(f *filter.Frame) []Face {
	k := min(1, longestSide/float64(max(f.W, f.H)))
	small := f.Resized(max(1, int(math.Round(float64(f.W)*k))), max(1, int(math.Round(float64(f.H)*k))))
	n := small.W * small.H
	if len(d.grey) != n {
		d.grey = make([]uint8, n)
	}
	for i := range d.grey {
		luma := 0.2126*small.Pix[i] + 0.7152*small.Pix[n+i] + 0.0722*small.Pix[2*n+i]
		d.grey[i] = uint8(min(max(luma, 0), 1)*255 + 0.5)
	}
	found := d.cascade.RunCascade(pigo.CascadeParams{
		MinSize: leastFace, MaxSize: min(small.W, small.H), ShiftFactor: 0.1, ScaleFactor: 1.1,
		ImageParams: pigo.ImageParams{Pixels: d.grey, Rows: small.H, Cols: small.W, Dim: small.W},
	}, 0)
	var faces []Face
	for _, c := range d.cascade.ClusterDetections(found, 0.2) {
		if c.Q >= likely {
			faces = append(faces, Face{X: (float64(c.Col) + 0.5) / k, Y: (float64(c.Row) + 0.5) / k, Size: float64(c.Scale) / k, Q: float64(c.Q)})
		}
	}
	return faces
}
