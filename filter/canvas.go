package filter

import (
	"context"
	"fmt"
	"math"
	"time"
)

// canvas is one picture in the making, coarse to fine.
type canvas struct {
	f       *Filter
	report  *Report
	frame   size      // as it came
	content []float32 // at the last stage's size
	mask    []float32 // of the content, there; nil: all of it counts
	stages  []stage

	at      int      // position in stages
	carried *moments // of the stage before
}

// full is the last stage's size.
func (c *canvas) full() size { return c.stages[len(c.stages)-1].size }

// paint goes through the stages, beginning with the picture start.
func (c *canvas) paint(ctx context.Context, pix []float32, g Guide) ([]float32, error) {
	full, before := c.full(), c.stages[0].size
	for i, st := range c.stages {
		now, s := time.Now(), st.size
		c.at = i
		content := c.content
		if i+1 == len(c.stages) {
			c.content = nil
		}
		if s != full {
			content = resize(c.f.threads, content, 3, full.w, full.h, s.w, s.h, bicubic)
		}
		if s != before {
			pix = resize(c.f.threads, pix, 3, before.w, before.h, s.w, s.h, bicubic)
			clamp01(c.f.threads, pix)
		}
		before = s
		c.report.since(now, "resize")
		if st.steps == 0 {
			continue
		}
		var err error
		if pix, err = c.optimise(ctx, content, pix, g); err != nil {
			return nil, err
		}
	}
	return pix, nil
}

// optimise does one stage and returns its picture.
func (c *canvas) optimise(ctx context.Context, content, pix []float32, g Guide) (_ []float32, err error) {
	f, st, now := c.f, c.stages[c.at], time.Now()
	defer f.failed(&err)
	s, last := st.size, c.at+1 == len(c.stages)
	precision := f.precision(g.Start == nil && last)
	style, err := f.styleTargets(st.network, c.frame, s, precision, g.Shares)
	if err != nil {
		return nil, err
	}
	now = c.report.since(now, "targets")
	w, err := f.workspace(st.network, s, precision, f.ownMemory(c.frame, st, last))
	if err != nil {
		return nil, err
	}
	now = c.report.since(now, "compile")
	j := newObjective(f, st, w, style)
	mask := fitMask(f.threads, c.mask, c.full(), s)
	w.setMask(marginMask(f.threads, mask, s, f.o.Margin))
	if mask != nil {
		pix = fillMasked(f.threads, pix, mask, s) // with what has been painted around
	}
	w.Upload(w.x, mirror(f.threads, content, 3, s, f.o.Margin))
	j.setContent()
	around := g.Margin
	if !last {
		around = nil
	}
	w.setPrior(j, g, mask, s, f.o.Margin)
	p := newPainter(&f.o, w, j, surround(f.threads, pix, s, f.o.Margin, around))
	p.receive(c.carried, mask != nil)
	c.carried = nil // the iterations need its memory
	if err := c.descend(ctx, p, g); err != nil {
		return nil, err
	}
	out := p.picture()
	if st.finished && !f.o.NoColorMatch {
		f.matchColours(out, mask, s, g.Shares)
	}
	if last {
		c.report.Margin = surroundings(f.threads, out, s, f.o.Margin)
		if f.ByLayer {
			c.report.Losses = p.judge(out)
		}
	} else {
		c.carried = p.moments()
	}
	out = crop(out, 3, s, f.o.Margin)
	c.report.since(now, "optimise")
	return out, nil
}

// descend takes the stage's steps.
func (c *canvas) descend(ctx context.Context, p *painter, g Guide) error {
	st := &c.stages[c.at]
	until := c.deadline(g.Began)
	c.report.Stopped = "iterations"
	history := make([]float64, 0, st.steps)
	for i := range st.steps {
		step := time.Now()
		if err := ctx.Err(); err != nil {
			return err
		}
		// A deadline needs to know how long a step takes to its end.
		read := i%settling == 0 || i+1 == st.steps || !until.IsZero()
		losses, more := p.step(float64(i)/float64(st.steps), read)
		if !losses.finite() {
			return fmt.Errorf("the loss is %g after %d iterations at %d×%d: try a smaller --learning-rate, or smaller weights", losses.Total, i+1, st.w, st.h)
		}
		c.report.Iterations++
		c.report.Losses = losses
		c.tell(i, losses)
		history = append(history, losses.Total)
		if !more || c.f.settled(history, g.Start != nil) {
			c.report.Stopped = "settled"
			break
		}
		if !until.IsZero() && time.Until(until) < time.Since(step) { // no time for another
			c.report.Stopped = "deadline"
			break
		}
	}
	return nil
}

// settling is the steps over which settled looks back, and from one look of Adam's at
// the losses to the next.
const settling = 10

// settled reports whether ten steps, or one of a later frame, changed the loss by
// less than the tolerance.
func (f *Filter) settled(history []float64, later bool) bool {
	span, tolerance := settling, f.o.Tolerance
	if later {
		span, tolerance = 1, f.o.FrameTolerance
	}
	n := len(history)
	if tolerance == 0 || n <= span {
		return false
	}
	old, now := history[n-1-span], history[n-1]
	return math.Abs(old-now) <= tolerance*math.Abs(old)
}

// deadline is when the stage at hand must end: each has its share of the time that a
// frame may take, by its cost. Zero: whenever it is done.
func (c *canvas) deadline(began time.Time) time.Time {
	if c.f.o.Deadline == 0 {
		return time.Time{}
	}
	done, all := c.costs()
	return began.Add(time.Duration(float64(c.f.o.Deadline) * (done + c.stages[c.at].cost()) / all))
}

// costs are those of the stages before the one at hand, and of all.
func (c *canvas) costs() (done, all float64) {
	for k := range c.stages {
		cost := c.stages[k].cost()
		if all += cost; k < c.at {
			done += cost
		}
	}
	return done, all
}

func (c *canvas) tell(i int, losses Losses) {
	if c.f.OnProgress == nil {
		return
	}
	st := &c.stages[c.at]
	done, all := c.costs()
	done += float64(st.pixels() * (i + 1))
	c.f.OnProgress(Progress{Scale: c.at + 1, Scales: len(c.stages), W: st.w, H: st.h,
		Iteration: i + 1, Iterations: st.steps, Done: done / all, Losses: losses})
}
