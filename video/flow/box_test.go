package flow

import "testing"

func TestBoxMean(t *testing.T) {
	for _, s := range [][2]int{{7, 5}, {1, 1}, {3, 17}, {17, 3}, {130, 21}} {
		for _, r := range []int{1, 2, 4} {
			const planes = 2
			w, h := s[0], s[1]
			src := noise(uint64(w), planes*w*h)
			got := make([]float32, len(src))
			BoxMean(got, src, make([]float32, w*h), w, h, r, 3)
			for p := range planes {
				for y := range h {
					for x := range w {
						var sum, n float32
						for j := max(y-r, 0); j <= min(y+r, h-1); j++ {
							for i := max(x-r, 0); i <= min(x+r, w-1); i++ {
								sum, n = sum+src[(p*h+j)*w+i], n+1
							}
						}
						if d := abs(got[(p*h+y)*w+x] - sum/n); d > 1e-6 {
							t.Fatalf("%v, r %d: %g at (%d, %d), want %g", s, r, got[(p*h+y)*w+x], x, y, sum/n)
						}
					}
				}
			}
		}
	}
}
