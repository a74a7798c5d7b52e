package pipeline

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/video/coherence"
)

// painter is the stage that looks at frames and paints them, one after another of one
// input.
type stylizer struct {
	worker *worker
	ledger *statLedger
	frames int64         // of the input; 0: not known
	begin  time.Duration // of its clock: what a player shows as 0
	stream bool          // does not say where its clock begins: at the first frame

	pictures []sequencePicture // the frames, where they have names

	plan     filter.Plan         // for frames of the first one's size
	analyzer *coherence.Analyzer // look's own; nil: frames have nothing to do with each other
	history  *coherence.History  // of analyzer's frames
}

// stage paints frames, in as many passes as are asked for, until Stop.
func (p *stylizer) stage() Stage {
	return func(ctx context.Context, in Frames) Frames {
		if p.worker.Coherence.Passes > 1 && p.coherent() {
			return p.paintPasses(ctx, p.analyze(in))
		}
		return mapStream(p.analyze(in), func(s *analyzedFrame) (*filter.Frame, error) { return p.paint(ctx, s) })
	}
}

func (p *stylizer) paint(ctx context.Context, s *analyzedFrame) (*filter.Frame, error) {
	guide, took := p.guide(s)
	content, frame := s.content, s.frame
	s.content, s.frame = nil, nil // where nothing remembers it, its picture can be collected before the end
	if p.analyzer == nil {
		frame = nil
	}
	painted, report, err := p.paintGuided(ctx, content, guide, s.took, took)
	if err != nil || p.analyzer == nil {
		return painted, err
	}
	p.history.Keep(painted, report.Margin)
	return p.atOutputSize(frame, painted), nil
}

// result is what comes of a frame: what was painted of it, at the size asked for.
func (p *stylizer) atOutputSize(frame, painted *filter.Frame) *filter.Frame {
	if p.worker.Filter.OutputSize == "work" || frame.W == painted.W && frame.H == painted.H {
		return painted
	}
	return frame.Painted(painted.Pix, painted.W, painted.H)
}

// guide says where to start on a frame, from what came of those before it, and how
// long that took.
func (p *stylizer) guide(s *analyzedFrame) (guide filter.Guide, took time.Duration) {
	if s.analysis != nil {
		began := time.Now()
		guide = p.history.Guide(s.analysis)
		s.analysis = nil // it is large
		took = time.Since(began)
	}
	guide.Began, guide.Shares = s.began, s.shares
	return guide, took
}

// render paints f by its guide, for which it took a while to look at f, and to make
// it of that.
func (p *stylizer) paintGuided(ctx context.Context, f *filter.Frame, guide filter.Guide, looked, guided time.Duration) (*filter.Frame, *filter.Report, error) {
	index := f.Index
	painted, report, err := p.worker.filter.Paint(ctx, f, guide)
	if err != nil {
		return nil, nil, p.nameError(index, err)
	}
	if looked > 0 {
		report.Seconds["flow"], report.Seconds["guide"] = looked.Seconds(), guided.Seconds()
	}
	p.ledger.painted(painted, report)
	if report.Less != p.worker.reducedMemory {
		p.worker.reducedMemory = report.Less
		p.worker.reporter.say(fmt.Sprintf("%s: frame %d: %s ran out: painted in tiles that take %s of it, which takes longer",
			p.ledger.input, painted.Index, p.worker.filter.MemoryName(), formatGB(report.Less)))
	}
	if p.worker.Verbose {
		p.worker.reporter.say(fmt.Sprintf("%s: frame %d: %d×%d, %d iterations, loss %.4g (content %.4g, style %.4g)", p.ledger.input, painted.Index,
			report.W, report.H, report.Iterations, report.Losses.Total, report.Losses.Content, report.Losses.Style))
	}
	return painted, report, nil
}

// named says in which picture of a folder an error came up.
func (p *stylizer) nameError(index int, err error) error {
	if err == nil || p.pictures == nil {
		return err
	}
	return fmt.Errorf("%s: %w", p.pictures[index].in, err)
}

// shares are those of the styles at the frame's time; nil: they are always the same.
func (p *stylizer) styleShares(f *filter.Frame) []float64 {
	if !p.worker.timeline.Changes() {
		return nil
	}
	return p.worker.timeline.Shares(secondsToDuration(presentedAt(f)) - p.begin)
}

// coherent reports whether frames follow that should look like this one.
func (p *stylizer) coherent() bool {
	return p.frames != 1 && p.worker.Filter.Init == "previous" && p.worker.Filter.Paints()
}

