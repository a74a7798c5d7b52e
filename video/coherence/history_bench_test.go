package coherence

import (
	"testing"
	"time"
)

// What a frame of a slow pan, which something crosses, costs beside painting: looking
// at it, which goes on while the frame before is painted, and its guide.
func BenchmarkGuide(b *testing.B) {
	const w, h, warm = 1280, 720, 9
	analyzer, err := NewAnalyzer(DefaultOptions(), 0)
	if err != nil {
		b.Fatal(err)
	}
	history := NewHistory(0)
	var looking, guiding time.Duration
	b.StopTimer()
	for i := range warm + b.N {
		content := covered(scene(w, h, 1.3*float64(i), 0.2*float64(i), 1), 100+8*i%w, h/2, h/6)
		began := time.Now()
		if i >= warm { // as many older frames are there as are asked
			b.StartTimer()
		}
		o, err := analyzer.Analyze(content)
		if err != nil {
			b.Fatal(err)
		}
		looked := time.Now()
		history.Guide(o)
		b.StopTimer()
		if i >= warm {
			looking, guiding = looking+looked.Sub(began), guiding+time.Since(looked)
		}
		history.Keep(styled(content), nil)
	}
	b.ReportMetric(looking.Seconds()*1000/float64(b.N), "look-ms")
	b.ReportMetric(guiding.Seconds()*1000/float64(b.N), "guide-ms")
}
