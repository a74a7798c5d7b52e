package main

import (
	"math"
	"math/rand/v2"
)

// scream: a burning sky in long waves over a dark fjord, a jetty across, thin
// tempera over board.
func scream(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 2))
	noise := Noise(seed * 77)
	b := NewBrush(NewCanvas(size, 5, 4, hex(0xb98a58)))

	shore := func(x float64) float64 { return 0.40 + 0.035*math.Sin(5*x+1) + 0.06*step(0.6, 1.25, x) }
	far := Point{-0.12, 0.40} // where the jetty's lines meet
	wave := func(x, y float64) float64 {
		a := 0.055*math.Sin(5.2*x+1.3+4*y) + 0.03*math.Sin(11*x-7*y) + 0.05*noise.At(2.1*x, 3*y)
		d := math.Hypot(x-1.02, (y-0.60)*1.1)
		return y + a*(1.2-0.6*y) + 0.34*math.Exp(-d*d*14)*step(0.25, 0.5, y)
	}
	const (
		sky = iota
		water
		deck
	)
	part := func(x, y float64) int {
		switch {
		case y > rail(x, 0):
			return deck
		case y > shore(x):
			return water
		}
		return sky
	}
	field := func(x, y float64) float64 {
		if part(x, y) == deck {
			return math.Atan2(y-far.Y, x-far.X) + 0.06*noise.At(6*x, 6*y)
		}
		const e = 0.004
		return math.Atan2(-(wave(x+e, y) - wave(x-e, y)), wave(x, y+e)-wave(x, y-e))
	}
	reds := ramp(0xd8331b, 0xf0671c, 0xf7a11f, 0xf6d04a, 0xee7b1d, 0xc4281c, 0x9c2b2a, 0xe8551b, 0xf9b936, 0xb8cdbf, 0x5f8fae, 0xe0641f)
	blues := ramp(0x142a45, 0x1d4a60, 0x2f6f70, 0x18304e, 0x7c9a62, 0x234f78, 0x0f1e36, 0x3c8290, 0xb98a4a, 0x1c3a5a)
	browns := ramp(0x6b3a26, 0x8c5530, 0x3f2a2a, 0xa9713c, 0x553430, 0xc08a4c, 0x2e2b3a)
	colour := func(x, y float64) Colour {
		switch part(x, y) {
		case deck:
			v := 4.6*math.Atan2(y-far.Y, x-far.X) + 0.25*noise.At(2*x, 9*y)
			return browns.At(v - math.Floor(v))
		case water:
			v := wave(x, y)*4.2 + 0.12*noise.Fractal(4*x, 7*y, 2)
			return blues.At(v - math.Floor(v))
		}
		v := wave(x, y)*2.9 + 0.10*noise.Fractal(3*x, 8*y, 2) + 0.35
		c := reds.At(v - math.Floor(v))
		return c.Mix(hex(0xf9dc6a), 0.5*bump(0.37, 0.09, y))
	}
	for _, l := range []Layer{
		{Radius: 0.030, Length: 0.50, Density: 0.16, Body: 1.0, Dry: 0.4, Light: 0.06, Hue: 0.02},
		{Radius: 0.013, Length: 0.42, Density: 0.09, Body: 1.4, Dry: 0.8, Light: 0.11, Hue: 0.035},
		{Radius: 0.0065, Length: 0.32, Density: 0.06, Body: 1.5, Dry: 1.0, Light: 0.16, Hue: 0.045},
		{Radius: 0.0032, Length: 0.22, Density: 0.012, Body: 1.2, Dry: 1.0, Light: 0.25, Hue: 0.05},
	} {
		l.Field, l.Colour = field, colour
		b.Paint(r, l)
	}
	rails(b, r)
	walkers(b, r)
	b.Weave(noise+5, 190, 0.22)
	b.Light(0.22, 0.05)
	return b.Canvas
}

// rail is the height of the jetty's edge, or of a rail so much above it at x = 1.
func rail(x, above float64) float64 { return 0.455 + 0.52*x - above*(0.25+0.75*x) }

// rails: three lines that run into the depth.
func rails(b *Brush, r *rand.Rand) {
	for _, above := range []float64{0.155, 0.085, 0.012} {
		for range 16 {
			from, long := -0.1+1.2*r.Float64(), 0.2+0.4*r.Float64()
			offset := 0.010 * r.NormFloat64()
			var path []Point
			for t := range 30 {
				x := from + float64(t)/30*long
				path = append(path, Point{x, rail(x, above+offset)})
			}
			c := ramp(0x5a2e24, 0x3a2430, 0xc9803f, 0x8a4528, 0xb03a22, 0x2a2036).Pick(r.Float64())
			b.Stroke(Stroke{Path: path, Radius: 0.003 + 0.010*(0.3+from)*r.Float64(), Colour: c, Second: c.Jitter(r, 0.2, 0.05), Body: 1.5, Dry: r.Float64(), Seed: Noise(r.Uint64())})
		}
	}
}

// walkers: two dark figures far along the jetty.
func walkers(b *Brush, r *rand.Rand) {
	stroke := func(radius, dry float64, c, second Colour, path ...Point) {
		b.Stroke(Stroke{Path: path, Radius: radius, Colour: c, Second: second, Body: 1.6, Dry: dry, Seed: Noise(r.Uint64())})
	}
	coats := ramp(0x16182c, 0x24304a, 0x2c1f2a, 0x1c2a3c)
	for _, x := range []float64{0.10, 0.165} {
		foot := rail(x, 0) + 0.075
		for range 26 {
			dx := 0.011 * clamp(r.NormFloat64(), -1.5, 1.5)
			stroke(0.004+0.003*r.Float64(), 0.5, coats.Pick(r.Float64()), hex(0x3b4a62),
				Point{x + dx*1.2, foot}, Point{x + dx*0.9, foot - 0.06}, Point{x + dx*0.8, foot - 0.10}, Point{x + dx*0.4, foot - 0.135})
		}
		stroke(0.010, 0, hex(0xb8875a), hex(0x7a4a38), Point{x, foot - 0.148}, Point{x + 0.001, foot - 0.156})
		stroke(0.004, 0, hex(0x14162a), hex(0x2a2f48), Point{x - 0.015, foot - 0.163}, Point{x + 0.015, foot - 0.164})
		stroke(0.008, 0, hex(0x14162a), hex(0x2a2f48), Point{x - 0.003, foot - 0.170}, Point{x + 0.003, foot - 0.171})
	}
}
