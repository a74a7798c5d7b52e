package engine

// Term is what J asks of one tap, with the Moments of that tap:
//
//	J = Style/2 · tr(M Δ M Δ) + Mean/2 · δᵀ M δ + Content · Moments.Content
//	Δ = Target − Moments.Gram,  dJ/dGram = −Style · M Δ M
//	δ = TargetMean − Moments.Mean,  dJ/dMean = −Mean · M δ
type Term struct {
	Target     []float32 // (C, C), symmetric; nil: no style
	TargetMean []float32 // (C); nil: means do not count
	Metric     []float32 // (C, C): M, symmetric; nil: the identity
	Style      float64
	Mean       float64
	Content    float64 // dJ/dMoments.Content
}

// Values are the terms of J at one picture, each without its weight.
type Values struct {
	Style   []float64 // by tap: tr(MΔMΔ); 0 without a Target
	Mean    []float64 // by tap: δᵀMδ; 0 without a TargetMean
	Content []float64 // by tap: Moments.Content
	TV      float64   // as Evaluator.TV has it; 0 where its weight is
	Gamut   float64   // as Evaluator.Gamut has it; 0 where its weight is
	Prior   float64   // as Evaluator.Prior has it; 0 without a prior
}

// PictureTerms are the weights of what J asks of the picture itself.
type PictureTerms struct {
	TV, Gamut   float64 // of Evaluator.TV and Gamut; 0: none
	Prior, W    Vector  // of Evaluator.Prior; nil: none
	PriorWeight float64
}

// Descender is an evaluator that evaluates J where its data is: what Forward, Backward,
// TV, Gamut and Prior do one after the other, without their moments coming back.
type Descender interface {
	// SetTerms says what J is, one Term per tap of the Spec, from the next Descend on.
	// It copies what it is given.
	SetTerms(terms []Term)
	// Descend evaluates J at the picture x, the taps' terms and p's, and writes dJ/dx to
	// another vector, dx. It need not wait for them. SetContent and Backward need a
	// Forward after it.
	Descend(dx, x Vector, p PictureTerms)
	// Values waits for the values of the latest Descend. Their slices belong to the
	// evaluator and hold until the next Descend.
	Values() Values
}

// Limited is an engine with memory of its own, which Spec.Memory and Engine.Memory
// count.
type Limited interface {
	// FreeMemory is how many bytes of it are free now.
	FreeMemory() int64
}
