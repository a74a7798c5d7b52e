package coherence

import (
	"testing"
	"time"
)

// A slow pan with something that crosses it: the time for a frame's analysis, which can
// run while the frame before is painted, and for its guide, which cannot.
func BenchmarkGuide(b *testing.B) {
	const w, h, warm = 1280, 720, 9
	analyzer, err := NewAnalyzer(DefaultOptions(), 0)
	if err != nil {
		b.Fatal(err)
	}
	history := NewHistory(0)
	var analyzing, guiding time.Duration
	b.StopTimer()
	for i := range warm + b.N {
		content := covered(scene(w, h, 1.3*float64(i), 0.2*float64(i), 1), 100+8*i%w, h/2, h/6)
		began := time.Now()
		if i >= warm { // there are as many older frames as are asked for
			b.StartTimer()
		}
		a, err := analyzer.Analyze(content)
		if err != nil {
			b.Fatal(err)
		}
		analyzed := time.Now()
		history.Guide(a)
		b.StopTimer()
		if i >= warm {
			analyzing, guiding = analyzing+analyzed.Sub(began), guiding+time.Since(analyzed)
		}
		history.Keep(styled(content), nil)
	}
	b.ReportMetric(analyzing.Seconds()*1000/float64(b.N), "analyze-ms")
	b.ReportMetric(guiding.Seconds()*1000/float64(b.N), "guide-ms")
}
