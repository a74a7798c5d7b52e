package engine

// What only some engines and evaluators can do. Callers ask by type assertion.
//
//	                         cpu   cuda  gorgonia
//	engine     Precisions     ×     ×
//	           Tiler          ×     ×
//	           Threads        ×
//	           DeviceMemory         ×
//	           PeakFLOPS      ×
//	evaluator  Multiplier     ×     ×
//	           LossEvaluator        ×
//	           Profiler       ×

// Precisions is an engine that knows precisions other than FP32.
type Precisions interface {
	// HasBF16 reports whether its device multiplies bfloat16.
	HasBF16() bool
}

// Tiler is an engine that keeps within Spec.Memory by evaluating the picture in tiles,
// which overlap.
type Tiler interface {
	// Overhead is the time of Forward and Backward with s.Memory over that without
	// a limit: 1 or more.
	Overhead(s Spec) float64
}

// Threads is an engine that computes with a number of threads that its user chose.
type Threads interface{ Threads() int }

// DeviceMemory is an engine whose device has memory of its own. Spec.Memory and
// Engine.Memory then count that memory.
type DeviceMemory interface {
	// FreeMemory is how many bytes of it are free now.
	FreeMemory() int64
}

// PeakFLOPS is an engine that can measure the peak of its device.
type PeakFLOPS interface {
	// PeakFLOPS runs fused multiply-adds in registers, on all threads, for about a
	// tenth of a second and returns float32 operations per second.
	PeakFLOPS() float64
}

// Multiplier is an evaluator that multiplies symmetric matrices faster than Go
// does: dst = m·d·m, all n×n in rows, dst distinct from m and d, and symmetric to
// the bit.
type Multiplier interface {
	Congruence(dst, m, d []float32, n int)
}

// LossEvaluator is an evaluator that evaluates J where its data is: it does what Forward,
// Backward, TV, Gamut and Prior do, without the moments coming back to the host.
type LossEvaluator interface {
	// SetTerms defines J for the EvaluateLoss calls that follow, by one Term per tap of
	// the Spec. It copies the terms. A device's own panics if one has a Comparison, which
	// LossEvaluatorOf avoids.
	SetTerms(terms []Term)
	// EvaluateLoss evaluates J at the picture x, from the taps' terms and p, and writes
	// dJ/dx to another vector, dx. It may return before the device has finished.
	// SetContent and Backward need a Forward after it.
	EvaluateLoss(dx, x Vector, p PictureTerms)
	// Values waits for the values of the latest EvaluateLoss. Their slices belong to
	// the evaluator and hold until the next EvaluateLoss.
	Values() Values
}

// Profiler is an evaluator that can measure where its time goes.
type Profiler interface {
	// Profile starts counting from zero, or stops counting.
	Profile(on bool)
	// Times returns the times counted so far, one entry for each layer.
	Times() []LayerTime
}

// LayerTime is in seconds, summed over tiles and evaluations.
type LayerTime struct {
	Forward  float64 // convolution and pooling; for the first layer also normalisation
	Backward float64 // their gradients
	Loss     float64 // Gram matrices, content differences, and their gradients
}
