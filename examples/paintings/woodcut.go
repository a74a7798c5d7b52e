package main

import (
	"math"
	"math/rand/v2"
)

// woodcut: waves under a red sun, four inks from four blocks of wood.
func woodcut(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 5))
	noise := Noise(seed * 19)
	paper, ink, indigo, pale, red := hex(0xf1e3c2), hex(0x1b1a22), hex(0x23427e), hex(0x8fb4b4), hex(0xd0391f)
	c := NewCanvas(size, 5, 4, paper)
	sun := struct {
		Point
		radius float64
	}{Point{0.86, 0.33}, 0.215}

	// A swell: crest line, how far its tops lean over, size of its foam.
	type swell struct{ base, height, length, phase, lean, foam float64 }
	swells := []swell{
		{0.60, 0.055, 0.30, 0.4, 0.5, 0.6},
		{0.70, 0.190, 0.62, 1.9, 1.2, 1.0},
		{0.82, 0.130, 0.52, 4.4, 1.1, 0.9},
		{0.95, 0.170, 0.80, 0.5, 1.2, 1.1},
	}
	// depth below the crest of a swell, units; < 0 above it.
	depth := func(s swell, x, y float64) float64 {
		rise := clamp((s.base-y)/s.height, -2, 1.6)
		if rise > 0 {
			x -= s.lean * 0.22 * s.length * rise * rise
		}
		u := (x/s.length*2*math.Pi + s.phase) / 2
		crest := math.Pow(1-math.Abs(math.Sin(u)), 1.25)*1.15 - 0.25
		crest += 0.12 * math.Sin(2.3*u+s.phase) * crest
		return (y - s.base) + s.height*crest
	}
	// carve is a line of a given share of its spacing, with the knife's tremble.
	carve := func(v, spacing, share, x, y float64) float64 {
		v = v/spacing + 0.10*noise.At(40*x, 40*y) + 0.25*noise.At(9*x, 9*y)
		d := math.Abs(v-math.Floor(v)-0.5) * spacing
		half := 0.5 * spacing * share * (1 + 0.35*(noise+3).At(14*x, 60*y))
		return step(half+0.7/c.Unit, half-0.7/c.Unit, d)
	}
	// press is how well a block took its ink: grain of the wood, thin spots.
	press := func(n Noise, x, y float64) float64 {
		warp := 0.05 * n.At(1.5*x, 2*y)
		rings := math.Sin(150*(y+warp) + 7*n.At(1.2*x, 5*y))
		pores := n.Fractal(9*x, 160*y, 2)
		return clamp(0.90+0.07*rings+0.20*pores+0.10*n.At(4*x, 4*y), 0, 1)
	}
	knots := make([]Point, 5)
	for i := range knots {
		knots[i] = Point{c.Width() * r.Float64(), 0.5 * r.Float64()}
	}
	c.Fill(func(x, y float64, under Colour) Colour {
		// Paper, with its fibres.
		col := paper.Scale(1 + 0.035*noise.Fractal(60*x, 60*y, 3) + 0.02*(noise+8).At(14*x, 180*y))
		x += 0.0016 * noise.At(50*x, 50*y)
		y += 0.0016 * (noise+1).At(50*x, 50*y)

		// The colour blocks lie a little off the key block.
		bx, by := x+0.0035, y-0.0025
		d := math.Hypot(bx-sun.X, by-sun.Y)
		sky := step(0.50, 0.0, by)*0.95 + 0.55*bump(0.50, 0.10, by) // bokashi: wiped by hand
		grainy := press(noise+30, bx, by)
		for _, k := range knots {
			q := math.Hypot(bx-k.X, (by-k.Y)*2.4)
			grainy -= 0.22 * step(0.13, 0, q) * (0.5 + 0.5*math.Sin(260*q))
		}
		tone := pale.Mix(indigo, step(0.30, 0.0, by))
		tone = tone.Mix(hex(0xe9a15c), step(0.36, 0.50, by))
		col = col.Mix(tone, clamp(sky*grainy, 0, 1)*step(sun.radius-0.001, sun.radius+0.001, d))
		if d < sun.radius+0.002 {
			cover := step(sun.radius+0.001, sun.radius-0.001, d) * press(noise+40, bx, by)
			col = col.Mix(red.Mix(hex(0xe8702a), step(0.1, 0.5, by)), cover)
		}

		// Key block: rays, sky lines, clouds.
		kd := math.Hypot(x-sun.X, y-sun.Y)
		key := 0.0
		if kd > sun.radius+0.012 {
			a := math.Atan2(y-sun.Y, x-sun.X) + 0.02*noise.At(6*x, 6*y)
			share := 0.42 * step(0.95, 0.25, kd) * (0.75 + 0.4*noise.At(3*x, 3*y))
			key = max(key, carve(a, 2*math.Pi/84, share, x, y)*step(sun.radius+0.010, sun.radius+0.03, kd))
		} else {
			key = max(key, step(0.0034, 0.0022, math.Abs(kd-sun.radius)))
			key = max(key, carve(y+0.01*math.Sin(20*x), 0.017, 0.38*step(sun.Y-0.05, sun.Y+0.3, y), x, y)*step(sun.radius, sun.radius-0.01, kd))
		}
		cloud := noise.Fractal(2.2*x+3, 7*y, 3)
		band := bump(0.16, 0.13, y) + 0.8*bump(0.45, 0.06, y)
		if v := cloud + 0.55*band - 0.62; v > -0.05 {
			inside := step(0, 0.006, v)
			col = col.Mix(paper.Mix(hex(0xf6d9b0), 0.5), inside*0.95)
			key *= 1 - inside
			key = max(key, bump(0.004, 0.018, v))
			key = max(key, inside*carve(v, 0.085, 0.24, x, y))
		}
		col = col.Mix(ink, key*press(noise+50, x, y))

		// Swells, back to front.
		for k, s := range swells {
			v, bv := depth(s, x, y), depth(s, bx, by)
			// Foam: scallops along the crest.
			n := noise + Noise(60+10*k)
			scallop := 0.016 * s.foam * (math.Abs(n.At(26*x/s.foam, 26*y/s.foam)) + 0.6*math.Abs((n+1).At(55*x, 55*y)))
			v += scallop
			bv += scallop
			if v < -0.004 {
				// spray
				drop := (n + 4).At(75*x, 75*y)
				if v > -0.06*s.foam && drop > 0.60+6*-v && s.foam > 0.7 {
					col = col.Mix(paper, step(0.60+6*-v, 0.66+6*-v, drop))
				}
				continue
			}
			foam := 0.030 * s.foam * (1 + 0.9*n.At(12*x, 12*y) + 0.7*math.Abs((n+2).At(34*x, 34*y)))
			water := paper
			body := step(foam, foam+0.002, bv)
			deep := indigo.Mix(hex(0x12305a), step(0.05, 0.3, bv)).Mix(pale, 0.55*bump(foam+0.02, 0.035, bv))
			stripe := step(-0.1, 0.1, math.Sin(bv*75+2.2*n.At(5*bx, 5*by)))
			deep = deep.Mix(pale.Mix(hex(0x4f86a8), 0.5), 0.8*stripe*step(0.30, 0.06, bv))
			water = water.Mix(deep, body*press(n+5, bx, by))
			// Lines follow the form, and thicken where it turns away.
			share := 0.18 + 0.26*step(0.02, 0.22, v)
			lines := carve(v, 0.0165, share, x, y) * step(foam+0.004, foam+0.012, v)
			curls := step(0.10, 0.05, math.Abs((n+6).At(30*x, 30*y))) * step(0.002, 0.006, v) * step(foam, foam-0.006, v) * 0.9
			edge := step(0.0062, 0.0042, math.Abs(v))
			edge = max(edge, 0.9*step(0.0030, 0.0018, math.Abs(v-foam)))
			water = water.Mix(ink, clamp(max(lines, max(edge, curls*0.8)), 0, 1)*press(noise+50, x, y))
			col = col.Mix(water, step(-0.003, -0.001, v))
		}
		// Border, and the carver's seal.
		rim := min(min(x, y), min(c.Width()-x, c.Height()-y))
		col = col.Mix(paper, step(0.022, 0.020, rim))
		col = col.Mix(ink, bump(0.0235, 0.004, rim))
		if sx, sy := (x-0.075)/0.026, (y-0.115)/0.055; math.Abs(sx) < 1 && math.Abs(sy) < 1 {
			glyph := step(0.10, 0.02, math.Abs((noise+70).At(3.2*sx, 6*sy)))
			col = col.Mix(red, 0.93*press(noise+71, x, y)).Mix(paper, 0.9*glyph*step(1, 0.85, max(math.Abs(sx), math.Abs(sy))))
		}
		return col.clamp()
	})
	// Pressed paper: ink lies lower, fibres stand up.
	for i, p := range c.Colour {
		x, y := float64(i%c.W)/c.Unit, float64(i/c.W)/c.Unit
		c.Relief[i] = 0.8*p.Luma() + 0.5*noise.Fractal(110*x, 110*y, 2) + 0.3*(noise+80).At(20*x, 260*y)
	}
	c.Light(0.10, 0)
	return c
}
