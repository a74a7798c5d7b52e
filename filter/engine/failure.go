package engine

import "errors"

// ErrMemory is in the chain of errors from Compile, and of a Failure, where a device
// has no memory left.
var ErrMemory = errors.New("out of memory")

// Failure is what an evaluator's methods panic with where its device fails. Nothing
// but Close may be called on that evaluator after it.
type Failure struct{ Err error }

func (f Failure) Error() string { return f.Err.Error() }

func (f Failure) Unwrap() error { return f.Err }
