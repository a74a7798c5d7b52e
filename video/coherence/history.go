package coherence

import (
	"slices"

	"nstfilter/filter"
)

// History is what became of the frames before. It is for one goroutine at a time,
// which may be another than its Lookout's.
type History struct {
	desk *desk
	w, h int // of the frame that Guide was last asked about
	keep int // results that are asked for later, its own among them

	result *filter.Frame // of the frame before; nil: not known
	margin []float32     // around it
	older  []*outcome    // before that, the latest last
}

// NewHistory returns one that remembers nothing. Threads: 0 takes all processors.
func NewHistory(threads int) *History { return &History{desk: newDesk(threads)} }

// Guide returns where to start on the next frame, and what to stay near: the result
// kept before, moved along the flow of the content (Ruder, Dosovitskiy, Brox, GCPR
// 2016), each pixel held as far as its flow is trusted and it has been in sight. What
// the frame before did not show comes from older ones, and what none shows starts as
// content plus the difference of result and content around it. The first frame of a
// scene, or of another size, gets the zero Guide, and so does one whose results
// before are not all there.
func (h *History) Guide(o *Outlook) filter.Guide {
	content, d := o.content, h.desk
	if h.w != content.W || h.h != content.H {
		d = newDesk(d.threads)
	}
	h.desk, h.w, h.h, h.keep = d, content.W, content.H, o.keep
	switch {
	case o.anew || h.result == nil || len(o.older) > 0 && o.older[len(o.older)-1].ago > len(h.older)+1:
		return filter.Guide{}
	case o.back == nil:
		g := filter.Guide{Start: h.result, Margin: h.margin}
		if o.trust != nil {
			g.Start = content.With(d.fill(h.result.Pix, content.Pix, o.trust, content.W, content.H))
		}
		return g
	}
	moved := d.carry(h.result, o.back)
	d.sharpen(moved, h.result.Pix, o.back)
	for i := range o.older {
		g := &o.older[i]
		d.blend(moved, h.older[len(h.older)+1-g.ago], g)
	}
	return filter.Guide{Start: content.With(d.fill(moved, content.Pix, o.trust, content.W, content.H)), Margin: h.margin,
		Prior: content.With(moved), PriorWeight: o.weight}
}

// Keep remembers the result of the frame that Guide was last asked about, and what
// was painted around it (filter.Report.Margin). They must not be changed
// afterwards. A result of another size than its frame is not kept, nor are those
// before it.
func (h *History) Keep(result *filter.Frame, margin []float32) {
	if h.result != nil && h.keep > 1 {
		h.older = append(h.older, h.desk.newOutcome(h.result))
	}
	h.older = slices.Delete(h.older, 0, max(len(h.older)+1-h.keep, 0))
	h.result, h.margin = result.Filled(), margin
	if h.w != result.W || h.h != result.H {
		h.result, h.older = nil, nil
	}
}

// Replace remembers another result, of the same size, of the frame that result.Index
// says, if that is remembered: it was painted again since Keep.
func (h *History) Replace(result *filter.Frame, margin []float32) {
	if h.result != nil && h.result.Index == result.Index {
		h.result, h.margin = result, margin
	}
	for _, p := range h.older {
		if p.head.Index == result.Index {
			p.pix = h.desk.toBytes(result.Pix, 255)
		}
	}
}
