package pipeline

import (
	"context"
	"fmt"
	"iter"
	"time"

	"nstfilter/filter"
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
	// leftBetween is the same for a frame between two anchors, of which each shows what the other
	// does not: what is left has no time to be seen.
	leftBetween = 0.03
	// longestHold is the most frames that nothing new is painted in until the result is carried from
	// another one: behind that a killed job goes on.
	longestHold = 64
	// leastHeld is the share of a picture that must be held for the rest to start from it.
	leastHeld = 0.5
)

// strideStylizer paints some frames of a scene, its anchors, and makes those between two anchors
// of both: it carries their results along the film's motion. All that an anchor shows is held; what
// it does not show is painted in the next one. For --key, --stride and --anew.
type strideStylizer struct {
	*stylizer
	yield             func(*filter.Frame, error) bool
	forward, backward *coherence.Carrier
	spill             *coherence.Spill // frames that wait for the next anchor, or for --passes
	waiting           int              // of those, how many are behind the last anchor

	from   int       // index of the frame whose result is carried forward
	shares []float64 // of the styles in it
	part   stridePart
}

// strides reports whether only some frames are painted.
func (s *stylizer) strides() bool {
	o := &s.worker.coherence
	return s.coherent() && o.Flow != "none" && (len(s.worker.keys) > 0 || o.Stride != 1 || o.Anew)
}

// paintStrides is stage for --key, --stride and --anew.
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
	s.forward.TrustEven()
	s.backward.TrustEven()
	if s.part.multipass, err = coherence.NewMultipass(w.coherence, w.options.Threads); err != nil {
		return err
	}
	s.spill, err = w.newSpill()
	return err
}

// paintAll paints a stream.
func (s *strideStylizer) paintAll(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) error {
	end := func() error { return s.endScene(ctx) }
	err := takeAll(ctx, in, func(a *analyzedFrame) error { return s.take(ctx, a) }, end, func(err error) { s.yield(nil, err) })
	if err != nil {
		return err
	}
	return end()
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
	switch {
	case !begins && s.waiting == 0 && s.nothingNew(p):
		if _, err = s.paint(ctx, p, p.Held, false, began); err == nil {
			err = s.give(p)
		}
		return err
	case !begins && s.waits(p, a.held):
		s.waiting++
		return s.nameError(f.Index, s.spill.Add(p))
	}
	ages, err := s.paint(ctx, p, a.held, true, began)
	if err == nil && s.inPasses() {
		p.Held = a.held // what anchors show is for the first pass alone
		err = s.addAnchor(ctx, a, p)
	} else if err == nil {
		err = s.paintBetween(ctx, 0, s.waiting, p)
	}
	if err != nil {
		return err
	}
	s.forward.Key(p.Result.Filled(), ages)
	s.waiting, s.from, s.shares = 0, f.Index, p.Shares
	if s.inPasses() {
		return nil
	}
	if err := s.spill.Clear(); err != nil {
		return err
	}
	return s.finishAnchor(a, p, ages)
}

// nothingNew reports whether p, the frame behind one that is done, is done without being painted.
func (s *strideStylizer) nothingNew(p *coherence.PaintedFrame) bool {
	return !s.inPasses() && p.Content.Index-s.from < longestHold && p.Held.Settled(s.worker.coherence.Settle).Missing() <= leftOut
}

// waits reports whether p waits for the next anchor.
func (s *strideStylizer) waits(p *coherence.PaintedFrame, given *coherence.Held) bool {
	missing := p.Held.Missing()
	if given != nil && missing == 0 || !s.spill.Room(p.Frame) {
		return false // a key's frame
	}
	if stride := int(s.worker.coherence.Stride); stride > 1 {
		return s.waiting+1 < stride
	}
	return s.waiting+1 < autoStride && missing < mostNew
}