// forecast says what the first frame will take, or that it does not fit.
func (p *stylizer) planFirst(f *filter.Frame) (plan filter.Plan, err error) {
	if !p.worker.Filter.Paints() {
		return filter.Plan{W: f.W, H: f.H}, nil
	}
	if plan, err = p.worker.filter.Plan(f.W, f.H); err != nil {
		return plan, err
	}
	if err := p.worker.checkPlan(plan); err != nil {
		return plan, err
	}
	p.worker.reporter.say(p.ledger.input + ": " + p.forecastText(f, plan))
	return plan, nil
}

func (p *stylizer) forecastText(f *filter.Frame, plan filter.Plan) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d×%d", f.W, f.H)
	if plan.W != f.W || plan.H != f.H {
		fmt.Fprintf(&s, " painted at %d×%d", plan.W, plan.H)
	}
	if plan.Reason != "" {
		fmt.Fprintf(&s, " (%s)", plan.Reason)
	}
	fmt.Fprintf(&s, ", about %s of %s, %s", formatGB(plan.Memory), p.worker.filter.MemoryName(), briefDuration(secondsToDuration(plan.Seconds)))
	if p.frames == 1 {
		return s.String()
	}
	o := &p.worker.Filter
	later := plan.Seconds
	if o.Init == "previous" {
		later = plan.Later
	}
	first := plan.Seconds
	several := ""
	if n := p.worker.Coherence.Passes; n > 1 && p.coherent() {
		first += later * float64(n-1)
		later *= float64(n)
		several = fmt.Sprintf(" in %d passes", n)
	}
	fmt.Fprintf(&s, " for the first frame, at most %s for each that follows%s", briefDuration(secondsToDuration(later)), several)
	if p.frames > 1 {
		fmt.Fprintf(&s, ", %s for all %d", briefDuration(secondsToDuration(first+later*float64(p.frames-1))), p.frames)
	}
	return s.String()
}

func formatGB(bytes int64) string { return fmt.Sprintf("%.2g GB", float64(bytes)/1e9) }

// seen is a frame, and what painting it takes that does not depend on what becomes
// of the frames before.
type analyzedFrame struct {
	frame    *filter.Frame       // as it came
	content  *filter.Frame       // frame at the size worked at
	analysis *coherence.Analysis // nil: frames have nothing to do with each other
	shares   []float64           // of the styles; nil: they are always the same
	began    time.Time           // when the work on it did, or when it was asked for if that is later
	took     time.Duration       // to look at it
}

// look looks at frames before they are painted: at the next one while one is painted,
// unless nothing is to be read ahead. It ends after Stop.
func (p *stylizer) analyze(in Frames) iter.Seq2[*analyzedFrame, error] {
	frames := mapStream(in, p.analyzeFrame)
	if !p.worker.ZeroLatency && p.coherent() {
		frames = readAhead(frames, 0)
	}
	return timeFromDemand(untilStopped(p.worker.Stop, frames))
}

// due counts the time that each frame takes from when it was asked for.
func timeFromDemand(in iter.Seq2[*analyzedFrame, error]) iter.Seq2[*analyzedFrame, error] {
	return func(yield func(*analyzedFrame, error) bool) {
		asked := time.Now()
		for s, err := range in {
			if err == nil && s.began.Before(asked) {
				s.began = asked
			}
			if !yield(s, err) || err != nil {
				return
			}
			asked = time.Now()
		}
	}
}

// lookAt looks at f. At the first frame of the input, before anything is painted, it
// prepares for all.
func (p *stylizer) analyzeFrame(f *filter.Frame) (*analyzedFrame, error) {
	if p.history == nil {
		if err := p.prepare(f); err != nil {
			return nil, p.nameError(f.Index, err)
		}
	}
	s := &analyzedFrame{frame: f, content: f, shares: p.styleShares(f), began: time.Now()}
	if p.analyzer == nil {
		return s, nil
	}
	s.content = f.Resized(p.plan.W, p.plan.H)
	p.analyzer.SetShares(s.shares)
	var err error
	if s.analysis, err = p.analyzer.Analyze(s.content); err != nil {
		return nil, p.nameError(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
	}
	s.took = time.Since(s.began)
	return s, nil
}

// prepare plans for frames like f, the first, and says what they will take. Where they
// should look like one another, what is remembered of them has the size worked at: to
// enlarge a result and reduce it again would wear its detail off, frame by frame.
func (p *stylizer) prepare(f *filter.Frame) error {
	w := p.worker
	w.filter.Film = p.coherent()
	var err error
	if p.plan, err = p.planFirst(f); err != nil {
		return err
	}
	p.history = coherence.NewHistory(w.Threads)
	if p.coherent() {
		p.analyzer, err = coherence.NewAnalyzer(w.Coherence, w.Threads)
	}
	if p.stream {
		p.begin = secondsToDuration(presentedAt(f))
	}
	return err
}
