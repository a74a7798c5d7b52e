package filter

// Guide says where an optimisation starts and what its result should stay near.
// Every squared temporal term folds into one prior with one weight per pixel, so
// the filter itself has no notion of time. The zero Guide is a single picture.
type Guide struct {
	Start       *Frame    // nil: by Options.Init, coarse to fine; else one scale from here
	Prior       *Frame    // nil: none
	PriorWeight []float32 // H rows of W; nil: 1 everywhere
}
