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
	content []float32 // at the last of sizes
	mask    []float32 // of the content, there; nil: all of it counts
	sizes   []size
	how     means

	scale   int      // position in sizes
	carried *moments // of the scale before
}

// paint goes through the scales, beginning with the picture start.
func (c *canvas) paint(ctx context.Context, pix []float32, g Guide) ([]float32, error) {
	before := size{}
	full := c.sizes[len(c.sizes)-1]
	for i, s := range c.sizes {
		now := time.Now()
		c.scale = i
		content := c.content
		if s == full {
			c.content = nil
		} else {
			content = resize(content, 3, full.w, full.h, s.w, s.h, bicubic)
		}
		if i > 0 {
			pix = resize(pix, 3, before.w, before.h, s.w, s.h, bicubic)
			clamp01(pix)
		}
		before = s
		c.report.since(now, "resize")
		var err error
		if pix, err = c.optimise(ctx, s, content, pix, g); err != nil {
			return nil, err
		}
	}
	return pix, nil
}

// repaint works on the picture start at each of the sizes, whose last is its own:
// what a smaller size changes is added to it where it is new, so that it keeps its
// detail and all that is settled.
func (c *canvas) repaint(ctx context.Context, pix []float32, g Guide) ([]float32, error) {
	content, full := c.content, c.sizes[len(c.sizes)-1]
	c.content = nil
	var fresh []float32
	if len(c.sizes) > 1 {
		fresh = g.fresh(full)
	}
	for i, s := range c.sizes[:len(c.sizes)-1] {
		now := time.Now()
		c.scale = i
		fit := func(pix []float32) []float32 { return resize(pix, 3, full.w, full.h, s.w, s.h, bicubic) }
		low := fit(pix)
		c.report.since(now, "resize")
		change, err := c.optimise(ctx, s, fit(content), low, g)
		if err != nil {
			return nil, err
		}
		c.carried = nil // the next picture is another
		now = time.Now()
		axpy(change, -1, low)
		sum := resize(change, 3, s.w, s.h, full.w, full.h, bicubic)
		inBlocks(len(sum), func(from, to int) {
			for i := from; i < to; i++ {
				change := float32(sum[i] * fresh[i%len(fresh)]) // rounded by itself
				sum[i] = min(max(change+pix[i], 0), 1)
			}
		})
		pix = sum
		c.report.since(now, "resize")
	}
	c.scale = len(c.sizes) - 1
	return c.optimise(ctx, full, content, pix, g)
}

// finish works on a film's first frame as on those that follow it: these would take
// away what fine noise Adam leaves, over some frames, and the film would grow softer.
func (c *canvas) finish(ctx context.Context, content, pix []float32, g Guide) ([]float32, error) {
	c.how = c.f.finishing()
	if c.how.iterations == 0 {
		return pix, nil
	}
	c.f.Close() // nothing is planned for beside Adam's vectors
	return c.optimise(ctx, c.sizes[c.scale], content, pix, g)
}

// optimise works at one scale and returns its picture.
func (c *canvas) optimise(ctx context.Context, s size, content, pix []float32, g Guide) (_ []float32, err error) {
	f, now := c.f, time.Now()
	defer f.failed(&err)
	last := c.scale+1 == len(c.sizes)
	precision := f.precision(g.Start == nil && last)
	grown := s.grow(f.o.Margin)
	f.leave(grown, precision)
	style, err := f.styleTargets(c.frame, s, precision, g.Shares)
	if err != nil {
		return nil, err
	}
	now = c.report.since(now, "targets")
	w, err := f.workspace(grown, precision, f.ownMemory(c.frame, grown, last, c.how))
	if err != nil {
		return nil, err
	}
	w.first = w.first || g.Start == nil
	now = c.report.since(now, "compile")
	j := newObjective(&f.o, f.layers, w.Evaluator, style)
	mask := fitMask(c.mask, c.sizes[len(c.sizes)-1], s)
	if mask == nil {
		w.SetMask(nil)
	} else {
		w.SetMask(mirror(mask, 1, s, f.o.Margin))
		pix = filled(pix, mask, s) // with what has been painted around
	}
	w.Upload(w.x, mirror(content, 3, s, f.o.Margin))
	j.setContent(w.x)
	around := g.Margin
	if !last {
		around = nil
	}
	w.setPrior(j, g, mask, s, f.o.Margin)
	p := newPainter(&f.o, w, j, surround(pix, s, f.o.Margin, around), c.how)
	p.receive(c.carried, mask != nil)
	c.carried = nil // the iterations need its memory

	iterations := c.iterations(c.scale)
	until := c.deadline(g.Began)
	c.report.Stopped = "iterations"
	history := make([]float64, 0, iterations)
	for i := range iterations {
		step := time.Now()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// A deadline needs to know how long a step takes to its end.
		read := i%settling == 0 || i+1 == iterations || !until.IsZero()
		losses, more := p.step(float64(i)/float64(iterations), read)
		if !losses.finite() {
			return nil, fmt.Errorf("the loss is %g after %d iterations at %d×%d: try a smaller --learning-rate, or smaller weights", losses.Total, i+1, s.w, s.h)
		}
		c.report.Iterations++
		c.report.Losses = losses
		c.tell(i, losses)
		history = append(history, losses.Total)
		if !more || f.settled(history, g.Start != nil) {
			c.report.Stopped = "settled"
			break
		}
		if !until.IsZero() && time.Until(until) < time.Since(step) { // no time for another
			c.report.Stopped = "deadline"
			break
		}
	}
	out := p.picture()
	if last {
		c.report.Margin = surroundings(out, s, f.o.Margin)
		if f.ByLayer {
			w.Upload(w.x, out)
			c.report.Losses.Layers = j.byLayer(w.x)
		}
	} else {
		c.carried = p.moments()
	}
	out = crop(out, 3, s, f.o.Margin)
	c.report.since(now, "optimise")
	return out, nil
}

// iterations at a scale, at most.
func (c *canvas) iterations(scale int) int {
	if c.how.later && scale+1 < len(c.sizes) {
		return 4 * c.how.iterations // they cost little
	}
	return c.how.iterations
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

// deadline is when the scale at hand must end: each has its share of the time that
// a frame may take, by its pixels. Zero: whenever it is done.
func (c *canvas) deadline(began time.Time) time.Time {
	if c.f.o.Deadline == 0 {
		return time.Time{}
	}
	done, all := 0, 0
	for i, s := range c.sizes {
		all += s.pixels()
		if i <= c.scale {
			done += s.pixels()
		}
	}
	return began.Add(time.Duration(float64(c.f.o.Deadline) * float64(done) / float64(all)))
}

func (c *canvas) tell(i int, losses Losses) {
	if c.f.OnProgress == nil {
		return
	}
	done, all := 0.0, 0.0
	for k, s := range c.sizes {
		cost := float64(s.pixels() * c.iterations(k))
		all += cost
		if k < c.scale {
			done += cost
		}
	}
	s := c.sizes[c.scale]
	done += float64(s.pixels() * (i + 1))
	c.f.OnProgress(Progress{Scale: c.scale + 1, Scales: len(c.sizes), W: s.w, H: s.h,
		Iteration: i + 1, Iterations: c.iterations(c.scale), Done: done / all, Losses: losses})
}