// endScene makes the last frame that waits an anchor, for no frame behind it is of its scene.
func (s *strideStylizer) endScene(ctx context.Context) error {
	if s.stop.Err() != nil {
		return nil
	}
	n := s.waiting
	s.waiting = 0
	if n > 0 {
		p, err := s.spill.At(s.spill.Len() - 1)
		if err != nil {
			return err
		}
		s.spill.Pop()
		if s.inPasses() {
			err = s.addLastAnchor(ctx, p)
		} else if _, err = s.paint(ctx, p, p.Held, true, time.Now()); err == nil {
			if err = s.paintBetween(ctx, 0, n-1, p); err == nil {
				err = s.give(p)
			}
		}
		if err != nil {
			return err
		}
	}
	if !s.inPasses() {
		return s.spill.Clear()
	}
	err := s.finishPart(ctx)
	s.part.before = nil
	return err
}

// paintBetween makes n frames of the spill, from first on, of what is carried to them from the
// anchor before, and of last, the anchor behind them. It yields them.
func (s *strideStylizer) paintBetween(ctx context.Context, first, n int, last *coherence.PaintedFrame) error {
	if n == 0 {
		return nil
	}
	t := s.worker.options.Threads
	s.backward.Reset()
	if _, err := s.backward.Next(last.Content); err != nil {
		return err
	}
	s.backward.Key(last.Result.Filled(), nil)
	for i := n - 1; i >= 0; i-- {
		p, err := s.spill.At(first + i)
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
		if err := s.spill.Hold(first+i, coherence.Between(p.Held, s.backward.Held(), part, p.Content.W, p.Content.H, t)); err != nil {
			return err
		}
	}
	for i := range n {
		p, err := s.spill.At(first + i)
		if err == nil {
			_, err = s.paint(ctx, p, p.Held, false, time.Now())
		}
		if err == nil {
			err = s.give(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// paint paints what of p is not held, and returns for how many frames each pixel of its result has
// been painted, or nil if all are old. What is new in an anchor goes on being painted in the anchors
// behind it, as in film of which every frame is painted. With --key and --anew it is painted coarse
// to fine at once, which takes six times as long. Without them the rest of an anchor is
// painted on too, near to what it was, but for what keys show, given.
func (s *strideStylizer) paint(ctx context.Context, p *coherence.PaintedFrame, given *coherence.Held, anchor bool, began time.Time) (ages []float32, err error) {
	w, held, guide := s.worker, p.Held, filter.Guide{}
	over := held
	if held != nil {
		settle, missing := w.coherence.Settle, held.Missing()
		guide = held.Guide(p.Content, settle, w.options.Threads)
		switch {
		case missing > leastHeld || anchor && missing >= anewShare && s.anew():
			guide.Start = nil
		case anchor && s.anew():
			ages = held.PaintedAges()
		case anchor:
			ages, held, over = held.PaintedAges(), held.Settled(settle), given
		}
		if left := held.Missing(); left <= leftOut || !anchor && left <= leftBetween {
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
	if p.Margin = report.Margin; over != nil {
		p.Result = over.Over(p.Result)
	}
	return ages, nil
}

// anew reports whether new areas are painted coarse to fine.
func (s *strideStylizer) anew() bool {
	return s.worker.coherence.Anew || len(s.worker.keys) > 0
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
	s.keepFirst(p.Result)
	state, err := s.analyzerState(a)
	if err != nil {
		return err
	}
	if state != nil {
		state.Anchor = []loopPicture{pictureOf(p.Content), pictureOf(p.Result)}
		state.Ages, state.Shares = ages, p.Shares
	}
	if err := s.saveState(p.Frame.Index, state); err != nil {
		return err
	}
	return s.give(p)
}

// takeKept yields a frame that an earlier run painted. From the last one the film goes on.
func (s *strideStylizer) takeKept(a *analyzedFrame) error {
	if a.state != nil && len(a.state.Anchor) == 2 {
		content, result := a.state.Anchor[0].frame(a.frame.Index), a.state.Anchor[1].frame(a.frame.Index)
		if _, err := s.forward.Next(content); err != nil {
			return err
		}
		s.forward.Key(result, a.state.Ages)
		s.from, s.shares = a.frame.Index, a.state.Shares
		s.part.before = &coherence.PaintedFrame{Content: content, Result: result, Shares: s.shares}
	}
	if !s.yield(a.kept, nil) {
		return errReaderLeft
	}
	return nil
}
