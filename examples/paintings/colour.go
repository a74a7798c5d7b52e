package main

import (
	"math"
	"math/rand/v2"
)

// Colour is sRGB-coded, in [0,1].
type Colour struct{ R, G, B float64 }

func hex(v uint32) Colour {
	return Colour{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

func (c Colour) Mix(d Colour, t float64) Colour {
	return Colour{lerp(c.R, d.R, t), lerp(c.G, d.G, t), lerp(c.B, d.B, t)}
}

func (c Colour) Scale(k float64) Colour { return Colour{c.R * k, c.G * k, c.B * k} }

// Glaze is c seen through d: what watercolour and stained glass do.
func (c Colour) Glaze(d Colour, t float64) Colour {
	return Colour{c.R * lerp(1, d.R, t), c.G * lerp(1, d.G, t), c.B * lerp(1, d.B, t)}
}

func (c Colour) Luma() float64 { return 0.3*c.R + 0.59*c.G + 0.11*c.B }

// Saturate moves c away from its gray for k > 1.
func (c Colour) Saturate(k float64) Colour {
	y := c.Luma()
	return Colour{y, y, y}.Mix(c, k)
}

// Jitter shifts lightness and hue as a brush picks up uneven paint.
func (c Colour) Jitter(r *rand.Rand, light, hue float64) Colour {
	l := 1 + light*r.NormFloat64()
	c = Colour{c.R*l + hue*r.NormFloat64(), c.G*l + hue*r.NormFloat64()*0.7, c.B*l + hue*r.NormFloat64()}
	return c.clamp()
}

func (c Colour) clamp() Colour {
	return Colour{clamp(c.R, 0, 1), clamp(c.G, 0, 1), clamp(c.B, 0, 1)}
}

// Ramp runs through colours evenly for t in [0,1].
type Ramp []Colour

func ramp(values ...uint32) Ramp {
	var r Ramp
	for _, v := range values {
		r = append(r, hex(v))
	}
	return r
}

func (r Ramp) At(t float64) Colour {
	t = clamp(t, 0, 1) * float64(len(r)-1)
	i := min(int(math.Floor(t)), len(r)-2)
	return r[i].Mix(r[i+1], t-float64(i))
}

// Pick is one of the colours, by a number in [0,1).
func (r Ramp) Pick(u float64) Colour { return r[int(u*float64(len(r)))%len(r)] }
