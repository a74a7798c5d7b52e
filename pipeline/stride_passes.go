package pipeline

import (
	"context"
	"fmt"
	"time"

	"nstfilter/video/coherence"
)

// stridePart is what strideStylizer holds for --passes: a scene, or as much of one as may wait.
// Its anchors are painted again, each guided by those beside it, and what is between them is made
// of the last results.
type stridePart struct {
	multipass *coherence.Multipass
	anchors   []int                   // their places in the spill
	latest    *analyzedFrame          // the last of them
	before    *coherence.PaintedFrame // the last anchor of the part before, if that is of the same scene
}

func (s *strideStylizer) inPasses() bool { return s.worker.coherence.Passes > 1 }

// addAnchor adds an anchor that has been painted once, and finishes the part if it is as long as
// may be.
func (s *strideStylizer) addAnchor(ctx context.Context, a *analyzedFrame, p *coherence.PaintedFrame) error {
	s.keepFirst(p.Result)
	s.part.anchors, s.part.latest = append(s.part.anchors, s.spill.Len()), a
	if err := s.spill.Add(p); err != nil {
		return s.nameError(p.Frame.Index, err)
	}
	if s.spill.Len() >= s.worker.coherence.Lookahead || !s.spill.Room(p.Frame) {
		return s.finishPart(ctx)
	}
	return nil
}

// addLastAnchor paints the last frame of a scene, which has waited, and adds it.
func (s *strideStylizer) addLastAnchor(ctx context.Context, p *coherence.PaintedFrame) error {
	if _, err := s.paint(ctx, p, p.Held, true, time.Now()); err != nil {
		return err
	}
	s.part.anchors, s.part.latest = append(s.part.anchors, s.spill.Len()), nil
	return s.nameError(p.Frame.Index, s.spill.Add(p))
}

// finishPart paints the part's anchors in the remaining passes, and then yields all of it.
func (s *strideStylizer) finishPart(ctx context.Context) error {
	for pass := 2; pass <= s.worker.coherence.Passes && s.stop.Err() == nil; pass++ {
		if err := s.paintAnchorsAgain(ctx, pass); err != nil {
			return err
		}
	}
	first := 0
	for _, i := range s.part.anchors {
		last, err := s.spill.At(i)
		if err == nil {
			err = s.carryForward(first, i)
		}
		if err == nil {
			err = s.paintBetween(ctx, first, i-first, last)
		}
		if err == nil {
			err = s.giveAnchor(last, i+1 == s.spill.Len())
		}
		if err != nil {
			return err
		}
		first, s.part.before = i+1, last
	}
	s.part.anchors = nil
	return s.spill.Clear()
}

// giveAnchor yields the result of an anchor. The job can be gone on with behind the last one.
func (s *strideStylizer) giveAnchor(p *coherence.PaintedFrame, last bool) error {
	if last && s.part.latest != nil && s.stop.Err() == nil {
		return s.finishAnchor(s.part.latest, p, nil)
	}
	return s.give(p)
}

// paintAnchorsAgain paints the anchors once more: backward if the pass's number is even.
func (s *strideStylizer) paintAnchorsAgain(ctx context.Context, pass int) error {
	n := len(s.part.anchors)
	var neighbours []*coherence.PaintedFrame
	if pass%2 == 1 && s.part.before != nil {
		neighbours = append(neighbours, s.part.before)
	}
	for k := range n {
		place := s.part.anchors[k]
		if pass%2 == 0 {
			place = s.part.anchors[n-1-k]
		}
		p, err := s.spill.At(place)
		if err != nil {
			return err
		}
		first := s.loop.painted != nil && p.Frame.Index == 0 // stays what the last frames lead to
		if len(neighbours) > 0 && !first && (p.Held == nil || p.Held.Missing() > leftOut) {
			if err := s.paintAgain(ctx, p, neighbours); err != nil {
				return err
			}
			if err := s.spill.Replace(place, p.Result, p.Margin); err != nil {
				return s.nameError(p.Frame.Index, err)
			}
		}
		neighbours = []*coherence.PaintedFrame{p}
	}
	return nil
}

// paintAgain paints an anchor once more, guided by those beside it.
func (s *strideStylizer) paintAgain(ctx context.Context, p *coherence.PaintedFrame, neighbours []*coherence.PaintedFrame) error {
	began := time.Now()
	guide, err := s.part.multipass.Guide(p, neighbours...)
	if err != nil {
		return s.nameError(p.Frame.Index, fmt.Errorf("frame %d: %w", p.Frame.Index, err))
	}
	if guide.Shares, err = s.filterShares(p.Shares); err != nil {
		return s.nameError(p.Frame.Index, fmt.Errorf("frame %d: %w", p.Frame.Index, err))
	}
	guide.Began = began
	painted, report, err := s.paintGuided(ctx, p.Content, guide, p.Held, time.Since(began), 0)
	if err == nil {
		p.Result, p.Margin = painted, report.Margin
	}
	return err
}

// carryForward lays what the anchor before them shows by now over what is held of the frames of the
// spill from first to before i.
func (s *strideStylizer) carryForward(first, i int) error {
	before := s.part.before
	if first == i || before == nil {
		return nil
	}
	s.backward.Reset() // it is free until paintBetween
	if _, err := s.backward.Next(before.Content); err != nil {
		return err
	}
	s.backward.Key(before.Result.Filled(), nil)
	for k := first; k < i; k++ {
		p, err := s.spill.At(k)
		if err != nil {
			return err
		}
		begins, err := s.backward.Next(p.Content)
		if err != nil || begins {
			return s.nameError(p.Frame.Index, err)
		}
		if err := s.spill.Hold(k, s.backward.Held().And(p.Held)); err != nil {
			return err
		}
	}
	return nil
}
