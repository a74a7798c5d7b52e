package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nstfilter/filter"
	"nstfilter/video"
)

// painter is the stage that paints, frame after frame of one input.
type painter struct {
	worker  *worker
	ledger  *ledger
	history *video.History // nil: frames have nothing to do with each other
	planned bool
	frames  int64         // of the input; 0: not known
	begin   time.Duration // of its clock: what a player shows as 0
	stream  bool          // does not say where its clock begins: at the first frame

	pictures []picture // the frames, where they have names
}

func (p *painter) paint(ctx context.Context, f *filter.Frame) (*filter.Frame, error) {
	guide, err := p.guide(f)
	if err != nil {
		return nil, err
	}
	kept := f
	if p.history == nil {
		kept = nil // its picture can be collected before the end
	}
	painted, report, err := p.render(ctx, f, guide, time.Since(guide.Began))
	if err == nil && kept != nil {
		p.history.Keep(kept, painted, report.Margin)
	}
	return painted, err
}

// guide says where to start on f, from what came of the frames before it.
func (p *painter) guide(f *filter.Frame) (filter.Guide, error) {
	p.worker.filter.Film = p.coherent()
	if !p.planned {
		if err := p.plan(f); err != nil {
			return filter.Guide{}, p.named(f.Index, err)
		}
		p.planned = true
	}
	var guide filter.Guide
	var err error
	if p.history == nil && p.coherent() {
		if p.history, err = video.NewHistory(p.worker.Video, p.worker.Threads); err != nil {
			return guide, p.named(f.Index, err)
		}
	}
	began := time.Now()
	if p.stream && f.Index == 0 {
		p.begin = seconds(presented(f))
	}
	shares := p.shares(f)
	if p.history != nil {
		p.history.Restyle(shares)
		if guide, err = p.history.Guide(f); err != nil {
			return guide, p.named(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
		}
	}
	guide.Began, guide.Shares = began, shares
	return guide, nil
}

// render paints f by its guide, which took a while to make.
func (p *painter) render(ctx context.Context, f *filter.Frame, guide filter.Guide, looked time.Duration) (*filter.Frame, *filter.Report, error) {
	index := f.Index
	painted, report, err := p.worker.filter.Paint(ctx, f, guide)
	if err != nil {
		return nil, nil, p.named(index, err)
	}
	if p.history != nil {
		report.Seconds["flow"] = looked.Seconds()
	}
	p.ledger.painted(painted, report)
	if report.Less != p.worker.less {
		p.worker.less = report.Less
		p.worker.tell.say(fmt.Sprintf("%s: frame %d: %s ran out: painted in tiles that take %s of it, which takes longer",
			p.ledger.input, painted.Index, p.worker.filter.MemoryName(), gigabytes(report.Less)))
	}
	if p.worker.Verbose {
		p.worker.tell.say(fmt.Sprintf("%s: frame %d: %d×%d, %d iterations, loss %.4g (content %.4g, style %.4g)", p.ledger.input, painted.Index,
			report.W, report.H, report.Iterations, report.Losses.Total, report.Losses.Content, report.Losses.Style))
	}
	return painted, report, nil
}

// named says in which picture of a folder an error came up.
func (p *painter) named(index int, err error) error {
	if err == nil || p.pictures == nil {
		return err
	}
	return fmt.Errorf("%s: %w", p.pictures[index].in, err)
}

// shares are those of the styles at the frame's time; nil: they are always the same.
func (p *painter) shares(f *filter.Frame) []float64 {
	if !p.worker.timeline.Changes() {
		return nil
	}
	return p.worker.timeline.Shares(seconds(presented(f)) - p.begin)
}

// coherent reports whether frames follow that should look like this one.
func (p *painter) coherent() bool {
	return p.frames != 1 && p.worker.Filter.Init == "previous" && p.worker.Filter.Iterations > 0
}

// plan says what the first frame will take, or that it does not fit.
func (p *painter) plan(f *filter.Frame) error {
	o := &p.worker.Filter
	if o.Iterations == 0 {
		return nil
	}
	plan, err := p.worker.filter.Plan(f.W, f.H)
	if err != nil {
		return err
	}
	if err := p.worker.fits(plan); err != nil {
		return err
	}
	p.worker.tell.say(p.ledger.input + ": " + p.forecast(f, plan))
	return nil
}

func (p *painter) forecast(f *filter.Frame, plan filter.Plan) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d×%d", f.W, f.H)
	if plan.W != f.W || plan.H != f.H {
		fmt.Fprintf(&s, " painted at %d×%d", plan.W, plan.H)
	}
	if plan.Reason != "" {
		fmt.Fprintf(&s, " (%s)", plan.Reason)
	}
	fmt.Fprintf(&s, ", about %s of %s, %s", gigabytes(plan.Memory), p.worker.filter.MemoryName(), brief(seconds(plan.Seconds)))
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
	if n := p.worker.Video.Passes; n > 1 && p.coherent() {
		first += later * float64(n-1)
		later *= float64(n)
		several = fmt.Sprintf(" in %d passes", n)
	}
	fmt.Fprintf(&s, " for the first frame, at most %s for each that follows%s", brief(seconds(later)), several)
	if p.frames > 1 {
		fmt.Fprintf(&s, ", %s for all %d", brief(seconds(first+later*float64(p.frames-1))), p.frames)
	}
	return s.String()
}

func gigabytes(bytes int64) string { return fmt.Sprintf("%.2g GB", float64(bytes)/1e9) }
