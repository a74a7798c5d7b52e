//go:build cuda

package pipeline

// Gorgonia takes -tags cuda to mean its own, for which it needs cuDNN.
func portable() []device { return nil }
