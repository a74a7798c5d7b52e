package filter

import (
	"math"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {3, 1}, {17, 5}, {40, 31}} {
		w, h := s[0], s[1]
		d, weight := make([]float32, w*h), make([]float32, w*h)
		for i := range d {
			d[i], weight[i] = 0.25, 1
			if i%w > w/4 && i%w < w/2 {
				d[i], weight[i] = 7, 0
			}
		}
		Spread(d, weight, w, h)
		for i, v := range d {
			if math.Abs(float64(v-0.25)) > 1e-6 {
				t.Fatalf("%d×%d: %g at %d, want 0.25", w, h, v, i)
			}
		}
	}
}
