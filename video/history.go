package video

import (
	"math"
	"slices"

	"nstfilter/filter"
)

// worthLooking is the share of a picture that must be unseen before older frames
// are asked: below it are the seams around what moves.
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
	older           []*past   // of the frames before, the latest last
}

// NewHistory returns one that remembers nothing. Threads: 0 takes all processors.
// It fails where --flow-from has no flows.
func NewHistory(o Options, threads int) (*History, error) {
	h := &History{o: o, threads: Threads(threads)}
	if o.FlowFrom != "" {
		flows, err := openFlows(o.FlowFrom)
		if err != nil {
			return nil, err
		}
		h.motion = flows
	} else if o.Flow != "none" {
		h.motion = &estimates{preset: presets[o.Flow], threads: h.threads}
	}
	return h, nil
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
		*h = History{o: h.o, threads: h.threads, motion: h.motion}
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
	apart := distance(content, h.content)
	looked := 1
	for _, k := range h.o.LongTerm {
		k = min(k, len(h.older)+1)
		if k == looked || s.unseen() < worthLooking {
			continue
		}
		looked = k
		before, result, age := h.older[len(h.older)+1-k].frames()
		backward, forward, err := h.motion.far(content, before)
		if err != nil {
			return filter.Guide{}, err
		}
		if backward != nil {
			s.join(look(content, before, result, age, backward, forward, h.threads))
			apart = min(apart, distance(content, before))
		}
	}
	if cut(s.unseen(), apart) >= h.o.Cut && h.o.Cut < 1 {
		h.next = nil
		return filter.Guide{}, nil
	}
	h.next = s.age
	weight, fresh := make([]float32, len(s.trust)), make([]float32, len(s.trust))
	for i, c := range s.trust {
		weight[i], fresh[i] = c, 1-c
		if h.o.Settle > 0 {
			weight[i] *= 1 - float32(math.Exp(-float64(s.age[i])/h.o.Settle))
		}
	}
	return filter.Guide{Start: content.With(fill(s.moved, content.Pix, s.trust, content.W, content.H)), Margin: h.margin, New: fresh,
		Prior: content.With(s.moved), PriorWeight: weight}, nil
}

// Keep remembers content, which Guide was last asked about, its result, and what
// was painted around it (filter.Report.Margin). They must not be changed
// afterwards. A result of another size is not kept.
func (h *History) Keep(content, result *filter.Frame, margin []float32) {
	if longest := slices.Max(append([]int{1}, h.o.LongTerm...)); h.content != nil && h.motion != nil && longest > 1 {
		if len(h.older) == longest-1 {
			h.older = slices.Delete(h.older, 0, 1)
		}
		h.older = append(h.older, newPast(h.content, h.result, h.age))
	}
	h.content, h.result, h.margin, h.age = content.Filled(), result.Filled(), margin, h.next
	if content.W != result.W || content.H != result.H {
		h.content, h.result, h.age, h.older = nil, nil, nil, nil
	}
}
