package main

import "math"

// Sites finds the nearest of many points, by buckets.
type Sites struct {
	At      []Point
	side    float64
	columns int
	rows    int
	buckets [][]int
}

// NewSites holds points within w by h units; side is about their distance.
func NewSites(w, h, side float64) *Sites {
	s := &Sites{side: side, columns: int(w/side) + 3, rows: int(h/side) + 3}
	s.buckets = make([][]int, s.columns*s.rows)
	return s
}

func (s *Sites) bucket(p Point) (column, row int) {
	return min(max(int(p.X/s.side)+1, 0), s.columns-1), min(max(int(p.Y/s.side)+1, 0), s.rows-1)
}

func (s *Sites) Add(p Point) int {
	x, y := s.bucket(p)
	s.At = append(s.At, p)
	s.buckets[y*s.columns+x] = append(s.buckets[y*s.columns+x], len(s.At)-1)
	return len(s.At) - 1
}

// Nearest returns the two sites next to p, -1 where there is none, and the
// squared distances.
func (s *Sites) Nearest(p Point) (first, second int, d1, d2 float64) {
	first, second, d1, d2 = -1, -1, math.Inf(1), math.Inf(1)
	cx, cy := s.bucket(p)
	for ring := 0; ring < max(s.columns, s.rows); ring++ {
		// What is further out is at least ring-1 buckets away.
		if reach := float64(ring-1) * s.side; second >= 0 && reach > 0 && reach*reach > d2 {
			break
		}
		for y := max(cy-ring, 0); y <= min(cy+ring, s.rows-1); y++ {
			pace := 1
			if y != cy-ring && y != cy+ring {
				pace = max(2*ring, 1)
			}
			for x := cx - ring; x <= cx+ring; x += pace {
				if x < 0 || x >= s.columns {
					continue
				}
				for _, i := range s.buckets[y*s.columns+x] {
					dx, dy := s.At[i].X-p.X, s.At[i].Y-p.Y
					switch d := dx*dx + dy*dy; {
					case d < d1:
						first, second, d1, d2 = i, first, d, d1
					case d < d2:
						second, d2 = i, d
					}
				}
			}
		}
	}
	return first, second, d1, d2
}

// Seam is the distance from p to the border between its cell and the next.
func (s *Sites) Seam(p Point) (cell int, distance float64) {
	a, b, d1, d2 := s.Nearest(p)
	if b < 0 {
		return a, math.Inf(1)
	}
	gap := math.Hypot(s.At[a].X-s.At[b].X, s.At[a].Y-s.At[b].Y)
	return a, (d2 - d1) / (2 * gap)
}
