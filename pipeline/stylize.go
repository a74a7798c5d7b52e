package pipeline

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/faces"
	"nstfilter/video/coherence"
)

// stylizer is the stage that paints the frames of one input, one after another. It
// analyses the next frame while one is painted.
type stylizer struct {
	worker *worker
	ledger *statLedger
	stop   context.Context // when cancelled, no further frame is begun

	frames    int64             // of the input, or 0 if not known
	begin     time.Duration     // the time in the input that a player shows as 0
	beginHere bool              // begin is the first frame's time, because the input does not tell
	pictures  []sequencePicture // the frames, if they are files of their own
	mask      *mapFile          // of its regions; nil: it is painted as a whole
	strength  *mapFile          // how much of each frame is painted; nil: all

	planned  bool                // the first frame has been planned for
	plan     filter.Plan         // of frames of the first one's size
	analyzer *coherence.Analyzer // nil if frames are independent
	history  *coherence.History  // of the frames that analyzer has seen
	faces    *faces.Tracker      // nil: faces are painted

	paintings paintings // of --key, beside the painting of the frame before
	styled    paintings // of --key, for the filter's styles
	alike     int       // the key whose style a scene without one has, if there is no --style
	loop      loop

	resumption resumption
}

// loop is the first frame, to which --loop leads back.
type loop struct {
	content *filter.Frame
	result  *filter.Frame // there once painted is closed
	painted chan struct{}
}

// analyzedFrame is a frame with what can be computed before older frames are painted.
type analyzedFrame struct {
	frame    *filter.Frame       // as it was read
	content  *filter.Frame       // frame at the size it is painted at
	analysis *coherence.Analysis // nil if frames are independent
	held     *coherence.Held     // what keys show of content; nil: nothing
	key      int                 // in whose style the frame is painted, or −1
	left     int                 // index of the latest key's frame in the scene, or −1
	shares   []float64           // of the styles, and behind them of the keys; nil if they never change
	began    time.Time           // when its analysis began, or when it was asked for if that is later
	took     time.Duration       // how long its analysis took

	kept  *filter.Frame  // what goes to the sink, if the frame was painted by an earlier run
	state *analyzerState // behind this frame, if it is to be saved, or if the film goes on behind it
}

// stage paints frames, in as many passes as --passes says.
func (s *stylizer) stage() Stage {
	return func(ctx context.Context, in Frames) Frames {
		if s.strength != nil {
			in = s.strengthen(s.strength)(ctx, in)
		}
		if s.mask != nil {
			in = s.divide(s.mask)(ctx, in)
		}
		carried := mapStream(in, func(f *filter.Frame) (*analyzedFrame, error) {
			return &analyzedFrame{frame: f, key: -1, left: -1}, s.ready(f)
		})
		if s.holds() {
			s.paintings = paintings{worker: s.worker, keys: s.worker.keys}
			s.styled = s.paintings
			if s.worker.coherence.Loop {
				s.loop.painted = make(chan struct{})
			}
			carried = s.hold(ctx, in)
		}
		switch {
		case s.strides():
			return s.paintStrides(ctx, s.analyze(carried))
		case s.worker.coherence.Passes > 1 && s.coherent():
			return s.paintPasses(ctx, s.analyze(carried))
		}
		return mapStream(s.analyze(carried), func(a *analyzedFrame) (*filter.Frame, error) { return s.paint(ctx, a) })
	}
}

// holds reports whether something is carried to frames from those behind them.
func (s *stylizer) holds() bool {
	return s.coherent() && (len(s.worker.keys) > 0 || s.worker.coherence.Loop)
}

// coherent reports whether frames should look like the frames before them.
func (s *stylizer) coherent() bool {
	return s.frames != 1 && s.worker.settings.Init == "previous" && s.worker.settings.Paints()
}

// analyze analyses each frame, one ahead unless --zero-latency or a single thread forbids
// it. It ends after Stop.
func (s *stylizer) analyze(in iter.Seq2[*analyzedFrame, error]) iter.Seq2[*analyzedFrame, error] {
	frames := mapStream(in, s.analyzeFrame)
	if s.worker.options.readsAhead() && s.coherent() {
		frames = readAhead(frames, 0)
	}
	return timeFromDemand(untilStopped(s.stop, frames))
}

// timeFromDemand sets began to the time at which a frame was asked for, if it was
// analysed before.
func timeFromDemand(in iter.Seq2[*analyzedFrame, error]) iter.Seq2[*analyzedFrame, error] {
	return func(yield func(*analyzedFrame, error) bool) {
		asked := time.Now()
		for a, err := range in {
			if err == nil && a.began.Before(asked) {
				a.began = asked
			}
			if !yield(a, err) || err != nil {
				return
			}
			asked = time.Now()
		}
	}
}

