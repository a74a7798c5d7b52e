package main

import (
	"math"
	"math/rand/v2"
)

// sheet is watercolour paper: glazes on it only ever darken.
type sheet struct {
	*Canvas
	paper Colour
	tooth []float64 // relief of the paper, about [-1,1]; pigment settles in hollows
}

// wash is one pool of wet pigment.
type wash struct {
	Point
	rx, ry  float64 // units
	turn    float64
	pigment Colour
	second  Colour  // charged in while wet
	load    float64 // how much pigment
	rim     float64 // dark edge where it dried; 0: faded out with clean water
	ragged  float64 // how uneven the edge is
	seed    Noise
	lift    float64 // share of what lies below that is taken up first
}

// lay lets a wash dry: an edge, a granulated middle, backruns.
func (s *sheet) lay(w wash) {
	reach := max(w.rx, w.ry) * (1.25 + w.ragged)
	cos, sin := math.Cos(w.turn), math.Sin(w.turn)
	for y := max(int((w.Y-reach)*s.Unit), 0); y < min(int((w.Y+reach)*s.Unit)+1, s.H); y++ {
		for x := max(int((w.X-reach)*s.Unit), 0); x < min(int((w.X+reach)*s.Unit)+1, s.W); x++ {
			px, py := float64(x)/s.Unit, float64(y)/s.Unit
			dx, dy := px-w.X, py-w.Y
			u, v := (dx*cos+dy*sin)/w.rx, (-dx*sin+dy*cos)/w.ry
			d := math.Hypot(u, v)
			if d > 1.6+w.ragged {
				continue
			}
			size := math.Sqrt(w.rx * w.ry)
			edge := 1 + w.ragged*(0.75*w.seed.Fractal(px*0.9/size, py*0.9/size, 3)+0.22*(w.seed+9).Fractal(px*6/size, py*6/size, 3))
			i := y*s.W + x
			in := (edge - d) * size // distance to the edge, units
			soft := 0.0016
			if w.rim == 0 {
				soft = size * 0.75
			}
			cover := step(-0.3*soft, soft, in+0.0012*s.tooth[i])
			if cover == 0 {
				continue
			}
			rim := w.rim * (math.Exp(-in/0.0035) + 0.45*math.Exp(-in/0.016))
			flow := w.seed.Fractal(px*1.6/size+5, py*1.6/size, 4)
			bloom := (w.seed + 21).Fractal(px*1.2/size, py*1.2/size, 4)
			back := bump(0.18, 0.05, bloom) * step(0.18, 0.10, bloom) // the rim of a backrun
			load := w.load * cover * (0.62 + 0.42*flow + rim + 0.30*back - 0.22*step(0.18, 0.4, bloom))
			load *= 1 + 0.20*s.tooth[i] + 0.10*(w.seed+30).At(px*240, py*240)
			hue := w.pigment.Mix(w.second, step(-0.25, 0.55, flow+0.5*v*0.6+0.3*bloom))
			load = max(load, 0)
			s.Colour[i] = s.Colour[i].Mix(s.paper, w.lift*cover)
			s.Colour[i] = Colour{ // Beer's law, with the pigment's colour as transmission at load 1
				s.Colour[i].R * math.Pow(max(hue.R, 0.02), load),
				s.Colour[i].G * math.Pow(max(hue.G, 0.02), load),
				s.Colour[i].B * math.Pow(max(hue.B, 0.02), load),
			}
		}
	}
}

