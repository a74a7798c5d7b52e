package pipeline

import (
	"errors"
	"fmt"

	"nstfilter/filter/engine"
)

// UsageError is a command that cannot mean anything, whatever its files hold.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

func usageError(format string, a ...any) error { return UsageError{fmt.Errorf(format, a...)} }

// ErrInterrupted is what Run returns when Job.Stop ended it early.
var ErrInterrupted = errors.New("interrupted")

// remedied says what to do where the device has failed.
func remedied(err error) error {
	switch {
	case errors.Is(err, engine.ErrMemory):
		return fmt.Errorf("%w: end other programs on the device, paint smaller with --size, or choose --device cpu", err)
	case deviceLost(err):
		return fmt.Errorf("%w, or choose --device cpu", err)
	}
	return err
}

// lost reports a device that is of no more use.
func deviceLost(err error) bool {
	return errors.As(err, &engine.Failure{}) && !errors.Is(err, engine.ErrMemory)
}
