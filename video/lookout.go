package video

import (
	"slices"

	"nstfilter/filter"
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
	o       Options
	threads int
	motion  motion // nil: there is none

	content *filter.Frame // the latest; nil: none
	age     []float32     // of its pixels, in frames; nil: all are old
	camera  *camera       // from it to the frame before; nil: not known
	older   []*past       // the frames before, the latest last

	shares    []float64 // of the styles, of the frame that Look is next asked about; nil: there is one
	unsettled float64   // how far the styles' change has let the results go, in [0,1]
}

// Outlook is what a frame's guide takes that no painted frame is needed for.
type Outlook struct {
	content *filter.Frame
	anew    bool // nothing is handed on to it
	keep    int  // results that later guides may take from, this frame's the latest of them

	back          *flow.Field // to the frame before; nil: nothing moves
	older         []glance
	trust         []float32 // in all of these together, in [0,1]
	fresh, weight []float32 // the guide's New, nil for nothing, and PriorWeight
}

// glance is what a frame takes from a result of some time ago.
type glance struct {
	ago   int // frames
	back  *flow.Field
	parts []float32 // in [0,1], that it has in each pixel
}

// NewLookout returns one that has seen nothing. Threads: 0 takes all processors. It
// fails where --flow-from has no flows.
func NewLookout(o Options, threads int) (*Lookout, error) {
	m, err := newMotion(o, Threads(threads))
	if err != nil {
		return nil, err
	}
	return &Lookout{o: o, threads: Threads(threads), motion: m}, nil
}

// Look takes the next frame, which must not be changed afterwards. The first of a
// scene, or of another size, has nothing from those before. It fails where
// --flow-from lacks a flow.
func (l *Lookout) Look(content *filter.Frame) (*Outlook, error) {
	content = content.Filled()
	if l.content == nil || l.content.W != content.W || l.content.H != content.H {
		*l = Lookout{o: l.o, threads: l.threads, motion: l.motion, content: content, shares: l.shares}
		if l.motion != nil {
			l.motion.begin(content)
		}
		return &Outlook{content: content, anew: true, keep: 1}, nil
	}
	if l.motion == nil {
		o := unmoved(content, l.content)
		l.content = content
		return o, nil
	}
	o, s, camera, err := l.follow(content)
	if err != nil {
		return nil, err
	}
	if o.anew {
		s.age, camera, l.unsettled = nil, nil, 0
	} else {
		o.hold(s, l.o.Settle, l.unsettled)
	}
	l.remember(content, s.age, camera)
	o.keep = 1 + len(l.older)
	return o, nil
}

// follow finds what content shows of the frames before, and the camera's motion
// since the latest.
func (l *Lookout) follow(content *filter.Frame) (*Outlook, *sight, *camera, error) {
	backward, forward, err := l.motion.next(content, l.content)
	if err != nil {
		return nil, nil, nil, err
	}
	s := look(content, l.content, l.age, backward, forward, l.threads)
	camera := fitCamera(backward, s.trust)
	o := &Outlook{content: content, back: backward}
	apart := distance(content, l.content)
	looked := 1
	for i, k := range l.o.LongTerm {
		k = min(k, len(l.older)+1)
		longest := i+1 == len(l.o.LongTerm)
		if k == looked || s.unseen() < worthLooking && !(longest && s.unsettled(l.o.Settle) >= worthLooking) {
			continue
		}
		looked = k
		other, d, err := l.lookBack(content, l.older[len(l.older)+1-k], camera)
		if err != nil {
			return nil, nil, nil, err
		}
		if other != nil {
			o.older = append(o.older, glance{k, other.back, s.join(other, l.o.Settle)})
			apart = min(apart, d)
		}
	}
	o.anew = cut(s.unseen(), apart) >= l.o.Cut && l.o.Cut < 1
	return o, s, camera, nil
}

// lookBack is what content shows of an older frame, and how far apart the two are:
// along flow that is given, or by the motion of the camera since then, or along flow
// that is sought. The flow over many frames of what was hidden meanwhile is found in
// parts only, and costs more. Nil: none is known.
func (l *Lookout) lookBack(content *filter.Frame, p *past, c *camera) (*sight, float64, error) {
	before, age := p.frame()
	apart := distance(content, before)
	backward, forward, err := l.motion.given(content, before)
	if err != nil {
		return nil, 0, err
	}
	if backward == nil {
		if c := c.then(p.camera); c != nil {
			return lookBy(content, before, age, c.field(content.W, content.H), l.threads), apart, nil
		}
		if backward, forward = l.motion.seek(content, before); backward == nil {
			return nil, 0, nil
		}
	}
	return look(content, before, age, backward, forward, l.threads), apart, nil
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
		l.older = append(l.older, newPast(l.content, l.age, c))
	}
	l.content, l.age, l.camera = content, age, c
}

// hold says how far what s shows is held, and how much of it counts as new.
func (o *Outlook) hold(s *sight, settle, unsettled float64) {
	o.trust, o.weight, o.fresh = s.trust, make([]float32, len(s.trust)), make([]float32, len(s.trust))
	held := 1 - float32(unsettled)
	for i, c := range s.trust {
		o.weight[i], o.fresh[i] = c*min(settled(s.age[i], settle), held), 1-c*(1+held)/2 // half new is painted coarse to fine in full
	}
}
