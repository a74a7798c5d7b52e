package filter

import "time"

// Guide says where an optimisation starts and what its result should stay near.
// Every squared temporal term folds into one prior with one weight per pixel, so
// the filter itself has no notion of time. The zero Guide is a single picture.
type Guide struct {
	Start       *Frame    // nil: by Options.Init, coarse to fine; else one scale from here
	Margin      []float32 // what lies around Start: the Margin of its Report; nil: its reflection
	Prior       *Frame    // nil: none
	PriorWeight []float32 // H rows of W; nil: 1 everywhere
	Shares      []float64 // of the styles, in their order, which add up to 1; nil: Options.StyleBlendWeights
	Began       time.Time // when the work on this frame did, for Options.Deadline; zero: with Paint
}
