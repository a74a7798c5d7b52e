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

// multipassStylizer paints each scene several times: forward, as stylizer does, then
// backward and forward in turn (Ruder, Dosovitskiy, Brox, GCPR 2016). A scene that exceeds
// --lookahead or --max-temp is painted in parts. Frames are yielded in order when their
// part is done.
type multipassStylizer struct {
	*stylizer
	spill     *coherence.Spill
	multipass *coherence.Multipass
	lastGiven *coherence.PaintedFrame // the last frame yielded, or nil if it is of another scene
	state     *analyzerState          // behind the part's last frame, if it is to be saved
	yield     func(*filter.Frame, error) bool
}

// paintPasses is stage for several passes.
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
	if s.multipass, err = coherence.NewMultipass(w.coherence, w.options.Threads); err != nil {
		return err
	}
	s.spill, err = w.newSpill()
	return err
}

// newSpill makes the file of frames that wait, within the worker's share of --max-temp.
func (w *worker) newSpill() (*coherence.Spill, error) {
	return coherence.NewSpill(w.tempDir, tempLimit(int64(w.options.MaxTemp), host.FreeDisk(w.tempDir))/int64(w.workers))
}

// tempLimit returns how many bytes of disk frames may take while they wait. asked is
// --max-temp, or 0; free is what the disk has, or 0 if that is not known.
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

// paintAll paints a stream. If that fails, it yields the frames of the current part as they are.
func (s *multipassStylizer) paintAll(ctx context.Context, in iter.Seq2[*analyzedFrame, error]) error {
	err := takeAll(ctx, in, func(a *analyzedFrame) error { return s.paintFirst(ctx, a) },
		func() error { return s.yieldPart(false) }, func(err error) { s.yield(nil, err) })
	if err != nil {
		return err
	}
	return s.finishPart(ctx)
}

// paintFirst paints a frame for the first time. If the frame begins a part or a scene, the
// part before it is finished first.
func (s *multipassStylizer) paintFirst(ctx context.Context, next *analyzedFrame) error {
	if next.kept != nil {
		return s.yieldKept(next)
	}
	f := next.content
	if s.spill.Len() >= s.worker.coherence.Lookahead || !s.spill.Room(next.frame) {
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
	s.reportPass(f, 1, float64(s.spill.Len())/float64(s.worker.coherence.Passes))
	painted, report, err := s.paintGuided(ctx, f, guide, next.held, next.took, guided)
	if err != nil {
		return err
	}
	s.history.Keep(painted, report.Margin)
	s.keepFirst(painted)
	s.state = next.state
	return s.nameError(f.Index, s.spill.Add(&coherence.PaintedFrame{Frame: next.frame, Content: f, Result: painted, Margin: report.Margin, Shares: guide.Shares, Held: next.held}))
}

// finishPart paints the current part in the remaining passes, and yields it.
func (s *multipassStylizer) finishPart(ctx context.Context) error {
	for pass := 2; pass <= s.worker.coherence.Passes; pass++ {
		if err := s.paintLater(ctx, pass); err != nil {
			return err
		}
	}
	return s.yieldPart(s.stop.Err() == nil) // after Stop passes may be missing
}

// yieldKept yields a frame that an earlier run painted.
func (s *multipassStylizer) yieldKept(a *analyzedFrame) error {
	f := a.frame
	if int64(f.Index) == s.resumption.kept-1 {
		s.lastGiven = &coherence.PaintedFrame{Frame: f, Content: f.Resized(s.plan.W, s.plan.H), Shares: a.shares}
		s.lastGiven.Result, s.lastGiven.Margin = s.history.Last()
	}
	if !s.yield(a.kept, nil) {
		return errReaderLeft
	}
	return nil
}

// paintLater paints the current part once more: backward if the pass's number is even. A
// forward pass begins with the last frame yielded as neighbour, if that is of the same
// scene, or leaves its first frame as it is. A backward pass meets that frame at its end. If
// it is the last pass, a seam remains there: to fade into the pass before over eight frames
// looked worse, because the two differ in every stroke. After Stop paintLater does nothing.
func (s *multipassStylizer) paintLater(ctx context.Context, number int) error {
	n := s.spill.Len()
	backward := number%2 == 0
	var neighbours []*coherence.PaintedFrame
	if !backward && s.lastGiven != nil {
		neighbours = append(neighbours, s.lastGiven)
	}
	for k := range n {
		if s.stop.Err() != nil {
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
			neighbours = append(neighbours, s.lastGiven)
		}
		s.reportPass(f.Content, number, float64(n*(number-1)+k)/float64(s.worker.coherence.Passes))
		first := s.loop.painted != nil && f.Frame.Index == 0 // stays what the last frames lead to
		if len(neighbours) > 0 && !first {
			if err := s.paintAgain(ctx, f, neighbours); err != nil {
				return err
			}
			if err := s.spill.Replace(i, f.Result, f.Margin); err != nil {
				return s.nameError(f.Content.Index, err)
			}
		}
		neighbours = []*coherence.PaintedFrame{f}
	}
	return nil
}

// paintAgain paints f once more, guided by its neighbours' results.
func (s *multipassStylizer) paintAgain(ctx context.Context, f *coherence.PaintedFrame, neighbours []*coherence.PaintedFrame) error {
	began := time.Now()
	guide, err := s.multipass.Guide(f, neighbours...)
	if err != nil {
		return s.nameError(f.Content.Index, fmt.Errorf("frame %d: %w", f.Content.Index, err))
	}
	guide.Began, guide.Shares = began, f.Shares
	painted, report, err := s.paintGuided(ctx, f.Content, guide, f.Held, time.Since(began), 0)
	if err == nil {
		f.Result, f.Margin = painted, report.Margin
	}
	return err
}

// yieldPart yields the frames of the current part, and drops them. A job can go on behind a
// part that is complete.
func (s *multipassStylizer) yieldPart(complete bool) error {
	defer s.spill.Clear()
	for i := range s.spill.Len() {
		f, err := s.spill.At(i)
		if err != nil {
			return err
		}
		s.history.Replace(f.Result, f.Margin)
		s.lastGiven = f
		if complete && i == s.spill.Len()-1 {
			if err := s.saveState(f.Frame.Index, s.state); err != nil {
				return err
			}
		}
		if !s.yield(s.finished(f.Frame, f.Result), nil) {
			return errReaderLeft
		}
	}
	return nil
}

func (s *multipassStylizer) reportPass(f *filter.Frame, pass int, waiting float64) {
	s.worker.reporter.pass(framePass{frame: int64(f.Index), pass: pass, passes: s.worker.coherence.Passes, waiting: waiting})
}
