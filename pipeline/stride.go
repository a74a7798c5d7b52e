package pipeline

import (
	"context"
	"fmt"
	"iter"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/video/coherence"
)

const (
	// autoStride is the most frames from one that is painted to the next with --stride auto: motion
	// adds up, and what passes between the two is painted by itself.
	autoStride = 8
	// mostNew is the share of new areas with which --stride auto paints the next frame.
	mostNew = 0.08
	// anewShare is the share of new areas from which on they are painted coarse to fine.
	anewShare = 0.01
	// leftOut is the share of new areas up to which a frame is not painted for them: they are edges,
	// a pixel or two wide, and have the colours around them.
	leftOut = 0.006
	// leastHeld is the share of a picture that must be held for the rest to start from it.
	leastHeld = 0.5
)

// strideStylizer paints some frames of a scene, its anchors, and makes those between two anchors
// of both: it carries their results along the film's motion. All that an anchor shows is held; what
// it does not show is painted in the next one. For --key and --stride.
type strideStylizer struct {
	*stylizer
	yield             func(*filter.Frame, error) bool
	forward, backward *coherence.Carrier
	spill             *coherence.Spill // frames that wait for the next anchor

	shares []float64 // of the styles in the result that is carried forward
}

// strides reports whether only some frames are painted.
func (s *stylizer) strides() bool {
	return s.coherent() && (len(s.worker.keys) > 0 || s.worker.coherence.Stride != 1)
}

// paintStrides is stage for --key and --stride.
func (p *stylizer) paintStrides(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		s := &strideStylizer{stylizer: p, yield: yield}
		err := s.open()
		if err == nil {
			defer s.spill.Close()
			err = s.paintAll(ctx, in)
		}
		if err != nil && err != errReaderLeft {
			yield(nil, err)
		}
	}
}

func (s *strideStylizer) open() (err error) {
	w := s.worker
	if s.forward, err = coherence.NewCarrier(w.coherence, w.options.Threads); err != nil {
		return err
	}
	if s.backward, err = coherence.NewCarrier(w.coherence, w.options.Threads); err != nil {
		return err
	}
	s.spill, err = coherence.NewSpill(w.tempDir, tempLimit(int64(w.options.MaxTemp), host.FreeDisk(w.tempDir))/int64(w.workers))
	return err
}

// paintAll paints a stream. It yields an error inside the loop, whose end waits for the read-ahead
// goroutine.
func (s *strideStylizer) paintAll(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) error {
	for a, err := range in {
		if err == nil {
			err = s.take(ctx, a)
		}
		if err == nil {
			continue
		}
		if err != errReaderLeft && (ctx.Err() != nil || s.endScene(ctx) != errReaderLeft) {
			s.yield(nil, err)
		}
		return errReaderLeft
	}
	return s.endScene(ctx)
}