// ready plans for all frames if f is the first.
func (s *stylizer) ready(f *filter.Frame) error {
	if s.planned {
		return nil
	}
	s.planned = true
	return s.nameError(f.Index, s.prepare(f))
}

// analyzeFrame adds to a frame what can be known before it is painted.
func (s *stylizer) analyzeFrame(a *analyzedFrame) (*analyzedFrame, error) {
	f := a.frame
	if int64(f.Index) < s.resumption.kept {
		return a, s.keptFrame(a)
	}
	a.began = time.Now()
	if s.strides() {
		if a.content == nil {
			a.content = f.Resized(s.plan.W, s.plan.H)
		}
		return a, nil
	}
	a.shares = s.styleShares(f)
	if s.analyzer == nil {
		a.frame = s.protect(f, nil, true)
		a.content = a.frame
		var err error
		a.state, err = s.analyzerState(a)
		return a, err
	}
	if a.content == nil {
		a.content = f.Resized(s.plan.W, s.plan.H)
	}
	s.analyzer.SetShares(a.shares)
	var err error
	if a.analysis, err = s.analyzer.Analyze(a.content); err != nil {
		return nil, s.nameError(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
	}
	if s.faces != nil {
		backward, begins := a.analysis.Motion()
		a.frame = s.protect(f, backward, begins)
		content := *a.content
		content.Strength = filter.FitMap(a.frame.Strength, f.W, f.H, content.W, content.H)
		a.content = &content
	}
	a.took = time.Since(a.began)
	a.state, err = s.analyzerState(a)
	return a, err
}

// prepare plans for all frames by the first one, f. Analysis and history work at the size
// that is painted, because to enlarge a result and reduce it again for each frame would
// blur it more and more.
func (s *stylizer) prepare(f *filter.Frame) (err error) {
	w := s.worker
	if err := w.paintInColoursOf(f); err != nil {
		return err
	}
	if s.plan, err = s.planFirst(f); err != nil {
		return err
	}
	if j := s.resumption.journal; j != nil {
		if j.Resumed {
			s.plan.W, s.plan.H = j.Width, j.Height // --size auto may choose another size today
		}
		j.Width, j.Height = s.plan.W, s.plan.H
	}
	if s.beginHere {
		s.begin = secondsToDuration(presentedAt(f))
	}
	if w.options.Protect == "faces" && w.settings.Paints() {
		if s.faces, err = faces.NewTracker(); err != nil {
			return err
		}
	}
	if !s.coherent() || s.strides() {
		return nil
	}
	s.history = coherence.NewHistory(w.options.Threads)
	s.analyzer, err = coherence.NewAnalyzer(w.coherence, w.options.Threads)
	return err
}

// planFirst says how long the input will take, or returns an error if there is too little
// memory.
func (s *stylizer) planFirst(f *filter.Frame) (plan filter.Plan, err error) {
	w := s.worker
	if !w.settings.Paints() {
		return filter.Plan{W: f.W, H: f.H}, nil
	}
	if plan, err = s.planFor(f.W, f.H); err != nil {
		return plan, err
	}
	if w.options.Progress != "none" || plan.Reason != "" {
		w.reporter.say(s.ledger.input + ": " + s.forecastText(f, plan))
	}
	w.reporter.forecast(plan.Seconds, s.laterSeconds(plan))
	return plan, nil
}

func (s *stylizer) forecastText(f *filter.Frame, plan filter.Plan) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d×%d", f.W, f.H)
	if plan.W != f.W || plan.H != f.H {
		fmt.Fprintf(&text, " painted at %d×%d", plan.W, plan.H)
	}
	if plan.Reason != "" {
		fmt.Fprintf(&text, " (%s)", plan.Reason)
	}
	fmt.Fprintf(&text, ", about %s of %s, %s", formatGB(plan.Memory), s.worker.filter.MemoryName(), briefDuration(secondsToDuration(plan.Seconds)))
	if s.frames == 1 {
		return text.String()
	}
	first, later := plan.Seconds, s.laterSeconds(plan)
	passes := ""
	if n := s.worker.coherence.Passes; n > 1 && s.coherent() {
		first += later * float64(n-1)
		later *= float64(n)
		passes = fmt.Sprintf(" in %d passes", n)
	}
	most := "at most"
	if s.strides() {
		most = "about"
	}
	fmt.Fprintf(&text, " for the first frame, %s %s for each that follows%s", most, briefDuration(secondsToDuration(later)), passes)
	if s.frames > 1 {
		fmt.Fprintf(&text, ", %s for all %d", briefDuration(secondsToDuration(first+later*float64(s.frames-1))), s.frames)
	}
	return text.String()
}

