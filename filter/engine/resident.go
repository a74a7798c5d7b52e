package engine

// Term is what J asks of one tap, with the Moments of that tap:
//
//	J = Style/2 · tr(M Δ M Δ) + Content · Moments.Content,  Δ = Target − Gram
//	dJ/dGram = −Style · M Δ M
//
// Gram is Moments.Gram, divided by P already.
type Term struct {
	Target  []float32 // (C, C), symmetric; nil: no style
	Metric  []float32 // (C, C): M, symmetric; nil: the identity
	Style   float64
	Content float64 // dJ/dMoments.Content
}

// Values are the terms of J at one picture, each without its weight.
type Values struct {
	Style   []float64 // by tap: tr(MΔMΔ); 0 without a Target
	Content []float64 // by tap: Moments.Content
	TV      float64   // as Evaluator.TV has it; 0 where its weight is
	Prior   float64   // as Evaluator.Prior has it; 0 without a prior
}

// Descender is an evaluator that evaluates J where its data is: what Forward,
// Backward, TV and Prior do one after the other, without their moments coming back.
type Descender interface {
	// SetTerms says what J is, one Term per tap of the Spec, from the next Descend on.
	// It copies what it is given.
	SetTerms(terms []Term)
	// Descend evaluates J at the picture x and writes dJ/dx to another vector, dx: the
	// taps' terms, tv times TV, and unless prior is nil priorWeight times Prior of
	// prior and w. With read it waits for the values and returns them; without it need
	// not wait, and returns those read last, zeros before that. Their slices belong to
	// the evaluator and hold until the next Descend. SetContent and Backward need a
	// Forward after it.
	Descend(dx, x Vector, tv float64, prior, w Vector, priorWeight float64, read bool) Values
}

// Limited is an engine with memory of its own, which Spec.Memory and Engine.Memory
// count.
type Limited interface {
	// FreeMemory is how many bytes of it are free now.
	FreeMemory() int64
}