// take takes the next frame.
func (s *strideStylizer) take(ctx context.Context, a *analyzedFrame) error {
	f, began := a.content, time.Now()
	if a.kept != nil {
		return s.takeKept(a)
	}
	begins, err := s.forward.Next(f)
	if err == nil {
		a.shares, err = s.sharesOf(a, begins)
	}
	if err != nil {
		return s.nameError(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
	}
	begins = begins || coherence.Restarts(a.shares, s.shares)
	if begins {
		if err := s.endScene(ctx); err != nil {
			return err
		}
	}
	p := &coherence.PaintedFrame{Frame: s.protect(a.frame, s.forward.Motion(), begins), Content: f, Shares: a.shares, Held: a.held}
	if s.faces != nil {
		content := *f
		content.Strength = filter.FitMap(p.Frame.Strength, p.Frame.W, p.Frame.H, f.W, f.H)
		p.Content = &content
	}
	if !begins {
		p.Held = a.held.And(s.forward.Held().Scaled(1 - coherence.StyleRelease(a.shares, s.shares)))
	}
	switch n := s.spill.Len(); {
	case !begins && n == 0 && p.Held.Settled(s.worker.coherence.Settle).Missing() <= leftOut:
		if _, err = s.paint(ctx, p, false, began); err == nil {
			err = s.give(p)
		}
		return err
	case !begins && s.spill.Room(a.frame) && s.waits(p, n):
		return s.nameError(f.Index, s.spill.Add(p))
	}
	ages, err := s.paintAnchor(ctx, p, began)
	if err != nil {
		return err
	}
	s.forward.Key(p.Result.Filled(), ages)
	s.shares = p.Shares
	return s.finishAnchor(a, p, ages)
}

// waits reports whether p waits with n others for the next anchor.
func (s *strideStylizer) waits(p *coherence.PaintedFrame, n int) bool {
	missing := p.Held.Missing()
	if stride := int(s.worker.coherence.Stride); stride > 1 {
		return n+1 < stride && missing > 0
	}
	return n+1 < autoStride && missing > 0 && missing < mostNew
}

// paintAnchor paints p, and then what waits between the anchor before and p. It returns what paint
// returns.
func (s *strideStylizer) paintAnchor(ctx context.Context, p *coherence.PaintedFrame, began time.Time) ([]float32, error) {
	ages, err := s.paint(ctx, p, true, began)
	if err == nil && s.spill.Len() > 0 {
		err = s.paintBetween(ctx, p)
	}
	return ages, err
}

// endScene makes the last frame that waits an anchor, for no frame behind it is of its scene.
func (s *strideStylizer) endScene(ctx context.Context) error {
	n := s.spill.Len()
	if n == 0 || s.stop.Err() != nil {
		return nil
	}
	p, err := s.spill.At(n - 1)
	if err == nil {
		s.spill.Pop()
		_, err = s.paintAnchor(ctx, p, time.Now())
	}
	if err != nil {
		return err
	}
	return s.give(p)
}

// paintBetween makes the frames that wait of what is carried to them from the anchor before, and
// of last, the anchor behind them. It yields them.
func (s *strideStylizer) paintBetween(ctx context.Context, last *coherence.PaintedFrame) error {
	n, t := s.spill.Len(), s.worker.options.Threads
	s.backward.Reset()
	if _, err := s.backward.Next(last.Content); err != nil {
		return err
	}
	s.backward.Key(last.Result.Filled(), nil)
	for i := n - 1; i >= 0; i-- {
		p, err := s.spill.At(i)
		if err != nil {
			return err
		}
		begins, err := s.backward.Next(p.Content)
		if err != nil {
			return s.nameError(p.Frame.Index, fmt.Errorf("frame %d: %w", p.Frame.Index, err))
		}
		if begins {
			break
		}
		part := float64(i+1) / float64(n+1)
		if err := s.spill.Hold(i, coherence.Between(p.Held, s.backward.Held(), part, p.Content.W, p.Content.H, t)); err != nil {
			return err
		}
	}
	for i := range n {
		p, err := s.spill.At(i)
		if err == nil {
			_, err = s.paint(ctx, p, false, time.Now())
		}
		if err == nil {
			err = s.give(p)
		}
		if err != nil {
			return err
		}
	}
	return s.spill.Clear()
}

// paint paints what of p is not held, and returns for how many frames each pixel of its result has
// been painted, or nil if all are old. What is new in an anchor is painted coarse to fine at once,
// or, with a number for --stride, goes on being painted in the anchors behind it, as in film of
// which every frame is painted: that takes a sixth of the time.
func (s *strideStylizer) paint(ctx context.Context, p *coherence.PaintedFrame, anchor bool, began time.Time) (ages []float32, err error) {
	w, held, guide := s.worker, p.Held, filter.Guide{}
	if held != nil {
		settle, missing := w.coherence.Settle, held.Missing()
		guide = held.Guide(p.Content, settle, w.options.Threads)
		switch {
		case missing > leastHeld || anchor && missing >= anewShare && s.anew():
			guide.Start = nil
		case anchor:
			ages, held = held.PaintedAges(), held.Settled(settle)
		}
		if held.Missing() <= leftOut {
			p.Result = held.Over(guide.Start)
			s.ledger.painted(p.Result, &filter.Report{W: p.Content.W, H: p.Content.H, Stopped: "held", Seconds: map[string]float64{}, DeviceBudget: w.reducedMemory})
			return ages, nil
		}
	}
	if guide.Shares, err = s.filterShares(p.Shares); err != nil {
		return nil, s.nameError(p.Frame.Index, fmt.Errorf("frame %d: %w", p.Frame.Index, err))
	}
	guide.Began = began
	var report *filter.Report
	p.Result, report, err = s.paintGuided(ctx, p.Content, guide, nil, time.Since(began), 0)
	if err != nil {
		return nil, err
	}
	if p.Margin = report.Margin; held != nil {
		p.Result = held.Over(p.Result)
	}
	return ages, nil
}

// anew reports whether new areas are painted coarse to fine.
func (s *strideStylizer) anew() bool {
	return s.worker.coherence.Stride == 0 || len(s.worker.keys) > 0
}

// give yields the result of p.
func (s *strideStylizer) give(p *coherence.PaintedFrame) error {
	s.keepFirst(p.Result)
	if !s.yield(s.finished(p.Frame, p.Result), nil) {
		return errReaderLeft
	}
	return nil
}

// finishAnchor yields the result of an anchor, behind which the job can be gone on with.
func (s *strideStylizer) finishAnchor(a *analyzedFrame, p *coherence.PaintedFrame, ages []float32) error {
	state, err := s.analyzerState(a)
	if err != nil {
		return err
	}
	if state != nil {
		state.Anchor = []loopPicture{pictureOf(p.Content), pictureOf(p.Result)}
		state.Ages, state.Shares = ages, p.Shares
	}
	s.keepFirst(p.Result)
	if err := s.saveState(p.Frame.Index, state); err != nil {
		return err
	}
	return s.give(p)
}

// takeKept yields a frame that an earlier run painted. From the last one the film goes on.
func (s *strideStylizer) takeKept(a *analyzedFrame) error {
	if anchor := s.resumption.anchor; anchor != nil {
		s.resumption.anchor = nil
		if _, err := s.forward.Next(anchor[0].frame(a.frame.Index)); err != nil {
			return err
		}
		s.forward.Key(anchor[1].frame(a.frame.Index), s.resumption.ages)
		s.shares = s.resumption.shares
	}
	if !s.yield(a.kept, nil) {
		return errReaderLeft
	}
	return nil
}
