package main

import (
	"math"
	"math/rand/v2"
)

// star is a lamp in the sky: Radius of its core, units.
type star struct {
	Point
	Radius float64
}

// night: a sky that flows around its stars, in thick oil.
func night(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 1))
	noise := Noise(seed * 101)
	b := NewBrush(NewCanvas(size, 5, 4, hex(0x1d2a52)))

	eddies := []struct {
		Point
		radius, spin float64
	}{
		{Point{0.60, 0.33}, 0.17, 1.5}, {Point{0.83, 0.43}, 0.12, -1.3}, {Point{0.28, 0.17}, 0.11, -1.0}, {Point{1.14, 0.56}, 0.09, 0.8},
	}
	stars := []star{
		{Point{1.08, 0.16}, 0.060}, {Point{0.40, 0.40}, 0.030}, {Point{0.44, 0.09}, 0.024}, {Point{0.66, 0.11}, 0.020},
		{Point{0.86, 0.21}, 0.026}, {Point{0.97, 0.37}, 0.022}, {Point{0.30, 0.60}, 0.028}, {Point{0.60, 0.60}, 0.021},
		{Point{1.19, 0.36}, 0.020}, {Point{0.09, 0.10}, 0.026}, {Point{0.82, 0.62}, 0.017},
	}
	hill := func(x float64) float64 {
		return 0.735 + 0.05*math.Sin(3.1*x+0.4) + 0.028*math.Sin(7.7*x+2) - 0.06*x
	}
	// Brushes follow the level lines of stream; its bands are the colours too.
	stream := func(x, y float64) float64 {
		v := y + 0.045*math.Sin(4.3*x+3*y) + 0.035*noise.At(3*x, 3*y)
		for _, e := range eddies {
			d := math.Hypot(x-e.X, y-e.Y) / e.radius
			v += e.spin * e.radius * 1.6 * math.Exp(-d*d*0.8)
		}
		for _, s := range stars {
			d := math.Hypot(x-s.X, y-s.Y) / s.Radius
			v = lerp(v, s.Y-0.9*d*s.Radius, math.Exp(-d*d*d/30)) // rings around it
		}
		return v
	}
	sky := func(x, y float64) float64 {
		const e = 0.004
		return math.Atan2(-(stream(x+e, y) - stream(x-e, y)), stream(x, y+e)-stream(x, y-e))
	}
	blues := ramp(0x142055, 0x1f3d86, 0x2f63a9, 0x4f93bd, 0x93c2c4, 0x2c5aa0, 0x1a2f70)
	skyColour := func(x, y float64) Colour {
		band := stream(x, y)*6.5 + 0.25*noise.Fractal(5*x, 5*y, 2)
		c := blues.At(band - math.Floor(band))
		c = c.Mix(hex(0xe8e2a6), 0.55*step(0.56, 0.74, y)*(0.6+0.4*noise.At(4*x, 14*y))) // glow on the horizon
		for _, e := range eddies {
			d := math.Hypot(x-e.X, y-e.Y) / e.radius
			arm := 0.5 + 0.5*math.Cos(math.Atan2(y-e.Y, x-e.X)*math.Copysign(1, e.spin)-5.5*d)
			c = c.Mix(hex(0xdbe6cf), 0.75*arm*math.Exp(-d*d*1.1))
		}
		for _, s := range stars {
			d := math.Hypot(x-s.X, y-s.Y) / s.Radius
			ring := 0.5 + 0.5*math.Cos(4.2*d)
			halo := hex(0xf2d049).Mix(hex(0x9cc7a0), step(1.2, 3.4, d)).Mix(hex(0xe98a1f), 0.5*ring*step(2.6, 0.9, d))
			c = c.Mix(halo, (0.45+0.55*ring)*step(4.3, 1.5, d))
			c = c.Mix(hex(0xfff3b0), step(1.25, 0.7, d))
		}
		return c
	}
	moon := stars[0]
	moonlit := func(x, y float64) Colour {
		c := skyColour(x, y)
		inner := math.Hypot(x-moon.X-0.028, y-moon.Y+0.004) / moon.Radius
		d := math.Hypot(x-moon.X, y-moon.Y) / moon.Radius
		if d < 1.05 && inner < 0.72 {
			c = hex(0xe79a2b)
		}
		return c
	}
	land := func(x, y float64) float64 {
		const e = 0.01
		return math.Atan2(hill(x+e)-hill(x-e), 2*e) + 0.9*noise.At(3.2*x, 6*y)*step(0, 0.12, y-hill(x))
	}
	greens := ramp(0x16264a, 0x23465f, 0x2f6b62, 0x6c9455, 0x2a5570, 0x1a3358)
	landColour := func(x, y float64) Colour {
		v := (y-hill(x))*9 + 0.7*noise.At(4*x, 5*y)
		c := greens.At(v - math.Floor(v))
		return c.Mix(hex(0x0f1836), 0.7*step(0.06, 0, y-hill(x))*step(0, 0.012, y-hill(x)))
	}
	ground := func(x, y float64) float64 { return step(-0.012, 0.012, y-hill(x)) }
	field := func(x, y float64) float64 {
		if y > hill(x) {
			return land(x, y)
		}
		return sky(x, y)
	}
	colour := func(x, y float64) Colour {
		if y > hill(x) {
			return landColour(x, y)
		}
		return moonlit(x, y)
	}
	for _, l := range []Layer{
		{Radius: 0.028, Length: 0.22, Density: 0.40, Body: 2.2, Dry: 0.3, Light: 0.10, Hue: 0.020},
		{Radius: 0.013, Length: 0.13, Density: 0.30, Body: 3.0, Dry: 0.7, Light: 0.15, Hue: 0.032},
		{Radius: 0.0075, Length: 0.075, Density: 0.28, Body: 3.0, Dry: 0.9, Light: 0.17, Hue: 0.035},
	} {
		l.Field, l.Colour = field, colour
		b.Paint(r, l)
	}
	// Lamps once more, small and thick.
	b.Paint(r, Layer{Radius: 0.0065, Length: 0.035, Density: 0.5, Body: 4.2, Dry: 0.3, Light: 0.07, Hue: 0.03, Field: sky, Colour: moonlit,
		Where: func(x, y float64) float64 {
			near := 0.0
			for _, s := range stars {
				near = max(near, step(3.6, 1.0, math.Hypot(x-s.X, y-s.Y)/s.Radius))
			}
			return near * (1 - ground(x, y))
		}})
	village(b, r, hill)
	cypress(b, r, noise+9)
	b.Weave(noise+20, 150, 0.35)
	b.Light(0.30, 0.16)
	return b.Canvas
}

