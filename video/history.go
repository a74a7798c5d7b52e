package video

import (
	"slices"

	"nstfilter/filter"
)

// worthLooking is the share of a picture that must be unseen before older frames are
// asked, or unsettled before the oldest is: below it are the seams around what moves.
const worthLooking = 0.002

// History is what is remembered of the frames before: what they were, what became
// of them, and for how many frames each pixel has been in sight. It is for one
// goroutine at a time.
type History struct {
	o       Options
	threads int
	motion  motion // nil: there is none

	content, result *filter.Frame
	margin          []float32 // around result
	age             []float32 // of result's pixels, in frames; nil: all are old
	next            []float32 // the same of the frame that Guide was last asked about
	camera          *camera   // from that frame to content's; nil: not known
	older           []*past   // of the frames before, the latest last

	shares    []float64 // of the styles, of the frame that Guide is next asked about; nil: there is one
	unsettled float64   // how far the styles' change has let the results go, in [0,1]
}

// NewHistory returns one that remembers nothing. Threads: 0 takes all processors.
// It fails where --flow-from has no flows.
func NewHistory(o Options, threads int) (*History, error) {
	m, err := newMotion(o, Threads(threads))
	if err != nil {
		return nil, err
	}
	return &History{o: o, threads: Threads(threads), motion: m}, nil
}

// Guide returns where to start on content, and what to stay near: the result kept
// before, moved along the flow of the content (Ruder, Dosovitskiy, Brox, GCPR 2016),
// each pixel held as far as its flow is trusted and it has been in sight. What the
// frame before did not show comes from older ones, and what none shows starts as
// content plus the difference of result and content around it. The first frame of a
// scene, or of another size, gets the zero Guide. It fails where --flow-from lacks
// a flow.
func (h *History) Guide(content *filter.Frame) (filter.Guide, error) {
	content = content.Filled()
	if h.content == nil || h.content.W != content.W || h.content.H != content.H {
		*h = History{o: h.o, threads: h.threads, motion: h.motion, shares: h.shares}
		if h.motion != nil {
			h.motion.begin(content)
		}
		return filter.Guide{}, nil
	}
	if h.motion == nil {
		return h.unmoved(content), nil
	}
	backward, forward, err := h.motion.next(content, h.content)
	if err != nil {
		return filter.Guide{}, err
	}
	s := look(content, h.content, h.result, h.age, backward, forward, h.threads)
	sharpen(s.moved, h.result.Pix, backward)
	h.camera = fitCamera(backward, s.trust)
	apart := distance(content, h.content)
	looked := 1
	for i, k := range h.o.LongTerm {
		k = min(k, len(h.older)+1)
		longest := i+1 == len(h.o.LongTerm)
		if k == looked || s.unseen() < worthLooking && !(longest && s.unsettled(h.o.Settle) >= worthLooking) {
			continue
		}
		looked = k
		other, d, err := h.lookBack(content, h.older[len(h.older)+1-k])
		if err != nil {
			return filter.Guide{}, err
		}
		if other != nil {
			s.join(other, h.o.Settle)
			apart = min(apart, d)
		}
	}
	if cut(s.unseen(), apart) >= h.o.Cut && h.o.Cut < 1 {
		h.next, h.camera, h.unsettled = nil, nil, 0
		return filter.Guide{}, nil
	}
	h.next = s.age
	weight, fresh := make([]float32, len(s.trust)), make([]float32, len(s.trust))
	held := 1 - float32(h.unsettled)
	for i, c := range s.trust {
		weight[i], fresh[i] = c*min(settled(s.age[i], h.o.Settle), held), 1-c*(1+held)/2 // half new is painted coarse to fine in full
	}
	return filter.Guide{Start: content.With(fill(s.moved, content.Pix, s.trust, content.W, content.H)), Margin: h.margin, New: fresh,
		Prior: content.With(s.moved), PriorWeight: weight}, nil
}

// lookBack is what content shows of an older frame, and how far apart the two are:
// along flow that is given, or by the motion of the camera since then, or along flow
// that is sought. The flow over many frames of what was hidden meanwhile is found in
// parts only, and costs more. Nil: none is known.
func (h *History) lookBack(content *filter.Frame, p *past) (*sight, float64, error) {
	before, result, age := p.frames()
	apart := distance(content, before)
	backward, forward, err := h.motion.given(content, before)
	if err != nil {
		return nil, 0, err
	}
	if backward == nil {
		if c := h.camera.then(p.camera); c != nil {
			return lookBy(content, before, result, age, c.field(content.W, content.H), h.threads), apart, nil
		}
		if backward, forward = h.motion.seek(content, before); backward == nil {
			return nil, 0, nil
		}
	}
	return look(content, before, result, age, backward, forward, h.threads), apart, nil
}

// Keep remembers content, which Guide was last asked about, its result, and what
// was painted around it (filter.Report.Margin). They must not be changed
// afterwards. A result of another size is not kept.
func (h *History) Keep(content, result *filter.Frame, margin []float32) {
	if longest := slices.Max(append([]int{1}, h.o.LongTerm...)); h.content != nil && h.motion != nil && longest > 1 {
		if len(h.older) == longest-1 {
			h.older = slices.Delete(h.older, 0, 1)
		}
		for _, p := range h.older {
			p.camera = h.camera.then(p.camera)
		}
		h.older = append(h.older, newPast(h.content, h.result, h.age))
		h.older[len(h.older)-1].camera = h.camera
	}
	h.content, h.result, h.margin, h.age = content.Filled(), result.Filled(), margin, h.next
	if content.W != result.W || content.H != result.H {
		h.content, h.result, h.age, h.older = nil, nil, nil, nil
	}
}

// Replace remembers another result, of the same size, of the frame that result.Index
// says, if that is remembered: it was painted again since Keep.
func (h *History) Replace(result *filter.Frame, margin []float32) {
	if h.result != nil && h.result.Index == result.Index {
		h.result, h.margin = result, margin
	}
	for _, p := range h.older {
		if p.result.Index == result.Index {
			p.painted = toBytes(result.Pix, 255)
		}
	}
}