// watercolour: a garden in wet washes over cold-pressed paper.
func watercolour(size int, seed uint64) *Canvas {
	r := rand.New(rand.NewPCG(seed, 6))
	noise := Noise(seed * 13)
	paper := hex(0xfbf7ec)
	s := &sheet{Canvas: NewCanvas(size, 5, 4, paper), paper: paper}
	s.tooth = make([]float64, s.W*s.H)
	for i := range s.tooth {
		x, y := float64(i%s.W)/s.Unit, float64(i/s.W)/s.Unit
		s.tooth[i] = 0.8*noise.Fractal(95*x, 95*y, 3) + 0.4*(noise+4).At(38*x, 38*y)
	}
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	next := func() Noise { return Noise(r.Uint64()) }

	// Sky, wet in wet.
	skies := ramp(0x5aa6d8, 0x3a76c4, 0x8fd0e4, 0x7a6cc0, 0xf2b89a, 0xf6d48a, 0xc88ac0)
	for range 17 {
		s.lay(wash{Point{between(0, 1.25), between(-0.05, 0.42)}, between(0.13, 0.34), between(0.06, 0.16), between(-0.3, 0.3),
			skies.Pick(r.Float64()), skies.Pick(r.Float64()), between(0.35, 0.8), 0, 0.6, next(), 0})
	}
	for range 7 { // clouds that dried with an edge
		s.lay(wash{Point{between(0, 1.25), between(0.03, 0.34)}, between(0.10, 0.24), between(0.05, 0.11), between(-0.2, 0.2),
			skies.Pick(r.Float64()), skies.Pick(r.Float64()), between(0.25, 0.5), 0.9, 0.7, next(), 0})
	}
	// Hills, each glazed over the last.
	hills := []struct{ y, rx, ry float64 }{{0.46, 0.62, 0.11}, {0.52, 0.50, 0.12}, {0.58, 0.70, 0.11}, {0.66, 0.55, 0.13}}
	distance := ramp(0x8a9ad0, 0x5a86b8, 0x4a9a9a, 0x5aa05a, 0x8ab040)
	for k, h := range hills {
		for range 2 {
			t := float64(k) / float64(len(hills)-1)
			s.lay(wash{Point{between(0.05, 1.2), h.y}, h.rx * between(0.6, 1), h.ry, between(-0.1, 0.1),
				distance.At(t + between(-0.1, 0.1)), distance.At(t + 0.35), between(0.6, 0.9), 0.55, 0.55, next(), 0})
		}
	}
	// Meadow.
	meadow := ramp(0xb8c83a, 0x6aa83a, 0x2f8a5a, 0xe0c040, 0x3a9a8a, 0x8a9a30, 0x2a6a7a)
	for range 30 {
		y := between(0.66, 1.02)
		s.lay(wash{Point{between(0, 1.25), y}, between(0.08, 0.26), between(0.03, 0.08), between(-0.3, 0.3),
			meadow.Pick(r.Float64()), meadow.Pick(r.Float64()), between(0.4, 0.85), between(0.2, 0.9), 0.6, next(), 0})
	}
	// Trees: crowns of many touches.
	leaves := ramp(0x3a8a4a, 0x1f6a6a, 0xd8a030, 0xc8542a, 0x7aa838, 0x2a5a8a, 0xa83a5a)
	for _, tree := range []Point{{0.17, 0.42}, {1.06, 0.38}, {0.93, 0.52}, {0.34, 0.54}} {
		for k := range 9 { // trunk and boughs
			s.lay(wash{Point{tree.X + 0.004*float64(k%3-1), tree.Y + 0.026*float64(k)}, 0.008 + 0.0006*float64(k), 0.032, between(-0.25, 0.25),
				hex(0x9a6a6a), hex(0x5a5a9a), 0.7, 0.6, 0.5, next(), 0.35})
		}
		mood := r.Float64()
		for range 46 {
			a, d := between(0, 2*math.Pi), math.Sqrt(r.Float64())
			p := Point{tree.X + 0.155*d*math.Cos(a), tree.Y - 0.06 + 0.125*d*math.Sin(a)}
			s.lay(wash{p, between(0.014, 0.05), between(0.012, 0.038), between(0, 3), leaves.At(math.Mod(mood+0.5*r.Float64(), 1)), leaves.Pick(r.Float64()), between(0.35, 0.8), 0.8, 0.7, next(), 0.42})
		}
	}
	// Flowers: petals around a heart, wet over dry.
	petals := ramp(0xe8305a, 0xf07020, 0xf0b820, 0xc040b0, 0x6a40c0, 0xf05a8a, 0x3a6ae0, 0xd82030)
	for range 44 {
		depth := math.Sqrt(r.Float64())
		c := Point{between(0.0, 1.25), 0.68 + 0.31*depth}
		radius := (0.014 + 0.036*depth*depth) * between(0.7, 1.25)
		for k := range 4 { // stem
			s.lay(wash{Point{c.X + 0.004*r.NormFloat64(), c.Y + radius*(1.2+0.9*float64(k))}, radius * 0.09, radius * 0.75, between(-0.2, 0.2),
				hex(0x3a8a3a), hex(0x1f5a5a), 0.9, 0.6, 0.3, next(), 0.72})
		}
		s.lay(wash{Point{c.X + radius, c.Y + 2.4*radius}, radius * 0.9, radius * 0.28, between(-0.9, -0.3), hex(0x5aa040), hex(0x2a7a6a), 0.8, 0.8, 0.4, next(), 0.72})
		hue := petals.Pick(r.Float64())
		count := 5 + r.IntN(3)
		turn := between(0, 6)
		for k := range count {
			a := turn + 2*math.Pi*float64(k)/float64(count)
			s.lay(wash{Point{c.X + 0.72*radius*math.Cos(a), c.Y + 0.55*radius*math.Sin(a)}, radius * between(0.5, 0.75), radius * between(0.32, 0.46), a,
				hue.Jitter(r, 0.1, 0.05).Mix(hex(0xffffff), 0.1), petals.Pick(r.Float64()).Mix(hue, 0.55), between(0.5, 0.95), 0.9, 0.35, next(), 0.72})
		}
		s.lay(wash{c, radius * 0.24, radius * 0.2, 0, hex(0x7a3a3a), hex(0xd09a20), 1.0, 0.6, 0.4, next(), 0.72})
	}
	// Spatter.
	for range 170 {
		radius := 0.0018 + 0.005*math.Pow(r.Float64(), 3)
		s.lay(wash{Point{between(0, 1.25), between(0, 1)}, radius, radius * between(0.8, 1.1), 0, petals.Pick(r.Float64()), meadow.Pick(r.Float64()), between(0.4, 0.9), 1, 0.25, next(), 0})
	}
	for i, t := range s.tooth {
		s.Relief[i] = 1.1 * t
	}
	s.Light(0.055, 0)
	return s.Canvas
}
