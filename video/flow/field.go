package flow

import (
	"fmt"
	"slices"
)

// Field is a dense flow from a picture A to a picture B of one size, in pixels:
// B(x+U, y+V) is what A(x, y) shows. x grows to the right, y downwards.
type Field struct {
	W, H int
	U, V []float32 // each H rows of W
}

// Unknown is more than any flow: a U or V above it in magnitude, or NaN, says
// that the flow is not known there (as .flo files have it).
const Unknown = 1e9

// NewField returns a flow of zeros.
func NewField(w, h int) *Field {
	return &Field{W: w, H: h, U: make([]float32, w*h), V: make([]float32, w*h)}
}

// Clone returns a copy.
func (f *Field) Clone() *Field {
	return &Field{W: f.W, H: f.H, U: slices.Clone(f.U), V: slices.Clone(f.V)}
}

// Resized returns the flow between the same pictures at another size: sampled bilinearly
// at pixels' centres, and in that size's pixels. What is next to an unknown flow is unknown.
func (f *Field) Resized(w, h int) *Field {
	out := NewField(w, h)
	kx, ky := float32(f.W)/float32(w), float32(f.H)/float32(h)
	for y := range h {
		for x := range w {
			u, v, known := f.Sample((float32(x)+0.5)*kx-0.5, (float32(y)+0.5)*ky-0.5)
			out.U[y*w+x], out.V[y*w+x] = u/kx, v/ky
			if !known {
				out.U[y*w+x] = 2 * Unknown
			}
		}
	}
	return out
}

// At returns the flow at pixel (x, y), and whether it is known.
func (f *Field) At(x, y int) (u, v float32, known bool) {
	u, v = f.U[y*f.W+x], f.V[y*f.W+x]
	return u, v, isKnown(u, v)
}

func isKnown(u, v float32) bool {
	return u >= -Unknown && u <= Unknown && v >= -Unknown && v <= Unknown
}

// sameSize panics unless g has the size of f.
func sameSize(f, g *Field) {
	if f.W != g.W || f.H != g.H {
		panic(fmt.Sprintf("flow: a field of %d×%d where %d×%d was expected", g.W, g.H, f.W, f.H))
	}
}
