package main

import (
	"math"
	"math/rand/v2"
)

// Point is in units of the canvas.
type Point struct{ X, Y float64 }

// Stroke is one pull of a bristle brush.
type Stroke struct {
	Path   []Point
	Radius float64 // half the width, units
	Colour Colour
	Second Colour  // the other paint on the brush
	Body   float64 // height of the paint, pixels
	Dry    float64 // 0: wet to the end; 1: runs out half way
	Seed   Noise
}

// Brush lays strokes on a canvas; it keeps the scratch between them.
type Brush struct {
	*Canvas
	near, along, across []float64 // by pixel; near is +Inf between strokes
	touched             []int
}

// NewBrush takes up a brush for c.
func NewBrush(c *Canvas) *Brush {
	n := c.W * c.H
	b := &Brush{Canvas: c, near: make([]float64, n), along: make([]float64, n), across: make([]float64, n)}
	for i := range b.near {
		b.near[i] = math.Inf(1)
	}
	return b
}

// Stroke finds for each pixel the nearest point of the path, so that bristles can
// be drawn in coordinates along and across the stroke.
func (b *Brush) Stroke(s Stroke) {
	r := s.Radius * b.Unit
	length := 0.0
	for i := 1; i < len(s.Path); i++ {
		ax, ay := s.Path[i-1].X*b.Unit, s.Path[i-1].Y*b.Unit
		dx, dy := s.Path[i].X*b.Unit-ax, s.Path[i].Y*b.Unit-ay
		d := math.Hypot(dx, dy)
		if d < 1e-9 {
			continue
		}
		dx, dy = dx/d, dy/d
		for y := max(int(min(ay, ay+dy*d)-r)-1, 0); y < min(int(max(ay, ay+dy*d)+r)+2, b.H); y++ {
			for x := max(int(min(ax, ax+dx*d)-r)-1, 0); x < min(int(max(ax, ax+dx*d)+r)+2, b.W); x++ {
				px, py := float64(x)+0.5-ax, float64(y)+0.5-ay
				u := px*dx + py*dy
				t := clamp(u, 0, d)
				ex, ey := px-t*dx, py-t*dy
				i := y*b.W + x
				q := ex*ex + ey*ey
				if q > (r+1)*(r+1) || q >= b.near[i] {
					continue
				}
				if math.IsInf(b.near[i], 1) {
					b.touched = append(b.touched, i)
				}
				b.near[i], b.along[i], b.across[i] = q, length+u, py*dx-px*dy
			}
		}
		length += d
	}
	bristles := clamp(r*0.6, 2, 9)
	for _, i := range b.touched {
		q := b.near[i]
		b.near[i] = math.Inf(1)
		t := b.across[i] / r             // -1…1 across
		u := b.along[i] / (length + 2*r) // 0…1 along
		hair := s.Seed.At(t*bristles, b.along[i]/(14*r)+3)
		fine := (s.Seed + 7).At(t*bristles*2.3, b.along[i]/(6*r))
		edge := r * (1 - 0.16*math.Abs((s.Seed+1).At(b.along[i]/(1.3*r), math.Copysign(5, t)))) // a ragged rim
		edge -= 0.35 * r * step(0.75, 1.05, u) * (0.5 + hair)                                   // hairs lift one by one
		cover := clamp(edge-math.Sqrt(q)+0.5, 0, 1)
		if cover == 0 {
			continue
		}
		paint := 1 - s.Dry*step(0.25, 1, u)*1.1
		cover *= step(-0.25, 0.1, paint-0.55+0.55*hair+0.25*fine)
		c := s.Colour.Mix(s.Second, step(-0.3, 0.5, (s.Seed+3).At(t*1.7, b.along[i]/(9*r))+0.5*hair))
		c = c.Scale(1 + 0.13*hair + 0.07*fine)
		b.Colour[i] = b.Colour[i].Mix(c, cover)
		rim := step(0.5, 0.92, math.Abs(t)) * 0.5
		body := s.Body * (0.55 + 0.45*hair + 0.25*fine + rim)
		b.Relief[i] = lerp(b.Relief[i], 0.35*b.Relief[i]+body, cover)
	}
	b.touched = b.touched[:0]
}

// A Field gives the direction of the brush, radians, at a point.
type Field func(x, y float64) float64

// Follow walks along a field from p, both ways, for a length in units.
func Follow(f Field, p Point, length, pace float64) []Point {
	n := max(int(length/pace/2), 1)
	path := make([]Point, 2*n+1)
	path[n] = p
	for _, way := range []float64{-1, 1} {
		q := p
		last := f(q.X, q.Y)
		for i := 1; i <= n; i++ {
			a := f(q.X, q.Y)
			if math.Cos(a-last) < 0 { // a field has no head or tail
				a += math.Pi
			}
			last = a
			q = Point{q.X + way*pace*math.Cos(a), q.Y + way*pace*math.Sin(a)}
			path[n+int(way)*i] = q
		}
	}
	return path
}

// Layer covers the canvas with strokes that follow a field.
type Layer struct {
	Radius, Length float64 // units, before jitter
	Density        float64 // strokes per radius², about 0.3 covers
	Body, Dry      float64
	Light, Hue     float64 // jitter of colour
	Field          Field
	Colour         func(x, y float64) Colour
	Where          func(x, y float64) float64 // chance of a stroke; nil: 1
}

// Paint lays a layer in random order.
func (b *Brush) Paint(r *rand.Rand, l Layer) {
	n := int(b.Width() * b.Height() / (l.Radius * l.Radius) * l.Density)
	columns := max(int(math.Sqrt(float64(n)*b.Width()/b.Height())), 1)
	rows := max(n/columns, 1)
	for _, i := range r.Perm(columns * rows) {
		p := Point{
			(float64(i%columns) + 0.5 + 1.4*(r.Float64()-0.5)) / float64(columns) * b.Width(),
			(float64(i/columns) + 0.5 + 1.4*(r.Float64()-0.5)) / float64(rows) * b.Height(),
		}
		if l.Where != nil && r.Float64() > l.Where(p.X, p.Y) {
			continue
		}
		radius := l.Radius * (0.65 + 0.6*r.Float64())
		path := Follow(l.Field, p, l.Length*(0.5+r.Float64()), max(radius*0.8, 1/b.Unit))
		c := l.Colour(p.X, p.Y)
		end := path[len(path)-1]
		b.Stroke(Stroke{
			Path: path, Radius: radius,
			Colour: c.Jitter(r, l.Light, l.Hue),
			Second: c.Mix(l.Colour(end.X, end.Y), 0.5).Jitter(r, l.Light*1.4, l.Hue*1.6),
			Body:   l.Body * (0.7 + 0.6*r.Float64()), Dry: l.Dry * r.Float64(), Seed: Noise(r.Uint64()),
		})
	}
}
