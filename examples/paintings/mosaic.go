package main

import (
	"math"
	"math/rand/v2"
)

// mosaic: rosettes in a stream of stone, glass and gold, tile by tile.
func mosaic(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 4))
	noise := Noise(seed * 31)
	c := NewCanvas(size, 5, 4, Colour{})

	type rosette struct {
		Point
		radius float64
		rings  Ramp
		petals float64
	}
	golds := ramp(0xd9a520, 0xf0c94a, 0xb8801a, 0xe8d488)
	rosettes := []rosette{
		{Point{0.40, 0.42}, 0.27, ramp(0xf3c22e, 0xb3201e, 0xe8742a, 0xf4e4b8, 0x1d3f8c, 0x2f9aa8, 0xf0ead2, 0x8c1d3a, 0xe0a526, 0x16285e), 10},
		{Point{0.98, 0.66}, 0.22, ramp(0xf7f0d8, 0xd03a26, 0xf0b030, 0x174a5a, 0x2fb09a, 0xf3e6be, 0x5a2a7a, 0xd8a020, 0x10305a), 8},
		{Point{0.90, 0.17}, 0.15, ramp(0xe0a020, 0x1a6a4a, 0x9ac84a, 0xf4ead0, 0xb02a50, 0xe88aa0, 0x3a1a50), 7},
		{Point{0.14, 0.86}, 0.17, ramp(0xc02a20, 0xf6d870, 0x1c5ca0, 0x8fd0d8, 0xf5efdc, 0x12305a, 0xd07a20), 9},
		{Point{0.60, 0.89}, 0.12, ramp(0xf8e8a0, 0xe06a1c, 0x8a1c30, 0xf0d8b0, 0x2a7a5a, 0x123a4a), 6},
		{Point{1.20, 0.34}, 0.09, ramp(0xf4d050, 0x2060b0, 0xf4ecd8, 0xa82038, 0x101c48), 6},
		{Point{0.10, 0.22}, 0.12, ramp(0xf8f0dc, 0x5a2a80, 0xd060a0, 0xf0c040, 0x1a5a6a, 0x0f2044), 7},
		{Point{0.66, 0.13}, 0.065, ramp(0xe8b030, 0xb02828, 0xf4e8cc, 0x143a6a), 5},
	}
	inside := func(x, y float64) *rosette {
		for i := range rosettes {
			if q := &rosettes[i]; math.Hypot(x-q.X, y-q.Y) < q.radius {
				return q
			}
		}
		return nil
	}
	stream := func(x, y float64) float64 {
		v := 0.8*y + 0.25*x + 0.06*math.Sin(6*x-3*y) + 0.06*noise.At(2.5*x, 2.5*y)
		for _, q := range rosettes {
			d := math.Hypot(x-q.X, y-q.Y) / q.radius
			v = lerp(v, 0.9*d*q.radius, math.Exp(-math.Pow(d/1.25, 6)))
		}
		return v
	}
	field := func(x, y float64) float64 {
		const e = 0.003
		return math.Atan2(-(stream(x+e, y) - stream(x-e, y)), stream(x, y+e)-stream(x, y-e))
	}
	seas := ramp(0x123a7a, 0x1d62a8, 0x2f98b8, 0x7cc8c0, 0x1a4a90, 0x0d2450)
	colour := func(p Point) (Colour, bool) { // gold is told apart: it shines
		if q := inside(p.X, p.Y); q != nil {
			d := math.Hypot(p.X-q.X, p.Y-q.Y) / q.radius
			a := math.Atan2(p.Y-q.Y, p.X-q.X)
			ring := d + 0.055*math.Cos(a*q.petals)*math.Sin(math.Pi*d)
			k := min(int(math.Pow(clamp(ring, 0, 0.999), 0.9)*float64(len(q.rings))), len(q.rings)-1)
			return q.rings[k], k == 0
		}
		v := stream(p.X, p.Y)*5.5 + 0.1*noise.At(8*p.X, 8*p.Y)
		v -= math.Floor(v)
		switch {
		case v < 0.44:
			return golds.Pick(r.Float64()), true
		case v < 0.50:
			return hex(0xf2ead2), false
		case v < 0.56:
			return hex(0x8a1c2c), false
		}
		return seas.At((v - 0.56) / 0.44), false
	}

	// Rows of tiles along the field, each beside one that is laid.
	const side = 0.0150
	sites := NewSites(c.Width(), c.Height(), side)
	free := func(p Point) bool {
		if p.X < -side || p.Y < -side || p.X > c.Width()+side || p.Y > c.Height()+side {
			return false
		}
		_, _, d, _ := sites.Nearest(p)
		return d > 0.84*0.84*side*side
	}
	var queue []Point
	for _, q := range rosettes {
		queue = append(queue, q.Point)
	}
	for k := range 400 {
		queue = append(queue, Point{c.Width() * noise.Cell(k, 1), c.Height() * noise.Cell(k, 2)})
	}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		if !free(p) {
			continue
		}
		sites.Add(p)
		a := field(p.X, p.Y)
		for k := range 4 {
			b := a + float64(k)*math.Pi/2
			queue = append(queue, Point{p.X + side*math.Cos(b), p.Y + side*math.Sin(b)})
		}
	}

	type tile struct {
		colour             Colour
		angle, wide, high  float64
		tiltX, tiltY, lift float64
		gold               bool
		seed               Noise
	}
	tiles := make([]tile, len(sites.At))
	for i, p := range sites.At {
		col, gold := colour(p)
		tiles[i] = tile{
			col.Jitter(r, 0.13, 0.035), field(p.X, p.Y) + 0.10*r.NormFloat64(), side * (0.46 + 0.05*r.Float64()), side * (0.46 + 0.05*r.Float64()),
			0.16 * r.NormFloat64(), 0.16 * r.NormFloat64(), r.Float64(), gold, Noise(r.Uint64()),
		}
	}
	c.Fill(func(x, y float64, _ Colour) Colour { // mortar
		return hex(0x4a4038).Scale(1 + 0.35*noise.Fractal(80*x, 80*y, 3))
	})
	for y := range c.H {
		for x := range c.W {
			i := y*c.W + x
			p := Point{(float64(x) + 0.5) / c.Unit, (float64(y) + 0.5) / c.Unit}
			first, _, _, _ := sites.Nearest(p)
			t := tiles[first]
			dx, dy := p.X-sites.At[first].X, p.Y-sites.At[first].Y
			u, v := math.Cos(t.angle)*dx+math.Sin(t.angle)*dy, -math.Sin(t.angle)*dx+math.Cos(t.angle)*dy
			chip := side * 0.05 * t.seed.At(p.X*160, p.Y*160)
			in := min(t.wide-math.Abs(u), t.high-math.Abs(v)) + chip // > 0 within the tile
			if _, seam := sites.Seam(p); seam < in {
				in = seam - side*0.015
			}
			cover := step(-0.7/c.Unit, 0.7/c.Unit, in-side*0.02)
			vein := t.seed.Fractal(p.X*70, p.Y*150, 3)
			col := t.colour.Scale(1 + 0.14*vein + 0.10*(t.seed+4).At(p.X*320, p.Y*320))
			if t.gold {
				gleam := clamp(0.5+1.6*t.tiltX-1.2*t.tiltY+30*(u-v)*t.tiltX, 0, 1)
				col = col.Scale(0.72+0.5*gleam).Mix(hex(0xfff2b8), 0.5*step(0.6, 1, gleam))
			}
			c.Colour[i] = c.Colour[i].Mix(col, cover)
			top := 3.2 + 1.2*t.lift + (t.tiltX*u+t.tiltY*v)/side*4 + 0.5*vein
			c.Relief[i] = lerp(0.8*noise.Fractal(90*p.X, 90*p.Y, 2), top*step(0, side*0.13, in), cover)
		}
	}
	c.Light(0.27, 0.22)
	return c
}
