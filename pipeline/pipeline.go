// Package pipeline moves frames from a Source through stages to a Sink.
package pipeline

import (
	"context"
	"iter"

	"nstfilter/filter"
)

// Frames is a stream that ends at its first error.
type Frames = iter.Seq2[*filter.Frame, error]

// Stage turns one stream into another; Run chains them.
type Stage func(context.Context, Frames) Frames

// Source yields frames in order, and stops when its context is cancelled.
type Source interface{ Frames(context.Context) Frames }

// Sink takes frames in order. Close finishes the output; Abort drops it, leaving
// nothing under the final name. Exactly one of the two is called.
type Sink interface {
	WriteFrame(*filter.Frame) error
	Close() error
	Abort()
}