// laterSeconds returns the plan's seconds for a frame that is not the first. Of frames with a
// stride it is the mean of those painted and those between, where motion is quick.
func (s *stylizer) laterSeconds(plan filter.Plan) float64 {
	switch stride := float64(s.worker.coherence.Stride); {
	case s.worker.settings.Init != "previous":
		return plan.Seconds
	case s.strides() && (len(s.worker.keys) > 0 || s.worker.coherence.Anew):
		return plan.Seconds / autoStride
	case s.strides():
		return plan.Later / max(stride, 2)
	}
	return plan.Later
}

// styleShares returns the shares of the styles at the frame's time, or nil if they never
// change.
func (s *stylizer) styleShares(f *filter.Frame) []float64 {
	if !s.worker.styles.Changes() {
		return nil
	}
	return s.worker.styles.Shares(secondsToDuration(presentedAt(f)) - s.begin)
}

func (s *stylizer) paint(ctx context.Context, a *analyzedFrame) (*filter.Frame, error) {
	if a.kept != nil {
		return a.kept, nil
	}
	guide, took := s.guide(a)
	content, frame, held := a.content, a.frame, a.held
	a.content, a.frame, a.held = nil, nil, nil // lets the pictures be collected while one is painted
	if s.analyzer == nil {
		frame = nil
	}
	painted, report, err := s.paintGuided(ctx, content, guide, held, a.took, took)
	if s.frames == 1 {
		s.worker.filter.Close() // frees memory before the result is encoded; the next input has another size
	}
	if err != nil {
		return nil, err
	}
	if s.analyzer != nil {
		s.history.Keep(painted, report.Margin)
	}
	s.keepFirst(painted)
	if err := s.saveState(painted.Index, a.state); err != nil {
		return nil, err
	}
	if s.analyzer == nil {
		return painted, nil
	}
	return s.finished(frame, painted), nil
}

// guide returns where to start on a frame, from the results before it, and how long it
// took to compute that.
func (s *stylizer) guide(a *analyzedFrame) (guide filter.Guide, took time.Duration) {
	if a.analysis != nil {
		began := time.Now()
		guide = s.history.Guide(a.analysis)
		a.analysis = nil // it is large
		took = time.Since(began)
	}
	guide.Began, guide.Shares = a.began, a.shares
	return guide, took
}

// keepFirst keeps the result of the first frame for --loop.
func (s *stylizer) keepFirst(painted *filter.Frame) {
	if s.loop.painted != nil && painted.Index == 0 && s.loop.result == nil {
		s.loop.result = painted.Filled()
		close(s.loop.painted)
	}
}

// paintGuided paints f from its guide and what keys show of it, and reports how. The durations are
// how long the analysis and the guide took.
func (s *stylizer) paintGuided(ctx context.Context, f *filter.Frame, guide filter.Guide, held *coherence.Held, analysis, guiding time.Duration) (*filter.Frame, *filter.Report, error) {
	w, index := s.worker, f.Index
	if held != nil {
		guide = held.Hold(guide, f)
	}
	w.preview.Begin(f)
	painted, report, err := w.filter.Paint(ctx, f, guide)
	if err != nil {
		return nil, nil, s.nameError(index, err)
	}
	if held != nil {
		painted = held.Over(painted)
	}
	w.preview.Painted(painted, s.coherent() && guide.Start == nil)
	if analysis > 0 {
		report.Seconds["flow"], report.Seconds["guide"] = analysis.Seconds(), guiding.Seconds()
	}
	s.ledger.painted(painted, report)
	if report.DeviceBudget != w.reducedMemory {
		w.reducedMemory = report.DeviceBudget
		w.reporter.say(fmt.Sprintf("%s: frame %d: %s ran out: painted in tiles that take %s of it, which takes longer",
			s.ledger.input, painted.Index, w.filter.MemoryName(), formatGB(report.DeviceBudget)))
	}
	if w.options.Verbose {
		w.reporter.say(fmt.Sprintf("%s: frame %d: %d×%d, %d iterations, loss %.4g (content %.4g, style %.4g)", s.ledger.input, painted.Index,
			report.W, report.H, report.Iterations, report.Losses.Total, report.Losses.Content, report.Losses.Style))
	}
	return painted, report, nil
}

// finished returns the frame with what was painted of it, at the size of --output-size, in its
// own colours if --original-colors says so, and as much of it as its strength says.
func (s *stylizer) finished(frame, painted *filter.Frame) *filter.Frame {
	settings := &s.worker.settings
	out := painted
	if settings.OutputSize != "work" && (frame.W != painted.W || frame.H != painted.H) {
		out = frame.Painted(painted.Pix, painted.W, painted.H)
	}
	if settings.OriginalColors {
		out = out.InColoursOf(frame.Resized(out.W, out.H))
	}
	return frame.Blended(out)
}

// nameError puts the picture's name before an error, if frames are files of their own.
func (s *stylizer) nameError(index int, err error) error {
	if err == nil || s.pictures == nil {
		return err
	}
	return fmt.Errorf("%s: %w", s.pictures[index].in, err)
}
