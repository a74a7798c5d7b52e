package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"nstfilter/filter/engine"
)

// UsageError is a command that is wrong whatever its files hold.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

// UsageErrorf returns a UsageError that reads as fmt.Errorf writes it.
func UsageErrorf(format string, a ...any) error { return UsageError{fmt.Errorf(format, a...)} }

// ErrInterrupted is what Run returns when Job.Stop ended it early.
var ErrInterrupted = errors.New("interrupted")

// PartlyError is of inputs that are damaged: what could be read of them is painted, and
// kept under the result's name.
type PartlyError struct{ Err error }

func (e PartlyError) Error() string { return e.Err.Error() }
func (e PartlyError) Unwrap() error { return e.Err }

// ErrStdoutLeft is what Run returns when the reader of stdout has gone.
var ErrStdoutLeft = errors.New("stdout: its reader has gone")

// deviceLost reports whether an engine has failed for good.
func deviceLost(err error) bool {
	return errors.As(err, &engine.Failure{}) && !errors.Is(err, engine.ErrMemory)
}

// addRemedy says what to do if the device has failed.
func addRemedy(err error) error {
	switch {
	case errors.Is(err, engine.ErrMemory):
		return fmt.Errorf("%w: end other programs on the device, paint smaller with --size, or choose --device cpu", err)
	case deviceLost(err):
		return fmt.Errorf("%w, or choose --device cpu", err)
	}
	return err
}

// nameInput puts the input's name before an error that begins neither with it nor with
// one of the others, such as the output's.
func nameInput(err error, in string, others ...string) error {
	if err == nil || slices.ContainsFunc(append(others, in), func(s string) bool { return strings.HasPrefix(err.Error(), s) }) {
		return err
	}
	return fmt.Errorf("%s: %w", in, err)
}
