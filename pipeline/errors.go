package pipeline

import (
	"errors"
	"fmt"
)

// UsageError is a command that cannot mean anything, whatever its files hold.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

func usage(format string, a ...any) error { return UsageError{fmt.Errorf(format, a...)} }

// ErrInterrupted is what Run returns when Job.Stop ended it early.
var ErrInterrupted = errors.New("interrupted")
