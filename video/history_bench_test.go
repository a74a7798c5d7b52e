package video

import "testing"

// What a frame of a slow pan costs beside painting: flow and trust, which go ahead of
// it, then warping and filling.
func BenchmarkGuide(b *testing.B) {
	const w, h = 640, 360
	lookout, err := NewLookout(DefaultOptions(), 0)
	if err != nil {
		b.Fatal(err)
	}
	history := NewHistory(0)
	b.StopTimer()
	for i := range b.N {
		content := scene(w, h, 1.3*float64(i), 0.2*float64(i), 1)
		b.StartTimer()
		o, err := lookout.Look(content)
		if err != nil {
			b.Fatal(err)
		}
		history.Guide(o)
		b.StopTimer()
		history.Keep(styled(content), nil)
	}
}
