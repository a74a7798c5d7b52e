package engine

// Profiler is an evaluator that can say where its time goes.
type Profiler interface {
	// Profile begins to count afresh, or stops counting.
	Profile(on bool)
	// Times returns what has been counted, one entry for each layer.
	Times() []LayerTime
}

// LayerTime is in seconds, summed over tiles and evaluations.
type LayerTime struct {
	Forward  float64 // convolution and pooling, with the picture's normalisation
	Backward float64 // the same on the way back
	Loss     float64 // Gram matrices, content differences, and their gradients
}

// Peaker is an engine that can measure its device's peak.
type Peaker interface {
	// Peak runs fused multiply-adds in registers, on all its threads, for about
	// a tenth of a second; in float32 operations a second.
	Peak() float64
}
