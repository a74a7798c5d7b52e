package main

import (
	"image"
	"math"
)

// Canvas holds paint: its colour, and its height for the light to fall on.
// Painters work in units of the short side: x in [0, W/short), y in [0, H/short).
type Canvas struct {
	W, H   int
	Unit   float64 // pixels in one unit
	Colour []Colour
	Relief []float64 // height of the paint, pixels
}

// NewCanvas is wide by high in proportion, size pixels on its longer side.
func NewCanvas(size int, wide, high float64, ground Colour) *Canvas {
	k := float64(size) / max(wide, high)
	w, h := int(math.Round(wide*k)), int(math.Round(high*k))
	c := &Canvas{W: w, H: h, Unit: float64(min(w, h)), Colour: make([]Colour, w*h), Relief: make([]float64, w*h)}
	for i := range c.Colour {
		c.Colour[i] = ground
	}
	return c
}

// Width and Height in units.
func (c *Canvas) Width() float64  { return float64(c.W) / c.Unit }
func (c *Canvas) Height() float64 { return float64(c.H) / c.Unit }

// Fill calls paint at the centre of every pixel, in units.
func (c *Canvas) Fill(paint func(x, y float64, under Colour) Colour) {
	for y := range c.H {
		for x := range c.W {
			i := y*c.W + x
			c.Colour[i] = paint((float64(x)+0.5)/c.Unit, (float64(y)+0.5)/c.Unit, c.Colour[i])
		}
	}
}

// Weave presses a linen canvas through the paint.
func (c *Canvas) Weave(seed Noise, threads, depth float64) {
	for y := range c.H {
		for x := range c.W {
			u, v := float64(x)/c.Unit*threads, float64(y)/c.Unit*threads
			u += 0.4 * seed.At(u/9, v/3)
			v += 0.4 * (seed+1).At(u/3, v/9)
			over := math.Abs(math.Sin(math.Pi*u)) - math.Abs(math.Sin(math.Pi*v))
			if (int(math.Floor(u))+int(math.Floor(v)))%2 == 0 {
				over = -over
			}
			c.Relief[y*c.W+x] += depth * over * (1 + 0.5*(seed+2).At(u/7, v/7))
		}
	}
}

// Light shades the relief from the upper left; gloss adds the shine of oil.
func (c *Canvas) Light(strength, gloss float64) {
	height := func(x, y int) float64 {
		return c.Relief[min(max(y, 0), c.H-1)*c.W+min(max(x, 0), c.W-1)]
	}
	for y := range c.H {
		for x := range c.W {
			slope := (height(x-1, y) - height(x+1, y)) + 1.2*(height(x, y-1)-height(x, y+1))
			lit := -math.Tanh(slope * 0.5) // facing the light: rising to the right and down
			i := y*c.W + x
			p := c.Colour[i].Scale(1 + strength*lit)
			shine := gloss * math.Pow(max(lit, 0), 3)
			c.Colour[i] = p.Mix(Colour{1, 0.98, 0.94}, clamp(shine, 0, 0.6)).clamp()
		}
	}
}

// Image rounds to 8 bits.
func (c *Canvas) Image() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, c.W, c.H))
	for i, p := range c.Colour {
		p = p.clamp()
		m.Pix[4*i] = byte(255*p.R + 0.5)
		m.Pix[4*i+1] = byte(255*p.G + 0.5)
		m.Pix[4*i+2] = byte(255*p.B + 0.5)
		m.Pix[4*i+3] = 255
	}
	return m
}
