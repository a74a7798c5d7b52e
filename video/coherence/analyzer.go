package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/video"
	"nstfilter/video/flow"
)

// worthLooking is the share of a picture that must be unseen before older frames are
// asked, or unsettled before the oldest is: below it are the seams around what moves.
const worthLooking = 0.002

// Lookout follows the frames of a film as they come in: how they move, what they show
// of those before, and for how many frames each pixel has been in sight. It needs no
// painted frame, so it may be ahead of History, in a goroutine of its own. It is for
// one goroutine at a time.
type Lookout struct {
	o      Options
	desk   *desk
	motion motion // nil: there is none

	content *filter.Frame // the latest; nil: none
	bins    histogram     // its
	age     []float32     // of its pixels, in frames; nil: all are old
	older   []*past       // the frames before, the latest last

	shares    []float64 // of the styles, of the frame that Look is next asked about; nil: there is one
	unsettled float64   // how far the styles' change has let the results go, in [0,1]
}

// Outlook is what a frame's guide takes that no painted frame is needed for.
type Outlook struct {
	content *filter.Frame
	anew    bool // nothing is handed on to it
	keep    int  // results that later guides may take from, this frame's the latest of them

	back   *flow.Field // to the frame before; nil: nothing moves
	older  []glance
	trust  []float32 // in all of these together, in [0,1]; nil: it is 1
	weight []float32 // the guide's PriorWeight
}

// glance is what a frame takes from a result of some time ago.
type glance struct {
	ago    int         // frames
	camera *camera     // to that frame; nil: back
	back   *flow.Field // to it; nil: camera
	parts  []float32   // in [0,1], that it has in each pixel
}

// NewLookout returns one that has seen nothing. Threads: 0 takes all processors. It
// fails where --flow-from has no flows.
func NewLookout(o Options, threads int) (*Lookout, error) {
	m, err := newMotion(o, video.Threads(threads))
	if err != nil {
		return nil, err
	}
	return &Lookout{o: o, desk: newDesk(threads), motion: m}, nil
}

// Look takes the next frame, which must not be changed afterwards. The first of a
// scene, or of another size, has nothing from those before. It fails where
// --flow-from lacks a flow.
func (l *Lookout) Look(content *filter.Frame) (*Outlook, error) {
	content = content.Filled()
	if l.content == nil || l.content.W != content.W || l.content.H != content.H {
		*l = Lookout{o: l.o, desk: newDesk(l.desk.threads), motion: l.motion, content: content, shares: l.shares}
		if l.motion != nil {
			l.motion.begin(content)
			l.bins = l.desk.histogram(content.Pix)
		}
		return &Outlook{content: content, anew: true, keep: 1}, nil
	}
	if l.motion == nil {
		o := l.desk.unmoved(content, l.content)
		l.content = content
		return o, nil
	}
	bins := l.desk.histogram(content.Pix)
	o, s, camera, err := l.follow(content, &bins)
	if err != nil {
		return nil, err
	}
	if o.anew {
		l.desk.leave(s.trust, s.age)
		s.age, camera, l.unsettled = nil, nil, 0
	} else {
		l.desk.hold(o, s, l.o.Settle, l.unsettled)
	}
	l.remember(content, s.age, camera)
	l.bins = bins
	o.keep = 1 + len(l.older)
	return o, nil
}

// follow finds what content shows of the frames before, and the camera's motion
// since the latest.
func (l *Lookout) follow(content *filter.Frame, bins *histogram) (*Outlook, *sight, *camera, error) {
	backward, forward, err := l.motion.next(content, l.content)
	if err != nil {
		return nil, nil, nil, err
	}
	d := l.desk
	s := d.look(content, l.content, l.age, backward, forward)
	camera := fitCamera(backward, s.trust)
	o := &Outlook{content: content, back: backward}
	apart := bins.distance(&l.bins, len(s.trust))
	looked := 1
	for i, k := range l.o.LongTerm {
		k = min(k, len(l.older)+1)
		longest := i+1 == len(l.o.LongTerm)
		if k == looked || d.unseen(s) < worthLooking && !(longest && d.unsettled(s, l.o.Settle) >= worthLooking) {
			continue
		}
		looked = k
		p := l.older[len(l.older)+1-k]
		g, other, err := l.lookBack(content, p, camera)
		if err != nil {
			return nil, nil, nil, err
		}
		if other != nil {
			g.ago, g.parts = k, d.join(s, other, l.o.Settle)
			o.older = append(o.older, g)
			d.leave(other.trust, other.age)
			apart = min(apart, bins.distance(&p.bins, len(s.trust)))
		}
	}
	o.anew = cut(d.unseen(s), apart) >= l.o.Cut && l.o.Cut < 1
	return o, s, camera, nil
}

// lookBack is what content shows of an older frame: along flow that is given, or by
// the motion of the camera since then, or along flow that is sought. The flow over
// many frames of what was hidden meanwhile is found in parts only, and costs more.
// Nil: none is known.
func (l *Lookout) lookBack(content *filter.Frame, p *past, c *camera) (g glance, s *sight, err error) {
	d := l.desk
	before, age := d.frame(p)
	defer d.leave(before.Pix, age)
	backward, forward, err := l.motion.given(content, before)
	if err != nil {
		return g, nil, err
	}
	if backward == nil {
		if g.camera = c.then(p.camera); g.camera != nil {
			guess := d.cameraFlow(g.camera, content.W, content.H)
			defer d.leave(guess.U, guess.V)
			return g, d.lookBy(content, before, age, guess), nil
		}
		if backward, forward = l.motion.seek(content, before); backward == nil {
			return g, nil, nil
		}
	}
	g.back = backward
	return g, d.look(content, before, age, backward, forward), nil
}

// remember makes content the latest frame, to which the one before has moved by the
// camera, and that the latest of the older ones.
func (l *Lookout) remember(content *filter.Frame, age []float32, c *camera) {
	if longest := slices.Max(append([]int{1}, l.o.LongTerm...)); longest > 1 {
		if len(l.older) == longest-1 {
			l.older = slices.Delete(l.older, 0, 1)
		}
		for _, p := range l.older {
			p.camera = c.then(p.camera)
		}
		l.older = append(l.older, l.desk.newPast(l.content, l.age, c))
	}
	l.desk.leave(l.age)
	l.content, l.age = content, age
}

// hold says how far what s shows is held.
func (d *desk) hold(o *Outlook, s *sight, settle, unsettled float64) {
	n := len(s.trust)
	o.trust, o.weight = s.trust, make([]float32, n)
	held := 1 - float32(unsettled)
	d.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			o.weight[i] = s.trust[i] * min(settled(s.age[i], settle), held)
		}
	})
}
