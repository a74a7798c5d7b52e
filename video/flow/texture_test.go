package flow

import (
	"math"

	"nstfilter/filter"
)

// motion says where the point that the first picture shows at (x, y) came from,
// about the picture's middle.
type motion func(x, y float64) (float64, float64)

func still(x, y float64) (float64, float64) { return x, y }

// texture is a picture of waves in many directions, of 5 to 40 pixels, moved.
func texture(w, h int, m motion) *filter.Frame {
	f := filter.NewFrame(w, h)
	n := w * h
	for y := range h {
		for x := range w {
			px, py := m(float64(x)-float64(w-1)/2, float64(y)-float64(h-1)/2)
			s := 0.5
			for k := range 24 {
				angle := 2.4 * float64(k)
				length := 5 * math.Pow(1.09, float64(k))
				s += 0.05 * math.Sin(2*math.Pi*(px*math.Cos(angle)+py*math.Sin(angle))/length+float64(k*k))
			}
			i := y*w + x
			f.Pix[i], f.Pix[n+i], f.Pix[2*n+i] = float32(s), float32(s), float32(s)
		}
	}
	return f
}
