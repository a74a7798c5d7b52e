package main

import (
	"math"
	"math/rand/v2"
)

// glass: a rose window, cells of coloured glass in lead, light behind.
func glass(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 3))
	noise := Noise(seed * 53)
	c := NewCanvas(size, 1, 1, Colour{})
	const folds = 12
	centre := Point{0.5, 0.5}

	jewels := ramp(0x1433b8, 0xd0122a, 0xf3b216, 0x0f8a4a, 0x6a1fa8, 0x10a0c8, 0xe8641a, 0x0b1f7a, 0xb01050, 0xf6e07a, 0x2a64e0, 0x7ac83a)
	type pane struct {
		colour Colour
		grain  float64 // direction of its streaks
		seed   Noise
	}
	var panes []pane
	sites := NewSites(1, 1, 0.04)
	add := func(p Point, colour Colour) {
		sites.Add(p)
		panes = append(panes, pane{colour.Jitter(r, 0.14, 0.03), r.Float64() * math.Pi, Noise(r.Uint64())})
	}
	// Rings of panes, the same in each fold but for the hand that cut them.
	rings := []struct {
		radius float64
		number int
		turn   float64
		colour uint32
	}{
		{0, 1, 0, 0xf6d040}, {0.055, 6, 0, 0xd0122a}, {0.095, 12, 0.5, 0x1433b8}, {0.128, 12, 0, 0xf3b216},
		{0.165, 24, 0.5, 0x2a64e0}, {0.200, 12, 0, 0xc8102e}, {0.212, 12, 0.5, 0x0f8a4a}, {0.240, 24, 0.5, 0x6a1fa8},
		{0.268, 12, 0, 0xf0a01a}, {0.285, 12, 0.5, 0x0b1f7a}, {0.305, 24, 0.5, 0xd81830}, {0.330, 36, 0, 0x10a0c8},
		{0.362, 24, 0, 0x1433b8}, {0.380, 24, 0.5, 0xe8641a}, {0.412, 48, 0.5, 0x0f8a4a}, {0.442, 36, 0, 0xb01050}, {0.470, 60, 0.5, 0x2040c0},
	}
	for _, ring := range rings {
		for k := range ring.number {
			a := (float64(k) + ring.turn + 0.16*r.NormFloat64()*0.5) / float64(ring.number) * 2 * math.Pi
			d := ring.radius + 0.004*r.NormFloat64()
			colour := hex(ring.colour)
			if k%2 == 1 && ring.number > 12 {
				colour = jewels[(k/2+int(ring.radius*100))%len(jewels)].Mix(colour, 0.35)
			} else if r.Float64() < 0.12 {
				colour = jewels.Pick(r.Float64())
			}
			add(Point{centre.X + d*math.Cos(a), centre.Y + d*math.Sin(a)}, colour)
		}
	}
	for range 900 { // corners: panes as they came to hand
		p := Point{r.Float64(), r.Float64()}
		_, _, d, _ := sites.Nearest(p)
		if math.Hypot(p.X-0.5, p.Y-0.5) > 0.505 && d > 0.034*0.034 {
			add(p, jewels.Pick(r.Float64()).Mix(hex(0x14309a), 0.4*r.Float64()))
		}
	}
	// Stone between: a rim, rings, and petals.
	stone := func(p Point) float64 {
		d := math.Hypot(p.X-0.5, p.Y-0.5)
		a := math.Atan2(p.Y-0.5, p.X-0.5)
		w := math.Min(math.Abs(d-0.492)-0.006, math.Abs(d-0.148)-0.001)
		w = math.Min(w, math.Abs(d-0.345)-0.002)
		sector := math.Mod(a/(2*math.Pi)*folds+folds+0.5, 1) - 0.5
		across := math.Abs(sector) * 2 * math.Pi / folds * d
		if d > 0.148 && d < 0.345 { // twelve petals
			spoke := math.Abs(math.Abs(sector)-0.5) * 2 * math.Pi / folds * d
			w = math.Min(w, spoke-0.002)
		}
		if d > 0.345 && d < 0.492 { // round lights between
			w = math.Min(w, math.Abs(math.Hypot(d-0.412, across)-0.050)-0.0015)
		}
		return w
	}
	for y := range c.H {
		for x := range c.W {
			p := Point{(float64(x) + 0.5) / c.Unit, (float64(y) + 0.5) / c.Unit}
			bent := Point{p.X + 0.006*noise.At(9*p.X, 9*p.Y), p.Y + 0.006*(noise+1).At(9*p.X, 9*p.Y)}
			cell, seam := sites.Seam(bent)
			g := panes[cell]
			i := y*c.W + x

			// The glass: streaks, ripples, seeds, grime along the lead.
			u := math.Cos(g.grain)*p.X + math.Sin(g.grain)*p.Y
			v := -math.Sin(g.grain)*p.X + math.Cos(g.grain)*p.Y
			streak := g.seed.Fractal(u*14, v*70, 3)
			ripple := (g.seed + 5).Fractal(p.X*45, p.Y*45, 3)
			light := 1.16 + 0.30*streak + 0.20*ripple + 0.16*noise.Fractal(3*p.X, 3*p.Y, 2)
			light *= 1.22 - 0.55*math.Hypot(p.X-0.5, p.Y-0.44)
			col := g.colour.Saturate(1.15).Scale(light)
			col = col.Mix(Colour{1, 0.97, 0.85}, 0.34*step(0.25, 0.95, streak+0.6*ripple)+0.16*step(0.02, 0.0, math.Abs(ripple-0.35)))
			bubble := (g.seed + 9).At(p.X*190, p.Y*190)
			col = col.Mix(Colour{1, 1, 0.92}, 0.5*step(0.62, 0.85, bubble)).Scale(1 - 0.4*step(0.5, 0.62, bubble)*step(0.75, 0.62, bubble))
			col = col.Scale(lerp(0.42, 1, step(0, 0.016, seam)))
			if g.seed%3 == 0 { // painted with fine dark lines
				line := math.Abs(math.Sin(seam*520 + 2*ripple))
				col = col.Scale(lerp(1, 0.45, step(0.35, 0.1, line)*step(0.03, 0.015, seam)))
			}
			c.Relief[i] = 1.1*ripple + 0.7*streak

			lead := 0.0033 + 0.0011*noise.At(30*p.X, 30*p.Y)
			edge := 1.1 / c.Unit
			if q := stone(bent) - 0.0055 - 0.0015*noise.At(22*p.X, 22*p.Y); q < edge {
				t := step(edge, -edge, q)
				col = col.Mix(hex(0x17141a).Scale(1.2+0.5*noise.Fractal(60*p.X, 60*p.Y, 3)), t)
				c.Relief[i] = lerp(c.Relief[i], 7*math.Sqrt(clamp(-q/0.006, 0, 1))+0.7*noise.Fractal(70*p.X, 70*p.Y, 2), t)
			} else if t := step(lead+edge, lead-edge, seam); t > 0 {
				col = col.Mix(hex(0x1a181c).Scale(1+0.5*noise.At(90*p.X, 90*p.Y)), t)
				c.Relief[i] = lerp(c.Relief[i], 4.2*math.Sqrt(clamp(1-seam/lead, 0, 1))+0.5*noise.At(80*p.X, 80*p.Y), t)
			}
			c.Colour[i] = col.clamp()
		}
	}
	c.Light(0.26, 0.28)
	return c
}
