package filter

import (
	"context"
	"fmt"
	"math"
	"time"
)

// canvas paints one picture, coarse to fine.
type canvas struct {
	f       *Filter
	report  *Report
	frame   size        // of the input
	content []float32   // at the last stage's size
	mask    []float32   // how much pixels of the content count, at the same size; nil: all alike
	regions [][]float32 // maps of the content's regions, likewise; nil: it is painted as a whole
	stages  []stage

	current int        // position in stages
	adam    *adamState // of the stage before
	latest  Progress   // of the latest step
	hand    hand

	matchColours func(out []float32) // gives a picture of the current stage, with its margin, the styles' colours
}

// full is the last stage's size.
func (c *canvas) full() size { return c.stages[len(c.stages)-1].size }

// paint runs the stages, from the picture pix.
func (c *canvas) paint(ctx context.Context, pix []float32, g Guide) ([]float32, error) {
	full, before := c.full(), c.stages[0].size
	for i, st := range c.stages {
		now, s := time.Now(), st.size
		c.current = i
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
		if st.steps == 0 || c.stopped() {
			continue
		}
		var err error
		if pix, err = c.optimise(ctx, content, pix, g); err != nil {
			return nil, err
		}
	}
	return pix, nil
}

// optimise runs the current stage from the picture pix and returns its result.
func (c *canvas) optimise(ctx context.Context, content, pix []float32, g Guide) (_ []float32, err error) {
	f, st, now := c.f, c.stages[c.current], time.Now()
	defer f.recoverFailure(&err)
	s, last := st.size, c.current+1 == len(c.stages)
	precision := f.precision(g.Start == nil && last)
	style, err := f.styleTargets(st.network, c.frame, s, precision, g.Shares)
	if err != nil {
		return nil, err
	}
	now = c.report.since(now, "targets")
	w, err := f.workspace(st.network, s, precision, f.reservedMemory(c.frame, st, last))
	if err != nil {
		return nil, err
	}
	now = c.report.since(now, "compile")
	mask, regions := fitMask(f.threads, c.mask, c.full(), s), fitRegions(f.threads, c.regions, c.full(), s)
	grown := mirrorRegions(f.threads, regions, s, f.o.Margin)
	w.setMask(marginMask(f.threads, mask, s, f.o.Margin), grown)
	j := newObjective(f, st, w, style)
	if mask != nil {
		pix = fillMasked(f.threads, pix, mask, s) // from what has been painted around the holes
	}
	w.Upload(w.x, mirror(f.threads, content, 3, s, f.o.Margin))
	j.setContent()
	if c.hand.orders != nil {
		j.weigh(c.hand.orders.Factors)
	}
	margin := g.Margin
	if !last {
		margin = nil
	}
	w.setPrior(j, g, mask, s, f.o.Margin)
	p := newPainter(&f.o, w, j, mirrorWith(f.threads, pix, s, f.o.Margin, margin))
	p.resumeAdam(c.adam, mask != nil)
	c.adam = nil // the iterations need its memory
	c.matchColours = f.colourMatcher(mask, regions, grown, s, g.Shares)
	if err := c.iterate(ctx, p, g); err != nil {
		return nil, err
	}
	out := p.picture()
	if st.finished || c.stopped() {
		c.matchColours(out)
	}
	if last {
		c.report.Margin = marginDifference(f.threads, out, s, f.o.Margin)
		if f.ByLayer {
			c.report.Losses = p.finalLosses(out)
		}
	} else {
		c.adam = p.adamState()
	}
	out = crop(out, 3, s, f.o.Margin)
	c.report.since(now, "optimise")
	return out, nil
}

// iterate runs the stage's optimiser steps, again if Live says so.
func (c *canvas) iterate(ctx context.Context, p *painter, g Guide) error {
	for {
		if err := c.iterateOnce(ctx, p, g); err != nil {
			return err
		}
		if again, err := c.hold(ctx, p); !again {
			return err
		}
	}
}

func (c *canvas) iterateOnce(ctx context.Context, p *painter, g Guide) error {
	st := &c.stages[c.current]
	c.report.Stopped = "iterations"
	history := make([]float64, 0, st.steps)
	for i := range st.steps {
		orders := c.hand.orders
		if ends, err := c.obey(ctx, p, i); ends || err != nil {
			return err
		}
		if c.hand.orders != orders {
			history = history[:0] // of another J
		}
		step, until := time.Now(), c.deadline(g.Began.Add(c.hand.paused))
		// Reading waits for the device: a deadline needs the time of the whole step.
		read := i%lossInterval == 0 || i+1 == st.steps || !until.IsZero()
		losses, more := p.step(float64(i)/float64(st.steps), read)
		if !losses.finite() {
			return fmt.Errorf("the loss is %g after %d iterations at %d×%d: try a smaller --learning-rate, or smaller weights", losses.Total, i+1, st.w, st.h)
		}
		c.report.Iterations++
		c.report.Losses = losses
		c.reportProgress(i, losses)
		history = append(history, losses.Total)
		if !more || c.f.converged(history, g.Start != nil) {
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

// lossInterval is the number of steps between two readings of the losses under Adam, and
// between the two losses that converged compares.
const lossInterval = 10

// converged reports whether the last ten steps, or for a later frame the last step,
// changed the loss by less than the tolerance.
func (f *Filter) converged(history []float64, later bool) bool {
	span, tolerance := lossInterval, f.o.Tolerance
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

// deadline returns when the current stage must end: stages share the frame's time in
// proportion to their costs. Zero: no deadline.
func (c *canvas) deadline(began time.Time) time.Time {
	if c.f.o.Deadline == 0 {
		return time.Time{}
	}
	done, all := c.costs()
	return began.Add(time.Duration(float64(c.f.o.Deadline) * (done + c.stages[c.current].cost()) / all))
}

// costs returns the cost of the stages before the current one, and of all.
func (c *canvas) costs() (done, all float64) {
	for k := range c.stages {
		cost := c.stages[k].cost()
		if all += cost; k < c.current {
			done += cost
		}
	}
	return done, all
}

func (c *canvas) reportProgress(i int, losses Losses) {
	if c.f.OnProgress == nil && c.f.Live == nil {
		return
	}
	st := &c.stages[c.current]
	done, all := c.costs()
	done += float64(st.pixels() * (i + 1))
	c.latest = Progress{Scale: c.current + 1, Scales: len(c.stages), W: st.w, H: st.h,
		Iteration: i + 1, Iterations: st.steps, Done: done / all, Losses: losses}
	if c.f.OnProgress != nil {
		c.f.OnProgress(c.latest)
	}
}
