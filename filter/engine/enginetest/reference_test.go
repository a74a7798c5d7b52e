package enginetest

import (
	"math"
	"testing"

	"nstfilter/filter/engine"
)

// Package gorgonia's autodiff, which shares no code with the reference, checks its moments and
// gradient.
func TestReference(t *testing.T) {
	t.Run("same bits", func(t *testing.T) { testSameBits(t, Reference{}) })
	t.Run("vectors", func(t *testing.T) { testVectors(t, Reference{}) })
	t.Run("picture terms", func(t *testing.T) { testPictureTerms(t, Reference{}) })
}

// testLoss itself, which few engines run.
func TestWithLoss(t *testing.T) { testLoss(t, WithLoss{Reference{}}, Reference{}) }

// The reference's gradient against central differences of the content, which is float64.
func TestReferenceDifferences(t *testing.T) {
	s := callSpec()
	s.Taps = []engine.Tap{{Layer: 5, Content: true}}
	ev := compile(t, Reference{}, s)
	x := smooth(t, s.Network, s.Pooling, s.W, s.H)
	ev.Forward(Vector(picture(1000, s.W, s.H)))
	ev.SetContent(metrics(s))
	j := func() float64 { return ev.Forward(Vector(x))[0].Content }
	j()
	dx := make(Vector, len(x))
	ev.Backward(dx, []engine.Gradient{{Content: 1}})
	const step = 1. / (1 << 14) // crosses few kinks
	for _, i := range []int{0, s.W - 1, s.W*7 + 3, s.W*s.H - 1, s.W*s.H + 5, len(x) - 9, len(x) - 1} {
		was := x[i]
		x[i] = was + step
		up, high := j(), x[i]
		x[i] = was - step
		down, low := j(), x[i]
		x[i] = was
		want := (up - down) / (float64(high) - float64(low))
		if got := float64(dx[i]); !(math.Abs(got-want) <= 1e-2*math.Abs(want)) {
			t.Errorf("sample %d: %g by Backward, %g by differences", i, got, want)
		}
	}
}
