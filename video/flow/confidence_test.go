package flow

import (
	"testing"

	"nstfilter/filter"
)

// TestMovingSquare: a square moves 8 pixels to the right over a still background.
// What it hides is not in the second picture, what it leaves is not in the first.
func TestMovingSquare(t *testing.T) {
	const w, h, side, left, top, step = 120, 90, 40, 30, 25, 8
	back, front := texture(w, h, still), texture(w, h, func(x, y float64) (float64, float64) { return 2*x + 300, 2*y + 100 })
	picture := func(at int) *filter.Frame {
		f := filter.NewFrame(w, h)
		copy(f.Pix, back.Pix)
		for y := top; y < top+side; y++ {
			for x := at; x < at+side; x++ {
				for p := range 3 {
					f.Pix[(p*h+y)*w+x] = front.Pix[(p*h+y)*w+x-at+left]
				}
			}
		}
		return f
	}
	forward, backward := New(w, h, Medium, 2).Between(picture(left), picture(left+step))
	there, here := Confidence(nil, forward, backward, nil, 2), Confidence(nil, backward, forward, nil, 2)
	mean := func(c []float32, x0, x1, y0, y1 int) (s float64) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				s += float64(c[y*w+x])
			}
		}
		return s / float64((x1-x0)*(y1-y0))
	}
	for _, c := range []struct {
		name   string
		got    float64
		lo, hi float64
	}{
		{"what will be hidden", mean(there, left+side+1, left+side+step-1, top+6, top+side-6), 0, 0.05},
		{"what came into sight", mean(here, left+1, left+step-1, top+6, top+side-6), 0, 0.05},
		{"the square", mean(there, left+8, left+side-8, top+8, top+side-8), 0.97, 1},
		{"the square, later", mean(here, left+step+8, left+step+side-8, top+8, top+side-8), 0.97, 1},
		{"the background", mean(there, 0, left-8, 0, h), 0.97, 1},
	} {
		if t.Logf("%s: %.3f", c.name, c.got); c.got < c.lo || c.got > c.hi {
			t.Errorf("%s: confidence %.3f, not in %v … %v", c.name, c.got, c.lo, c.hi)
		}
	}
}

func TestConfidenceAtTheBorder(t *testing.T) {
	const w, h = 40, 20
	f, b := NewField(w, h), NewField(w, h)
	for i := range f.U {
		f.U[i], b.U[i] = 5, -5
	}
	c := Confidence(make([]float32, w*h), f, b, nil, 2)
	for x := range w {
		want := float32(1)
		if x >= w-6 { // leaves, and one pixel eroded
			want = 0
		}
		if got := c[10*w+x]; x < w-8 && got != want || want == 0 && got != 0 {
			t.Errorf("%d: %v, not %v", x, got, want)
		}
	}
	f.U[10*w+10] = 2 * Unknown
	if c = Confidence(c, f, b, nil, 2); c[10*w+10] != 0 || c[11*w+11] != 0 || c[10*w+20] != 1 {
		t.Error("not known, yet trusted")
	}
}

func TestTrust(t *testing.T) {
	for _, c := range [][3]float32{{0, 1, 1}, {0.5, 1, 1}, {0.75, 1, 0.5}, {1, 1, 0}, {9, 1, 0}} {
		if got := trust(c[0], c[1]); got != c[2] {
			t.Errorf("trust(%v, %v) = %v, not %v", c[0], c[1], got, c[2])
		}
	}
}