// village: walls, roofs and lit windows below the hills.
func village(b *Brush, r *rand.Rand, hill func(float64) float64) {
	flat := func(x, y, angle, length, radius float64, c Colour) {
		field := func(float64, float64) float64 { return angle }
		b.Stroke(Stroke{Path: Follow(field, Point{x, y}, length, 0.004), Radius: radius, Colour: c.Jitter(r, 0.08, 0.02), Second: c.Jitter(r, 0.2, 0.05), Body: 3, Dry: 0.2, Seed: Noise(r.Uint64())})
	}
	walls := ramp(0x2f4a78, 0x3d6a8f, 0x55708a, 0x26355f, 0x6b8a94)
	roofs := ramp(0x8a4a32, 0x27305e, 0xa8683a, 0x1b2450, 0x6c3b40)
	for range 34 {
		x := 0.36 + 0.86*r.Float64()
		y := hill(x) + 0.075 + 0.11*r.Float64()
		s := 0.017 + 0.014*r.Float64()
		for k := range 4 {
			flat(x, y+s*0.28*float64(k), 0.05*r.NormFloat64(), s*1.5, s*0.24, walls.Pick(r.Float64()))
		}
		flat(x-s*0.42, y-s*0.42, -0.75, s*1.0, s*0.22, roofs.Pick(r.Float64()))
		flat(x+s*0.42, y-s*0.42, 0.75, s*1.0, s*0.22, roofs.Pick(r.Float64()))
		if r.Float64() < 0.75 {
			flat(x+s*0.3*r.NormFloat64(), y+s*0.35, 1.5, s*0.34, s*0.15, hex(0xf6c83a))
		}
	}
	// A church.
	church := hill(0.78)
	for k := range 5 {
		flat(0.755+0.016*float64(k), church+0.085, 1.57, 0.05, 0.010, walls.Pick(r.Float64()))
	}
	flat(0.80, church+0.055, -0.35, 0.09, 0.009, hex(0x27305e))
	flat(0.745, church+0.05, 1.57, 0.10, 0.013, hex(0x4a7396))
	for k := range 9 {
		flat(0.745, church-0.01-0.011*float64(k), 1.57, 0.02, 0.0125-0.0013*float64(k), hex(0x1b2450))
	}
	flat(0.745, church+0.035, 1.57, 0.012, 0.004, hex(0xf6c83a))
}

// cypress: dark flames in front.
func cypress(b *Brush, r *rand.Rand, noise Noise) {
	type flame struct{ x, top, width float64 }
	for _, f := range []flame{{0.155, 0.10, 0.085}, {0.225, 0.42, 0.050}, {0.075, 0.50, 0.055}} {
		half := func(y float64) float64 {
			t := clamp((y-f.top)/(1-f.top), 0, 1)
			return f.width * math.Pow(t, 0.7) * (1 + 0.28*noise.At(2, 9*y+f.x*50))
		}
		middle := func(y float64) float64 { return f.x + 0.022*math.Sin(9*y+f.x*30) }
		field := func(x, y float64) float64 {
			return -math.Pi/2 + 0.65*math.Sin(17*y+30*(x-f.x)) + 0.5*noise.At(12*x, 7*y) + 2.0*(x-middle(y))
		}
		darks := ramp(0x0d1426, 0x17302f, 0x2b4a33, 0x4a4a22, 0x101c38, 0x6b5a2a)
		colour := func(x, y float64) Colour {
			v := 14*(x-middle(y)) + 0.8*noise.Fractal(9*x, 4*y, 2) + 0.3*math.Sin(15*y)
			return darks.At(v - math.Floor(v)).Scale(0.95)
		}
		inside := func(x, y float64) float64 {
			return step(half(y), half(y)*0.75, math.Abs(x-middle(y))) * step(f.top, f.top+0.02, y)
		}
		b.Paint(r, Layer{Radius: 0.012, Length: 0.10, Density: 1.3, Body: 3, Dry: 0.4, Light: 0.15, Hue: 0.02, Field: field, Colour: colour, Where: inside})
		b.Paint(r, Layer{Radius: 0.006, Length: 0.07, Density: 0.6, Body: 3.5, Dry: 0.8, Light: 0.25, Hue: 0.03, Field: field, Colour: colour, Where: inside})
	}
}
