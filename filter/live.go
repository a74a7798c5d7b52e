package filter

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Live lets other goroutines look at a picture while it is painted, and change how. A Filter
// asks it once before every step: two atomic loads, unless there is something to do. Nobody who
// only looks changes a bit of the result.
type Live struct {
	onLook func(Look)

	mu      sync.Mutex // of changes to orders
	orders  atomic.Pointer[Orders]
	look    atomic.Bool
	changed chan struct{} // wakes a painter that waits
}

// Look is a picture that Live.Look has asked for: as it would be if the painting ended there, at
// the size of the scale.
type Look struct {
	Frame    *Frame
	Progress Progress      // of the latest step
	Took     time.Duration // for which the painting waited
}

// Orders are what a Live asks of the painter.
type Orders struct {
	Factors Factors
	Paused  bool
	Next    int  // how often the painter was told to go on to the next scale
	Stop    bool // end this picture, and every later one, with what is painted
	Hold    bool // when a picture's steps are done, wait for other Factors or Stop, and make them again
}

// Factors multiply Options.ContentWeight, StyleWeight and TVWeight; 1 leaves one as it is.
type Factors struct {
	Content float64 `json:"content"`
	Style   float64 `json:"style"`
	TV      float64 `json:"tv"`
}

// NewLive returns a Live without orders. The goroutine that paints calls onLook, which must be
// quick, and may keep the frame.
func NewLive(onLook func(Look)) *Live {
	l := &Live{onLook: onLook, changed: make(chan struct{}, 1)}
	l.orders.Store(&Orders{Factors: Factors{1, 1, 1}})
	return l
}

// Look asks for the picture as it is at the next step.
func (l *Live) Look() {
	l.look.Store(true)
	l.wake()
}

// Orders returns what is asked for.
func (l *Live) Orders() Orders { return *l.orders.Load() }

// Change changes what is asked for, from the next step on.
func (l *Live) Change(change func(*Orders)) {
	l.mu.Lock()
	o := l.Orders()
	change(&o)
	l.orders.Store(&o)
	l.mu.Unlock()
	l.wake()
}

func (l *Live) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// hand is what a Live has had done to one picture.
type hand struct {
	orders *Orders       // the latest ones obeyed
	paused time.Duration // in all
	notes  int           // changes, of which Report.ByHand has the first and the last
}

// obey does what Live asks before step i of the current stage, and waits while it pauses. It
// returns true if the stage ends here.
func (c *canvas) obey(ctx context.Context, p *painter, i int) (ends bool, err error) {
	for {
		l := c.f.Live
		if l == nil || ctx.Err() != nil {
			return false, ctx.Err()
		}
		if l.look.CompareAndSwap(true, false) {
			began := time.Now()
			f := c.look(p)
			l.onLook(Look{f, c.latest, time.Since(began)})
		}
		o := l.orders.Load()
		if o != c.hand.orders && c.take(o, p, i) {
			return true, nil
		}
		if !o.Paused {
			return false, nil
		}
		c.wait(ctx)
	}
}

// hold waits behind the steps of a picture if Live says so. It returns true if they are to be
// made again, with other weights.
func (c *canvas) hold(ctx context.Context, p *painter) (again bool, err error) {
	l := c.f.Live
	if l == nil || c.current+1 < len(c.stages) {
		return false, nil
	}
	before := c.hand.orders.Factors
	for l.orders.Load().Hold {
		ends, err := c.obey(ctx, p, c.stages[c.current].steps)
		if ends || err != nil {
			return false, err
		}
		if c.hand.orders.Factors != before {
			return true, nil
		}
		c.wait(ctx)
	}
	return false, ctx.Err()
}

// wait returns when there may be something new from Live.
func (c *canvas) wait(ctx context.Context) {
	began := time.Now()
	select {
	case <-c.f.Live.changed:
	case <-ctx.Done():
	}
	c.hand.paused += time.Since(began)
}

// take obeys new orders before step i. It returns true if the stage ends here.
func (c *canvas) take(o *Orders, p *painter, i int) (ends bool) {
	before := c.hand.orders
	c.hand.orders = o
	if o.Factors != before.Factors {
		p.weigh(o.Factors)
		c.noteByHand(i, o.Factors.changes(before.Factors))
	}
	switch {
	case o.Stop && i == c.stages[c.current].steps && c.current+1 == len(c.stages): // nothing is left out
	case o.Stop:
		c.report.Stopped = "stopped"
		c.noteByHand(i, "stopped")
	case o.Next > before.Next:
		c.report.Stopped = "next"
		c.noteByHand(i, "on to the next scale")
	}
	return o.Stop || o.Next > before.Next
}

// changes says how f differs from before.
func (f Factors) changes(before Factors) string {
	var all []string
	for _, w := range []struct {
		name     string
		now, was float64
	}{{"content-weight", f.Content, before.Content}, {"style-weight", f.Style, before.Style}, {"tv-weight", f.TV, before.TV}} {
		if w.now != w.was {
			all = append(all, fmt.Sprintf("%s × %.4g", w.name, w.now))
		}
	}
	return strings.Join(all, ", ")
}

// mostByHand is how many changes a Report lists: a slider that is moved makes many.
const mostByHand = 40

func (c *canvas) noteByHand(i int, what string) {
	note := fmt.Sprintf("scale %d, step %d: %s", c.current+1, i+1, what)
	if c.hand.notes++; c.hand.notes <= mostByHand {
		c.report.ByHand = append(c.report.ByHand, note)
		return
	}
	c.report.ByHand[mostByHand-1] = fmt.Sprintf("%d changes more, the last at %s", c.hand.notes-mostByHand+1, note)
}

// stopped reports whether Live has ended the picture.
func (c *canvas) stopped() bool { return c.hand.orders != nil && c.hand.orders.Stop }

// look returns the picture so far, as it would be if it ended here.
func (c *canvas) look(p *painter) *Frame {
	s, out := c.stages[c.current].size, p.picture()
	c.matchColours(out)
	return (&Frame{W: s.w, H: s.h}).With(crop(out, 3, s, c.f.o.Margin))
}

// Of returns the options with their weights multiplied, rounded to six digits.
func (f Factors) Of(o Options) Options {
	times := func(n Numbers, by float64) (out Numbers) {
		for _, v := range n {
			if by != 1 {
				v, _ = strconv.ParseFloat(strconv.FormatFloat(v*by, 'g', 6, 64), 64)
			}
			out = append(out, v)
		}
		return out
	}
	o.ContentWeight, o.StyleWeight, o.TVWeight = times(o.ContentWeight, f.Content), times(Numbers{o.StyleWeight}, f.Style)[0], times(o.TVWeight, f.TV)
	return o
}
