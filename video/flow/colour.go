package flow

import (
	"image"
	"image/color"
	"math"
)

// wheel is the colour circle of Baker et al. 2011 (IJCV 92), appendix: hues by
// direction, with more steps where the eye tells more apart.
var wheel = func() (w [][3]float64) {
	for _, s := range []struct {
		steps     int
		from, add [3]float64
	}{
		{15, [3]float64{1, 0, 0}, [3]float64{0, 1, 0}},  // red to yellow
		{6, [3]float64{1, 1, 0}, [3]float64{-1, 0, 0}},  // to green
		{4, [3]float64{0, 1, 0}, [3]float64{0, 0, 1}},   // to cyan
		{11, [3]float64{0, 1, 1}, [3]float64{0, -1, 0}}, // to blue
		{13, [3]float64{0, 0, 1}, [3]float64{1, 0, 0}},  // to magenta
		{6, [3]float64{1, 0, 1}, [3]float64{0, 0, -1}},  // to red
	} {
		for i := range s.steps {
			var c [3]float64
			for k := range c {
				c[k] = s.from[k] + s.add[k]*float64(i)/float64(s.steps)
			}
			w = append(w, c)
		}
	}
	return w
}()

// Colour shows f as Middlebury does: hue is direction, saturation is length as a
// part of longest, in pixels; 0 takes the longest of f. Longer ones are darkened,
// what is not known is black.
func Colour(f *Field, longest float64) *image.NRGBA {
	if longest <= 0 {
		for i, u := range f.U {
			if v := f.V[i]; isKnown(u, v) {
				longest = max(longest, math.Hypot(float64(u), float64(v)))
			}
		}
	}
	if longest == 0 {
		longest = 1
	}
	img := image.NewNRGBA(image.Rect(0, 0, f.W, f.H))
	for i, u := range f.U {
		c := color.NRGBA{A: 255}
		if v := f.V[i]; isKnown(u, v) {
			c = colourOf(float64(u)/longest, float64(v)/longest)
		}
		img.SetNRGBA(i%f.W, i/f.W, c)
	}
	return img
}

func colourOf(u, v float64) color.NRGBA {
	n := float64(len(wheel))
	length := math.Hypot(u, v)
	at := (math.Atan2(-v, -u)/math.Pi + 1) / 2 * (n - 1)
	k := int(at)
	part := at - float64(k)
	var c [3]uint8
	for i := range c {
		x := (1-part)*wheel[k][i] + part*wheel[(k+1)%len(wheel)][i]
		if length <= 1 {
			x = 1 - length*(1-x)
		} else {
			x *= 0.75
		}
		c[i] = uint8(255 * x)
	}
	return color.NRGBA{c[0], c[1], c[2], 255}
}
