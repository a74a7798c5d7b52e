package flow

import (
	"math"
	"testing"
)

// A flow at another size leads to the same places.
func TestResized(t *testing.T) {
	f := NewField(64, 48)
	for i := range f.U {
		f.U[i], f.V[i] = 3+float32(i%64)/16, -2
	}
	for i := range 9 {
		f.U[(19+i/3)*64+29+i%3] = 2 * Unknown
	}
	for _, s := range [][2]int{{32, 24}, {21, 16}, {128, 96}} {
		g := f.Resized(s[0], s[1])
		kx, ky := float64(g.W)/64, float64(g.H)/48
		unknown := 0
		for y := range g.H {
			for x := range g.W {
				atX, atY := (float64(x)+0.5)/kx-0.5, (float64(y)+0.5)/ky-0.5 // in f
				u, v, known := g.At(x, y)
				if !known {
					unknown++
					if math.Abs(atX-30) > 2 || math.Abs(atY-20) > 2 {
						t.Fatalf("%v: the flow at %d, %d is not known", s, x, y)
					}
					continue
				}
				wantU, wantV := kx*(3+min(max(atX, 0), 63)/16), -2*ky
				if math.Abs(float64(u)-wantU) > 1e-4 || math.Abs(float64(v)-wantV) > 1e-4 {
					t.Fatalf("%v: the flow at %d, %d is %g, %g, want %g, %g", s, x, y, u, v, wantU, wantV)
				}
			}
		}
		if unknown == 0 {
			t.Errorf("%v: all of it is known", s)
		}
	}
}
