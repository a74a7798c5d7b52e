package pipeline

import (
	"context"
	"fmt"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// photo paints one photo. It is finished even when Stop is cancelled meanwhile.
func (w *worker) paintPhoto(ctx context.Context, t paintTask) error {
	if err := t.check(w.Overwrite); err != nil {
		return err
	}
	path, options, err := photo.ParseOutput(t.out)
	if err != nil {
		return err
	}
	l := newLedger(t.in, w.stats, w.reporter)
	start := time.Now()
	f, err := photo.Read(t.in)
	if err != nil {
		return err
	}
	l.add(f, "decode", time.Since(start))
	w.reporter.begin(t.in, 1)
	painting := &stylizer{worker: w, ledger: l, frames: 1}
	s, err := painting.analyzeFrame(f)
	var painted *filter.Frame
	if err == nil {
		painted, err = painting.paint(ctx, s)
	}
	w.filter.Close() // the next photo begins at another size
	if err != nil {
		return fmt.Errorf("%s: %w", t.in, err)
	}
	return l.sink(photoSink{path, options}).WriteFrame(painted)
}

// photoSink writes one photo, whole or not at all.
type photoSink struct{ path, options string }

func (s photoSink) WriteFrame(f *filter.Frame) error { return photo.Write(s.path, s.options, f) }
func (s photoSink) Close() error                     { return nil }
func (s photoSink) Abort()                           {}
