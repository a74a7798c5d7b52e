// Package enginetest has the tests that every engine must pass: Run compares one engine with
// another, for example with Reference, the definition.
package enginetest

import (
	"math"
	"testing"

	"nstfilter/filter/engine"
)

// Run compares got with oracle on networks, sizes, taps, pooling and metrics, and got's vector
// operations with plain loops. It checks that got gives the same bits again: side by side,
// after NaNs, and after Close.
func Run(t *testing.T, got, oracle engine.Engine) {
	t.Run("networks", func(t *testing.T) { testNetworks(t, got, oracle) })
	t.Run("calls", func(t *testing.T) { testCalls(t, got, oracle) })
	t.Run("not a number", func(t *testing.T) { testNotANumber(t, got) })
	t.Run("masks", func(t *testing.T) { testMasks(t, got, oracle) })
	t.Run("regions", func(t *testing.T) { testRegions(t, got, oracle) })
	t.Run("memory", func(t *testing.T) { testMemory(t, got, oracle) })
	t.Run("same bits", func(t *testing.T) { testSameBits(t, got) })
	t.Run("vectors", func(t *testing.T) { testVectors(t, got) })
	t.Run("enlarge", func(t *testing.T) { testEnlarge(t, got) })
	t.Run("picture terms", func(t *testing.T) { testPictureTerms(t, got) })
	t.Run("loss", func(t *testing.T) { testLoss(t, got, oracle) })
	t.Run("comparisons", func(t *testing.T) { testComparisons(t, got) })
	t.Run("multiply", func(t *testing.T) { testMultiply(t, got) })
}

// Tolerances are relative L2. Moments and gradients pass up to 13 layers in
// float32; a vector operation rounds a few times.
const (
	networkTolerance = 1e-4
	vectorTolerance  = 1e-6
)

// near reports ‖got − want‖ > tolerance·‖want‖ with the first index that is
// off by more than tolerance times want's root mean square.
func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	var dd, ww float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		dd += d * d
		ww += float64(w) * float64(w)
	}
	if dd <= tolerance*tolerance*ww {
		return
	}
	rms := math.Sqrt(ww / float64(len(want)))
	for i, w := range want {
		if !(math.Abs(float64(got[i])-float64(w)) <= tolerance*rms) {
			t.Errorf("%s: first off at %d of %d: got %g, want %g; relative L2 error %.2g, at most %.0e", what, i, len(want), got[i], w, math.Sqrt(dd/ww), tolerance)
			return
		}
	}
}

// nearNumber is near for one number.
func nearNumber(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: got %.9g, want %.9g; relative error %.2g, at most %.0e", what, got, want, math.Abs(got-want)/math.Abs(want), tolerance)
	}
}

// sameBits reports the first value that differs.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%s: bits differ first at %d of %d: %g, then %g", what, i, len(want), want[i], got[i])
			return
		}
	}
}
