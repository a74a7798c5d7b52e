package main

import "math"

// Noise is gradient noise after Perlin 2002, hashed instead of permuted.
type Noise uint64

func (n Noise) hash(x, y int) uint64 {
	h := uint64(n)*0x9e3779b97f4a7c15 ^ uint64(int64(x))*0xbf58476d1ce4e5b9 ^ uint64(int64(y))*0x94d049bb133111eb
	h ^= h >> 31
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// Cell is uniform in [0,1), one number for each lattice cell.
func (n Noise) Cell(x, y int) float64 { return float64(n.hash(x, y)>>11) / (1 << 53) }

// At is smooth, of mean 0 and about [-1,1], with features one unit across.
func (n Noise) At(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := x-fx, y-fy
	corner := func(dx, dy int) float64 {
		h := n.hash(ix+dx, iy+dy)
		gx, gy := float64(int32(h))/(1<<31), float64(int32(h>>32))/(1<<31)
		return gx*(u-float64(dx)) + gy*(v-float64(dy))
	}
	su, sv := fade(u), fade(v)
	top := lerp(corner(0, 0), corner(1, 0), su)
	bottom := lerp(corner(0, 1), corner(1, 1), su)
	return 1.8 * lerp(top, bottom, sv)
}

// Fractal sums octaves of halving size and weight, about [-1,1].
func (n Noise) Fractal(x, y float64, octaves int) float64 {
	sum, weight, total := 0.0, 1.0, 0.0
	for i := range octaves {
		sum += weight * (n+Noise(i)).At(x, y)
		total += weight
		weight /= 2
		x, y = 2*x+17.3, 2*y-9.1
	}
	return 1.5 * sum / total
}

func fade(t float64) float64 { return t * t * t * (t*(6*t-15) + 10) }

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// step rises smoothly from 0 at a to 1 at b; b < a falls.
func step(a, b, v float64) float64 {
	t := clamp((v-a)/(b-a), 0, 1)
	return t * t * (3 - 2*t)
}

// bump is 1 at the centre and 0 from width on.
func bump(centre, width, v float64) float64 { return step(width, 0, math.Abs(v-centre)) }
