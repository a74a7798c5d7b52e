package video

import "testing"

// What a frame of a slow pan costs beside painting: flow, trust, warping, filling.
func BenchmarkGuide(b *testing.B) {
	const w, h = 640, 360
	hist, err := NewHistory(DefaultOptions(), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	for i := range b.N {
		content := scene(w, h, 1.3*float64(i), 0.2*float64(i), 1)
		b.StartTimer()
		if _, err := hist.Guide(content); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		hist.Keep(content, styled(content), nil)
	}
}
