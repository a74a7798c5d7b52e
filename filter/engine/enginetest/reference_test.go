package enginetest

import "testing"

// The reference's moments and gradient are checked by package gorgonia's
// autodiff, which shares no code with them.
func TestReference(t *testing.T) {
	t.Run("same bits", func(t *testing.T) { testSameBits(t, Reference{}) })
	t.Run("vectors", func(t *testing.T) { testVectors(t, Reference{}) })
	t.Run("picture terms", func(t *testing.T) { testPictureTerms(t, Reference{}) })
}

// testLoss itself, which few engines run.
func TestWithLoss(t *testing.T) { testLoss(t, WithLoss{Reference{}}, Reference{}) }
