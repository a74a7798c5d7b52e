package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/video/coherence"
)

// passes paints each scene several times: forward, as painter does, then back and
// forth again. A scene that is more than can be held is painted in parts. Frames
// are given out in their order once their part is done.
type multipassStylizer struct {
	*stylizer
	spill     *coherence.Spill
	multipass *coherence.Multipass
	lastGiven *coherence.PaintedFrame // of the scene at hand, the last frame given out; nil: none
	yield     func(*filter.Frame, error) bool
}

// errLeft ends the work for one who reads the stream no further.
var errReaderLeft = errors.New("left")

// repaint paints frames in several passes.
func (p *stylizer) paintPasses(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		s := &multipassStylizer{stylizer: p, yield: yield}
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

func (s *multipassStylizer) open() (err error) {
	w := s.worker
	if s.multipass, err = coherence.NewMultipass(w.Coherence, w.Threads); err != nil {
		return err
	}
	s.spill, err = coherence.NewSpill(w.TempDir, tempLimit(int64(w.MaxTemp), host.FreeDisk(w.TempDir))/int64(w.workers))
	return err
}

// tempLimit is how many bytes of disk frames may take while they wait, where free
// are free; 0: not known.
func tempLimit(asked, free int64) int64 {
	const most = 8e9
	switch {
	case asked > 0:
		return asked
	case free > 0:
		return min(most, free/2)
	}
	return most
}

// all paints a stream. What is held when it fails is given out as it is, before
// the error, and that before the loop ends: leaving it waits for read-ahead.
func (s *multipassStylizer) paintAll(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) error {
	for next, err := range in {
		if err == nil {
			err = s.paintFirst(ctx, next)
		}
		if err == nil {
			continue
		}
		if err != errReaderLeft && (ctx.Err() != nil || s.yieldPart() != errReaderLeft) {
			s.yield(nil, err)
		}
		return errReaderLeft
	}
	return s.finishPart(ctx)
}

// take paints a frame for the first time, after the part before it where it begins
// one.
func (s *multipassStylizer) paintFirst(ctx context.Context, next *analyzedFrame) error {
	f := next.content
	if s.spill.Len() >= s.worker.Coherence.Lookahead || !s.spill.Room(next.frame) {
		if err := s.finishPart(ctx); err != nil {
			return err
		}
		next.began = time.Now()
	}
	guide, guided := s.guide(next)
	if guide.Start == nil {
		if err := s.finishPart(ctx); err != nil {
			return err
		}
		s.lastGiven = nil
		guide.Began = time.Now()
	}
	s.reportPass(f, 1, float64(s.spill.Len())/float64(s.worker.Coherence.Passes))
	painted, report, err := s.paintGuided(ctx, f, guide, next.took, guided)
	if err != nil {
		return err
	}
	s.history.Keep(painted, report.Margin)
	return s.nameError(f.Index, s.spill.Add(&coherence.PaintedFrame{Frame: next.frame, Content: f, Result: painted, Margin: report.Margin, Shares: guide.Shares}))
}

// finish paints what is held in the passes that remain, and gives it out.
func (s *multipassStylizer) finishPart(ctx context.Context) error {
	for pass := 2; pass <= s.worker.Coherence.Passes; pass++ {
		if err := s.paintLater(ctx, pass); err != nil {
			return err
		}
	}
	return s.yieldPart()
}

// pass goes over what is held once, backward where its number is even. It begins
// at a frame as it is, or with what was given out before it. A backward pass meets
// that at its end, and where it is the last leaves a seam: to fade into the pass
// before, over eight frames, was worse, for the two differ in every stroke. After
// Stop it does nothing.
func (s *multipassStylizer) paintLater(ctx context.Context, number int) error {
	n := s.spill.Len()
	var near []*coherence.PaintedFrame
	backward := number%2 == 0
	if !backward && s.lastGiven != nil {
		near = append(near, s.lastGiven)
	}
	for k := range n {
		if s.worker.Stop.Err() != nil {
			return nil
		}
		i := k
		if backward {
			i = n - 1 - k
		}
		f, err := s.spill.At(i)
		if err != nil {
			return err
		}
		if backward && i == 0 && s.lastGiven != nil {
			near = append(near, s.lastGiven)
		}
		s.reportPass(f.Content, number, float64(n*(number-1)+k)/float64(s.worker.Coherence.Passes))
		if len(near) > 0 {
			if err := s.paintAgain(ctx, f, near); err != nil {
				return err
			}
			if err := s.spill.Replace(i, f.Result, f.Margin); err != nil {
				return s.nameError(f.Content.Index, err)
			}
		}
		near = []*coherence.PaintedFrame{f}
	}
	return nil
}

// improve paints f another time, beside its neighbours.
func (s *multipassStylizer) paintAgain(ctx context.Context, f *coherence.PaintedFrame, near []*coherence.PaintedFrame) error {
	began := time.Now()
	guide, err := s.multipass.Guide(f, near...)
	if err != nil {
		return s.nameError(f.Content.Index, fmt.Errorf("frame %d: %w", f.Content.Index, err))
	}
	guide.Began, guide.Shares = began, f.Shares
	painted, report, err := s.paintGuided(ctx, f.Content, guide, time.Since(began), 0)
	if err == nil {
		f.Result, f.Margin = painted, report.Margin
	}
	return err
}

// give gives out what is held, and lets go of it.
func (s *multipassStylizer) yieldPart() error {
	defer s.spill.Clear()
	for i := range s.spill.Len() {
		f, err := s.spill.At(i)
		if err != nil {
			return err
		}
		s.history.Replace(f.Result, f.Margin)
		s.lastGiven = f
		if !s.yield(s.atOutputSize(f.Frame, f.Result), nil) {
			return errReaderLeft
		}
	}
	return nil
}

func (s *multipassStylizer) reportPass(f *filter.Frame, pass int, held float64) {
	s.worker.reporter.pass(framePass{frame: int64(f.Index), pass: pass, passes: s.worker.Coherence.Passes, held: held})
}
