package coherence

import (
	"slices"

	"nstfilter/filter"
)

// History is what became of the frames before. It is for one goroutine at a time,
// which may be another than its Lookout's.
type History struct {
	pool        *pool
	w, h        int // of the frame that Guide was last asked about
	keepResults int // results that are asked for later, its own among them

	result *filter.Frame  // of the frame before; nil: not known
	margin []float32      // around it
	older  []*olderResult // before that, the latest last
}

// NewHistory returns one that remembers nothing. Threads: 0 takes all processors.
func NewHistory(threads int) *History { return &History{pool: newPool(threads)} }

// Guide returns where to start on the next frame, and what to stay near: the result
// kept before, moved along the flow of the content (Ruder, Dosovitskiy, Brox, GCPR
// 2016), each pixel held as far as its flow is trusted and it has been in sight. What
// the frame before did not show comes from older ones, and what none shows starts as
// content plus the difference of result and content around it. The first frame of a
// scene, or of another size, gets the zero Guide, and so does one whose results
// before are not all there.
func (h *History) Guide(o *Analysis) filter.Guide {
	content, mem := o.content, h.pool
	if h.w != content.W || h.h != content.H {
		mem = newPool(mem.threads)
	}
	h.pool, h.w, h.h, h.keepResults = mem, content.W, content.H, o.keepResults
	switch {
	case o.sceneStart || h.result == nil || len(o.older) > 0 && o.older[len(o.older)-1].framesAgo > len(h.older)+1:
		return filter.Guide{}
	case o.backward == nil:
		g := filter.Guide{Start: h.result, Margin: h.margin}
		if o.confidence != nil {
			g.Start = content.With(fillDisoccluded(mem, h.result.Pix, content.Pix, o.confidence, content.W, content.H))
		}
		return g
	}
	moved := warpResult(mem, h.result, o.backward)
	restoreDetail(mem, moved, h.result.Pix, o.backward)
	for i := range o.older {
		g := &o.older[i]
		blendOlder(mem, moved, h.older[len(h.older)+1-g.framesAgo], g)
	}
	return filter.Guide{Start: content.With(fillDisoccluded(mem, moved, content.Pix, o.confidence, content.W, content.H)), Margin: h.margin,
		Prior: content.With(moved), PriorWeight: o.priorWeight}
}

// Keep remembers the result of the frame that Guide was last asked about, and what
// was painted around it (filter.Report.Margin). They must not be changed
// afterwards. A result of another size than its frame is not kept, nor are those
// before it.
func (h *History) Keep(result *filter.Frame, margin []float32) {
	if h.result != nil && h.keepResults > 1 {
		h.older = append(h.older, newOlderResult(h.pool, h.result))
	}
	h.older = slices.Delete(h.older, 0, max(len(h.older)+1-h.keepResults, 0))
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
			p.pix = quantize(h.pool, result.Pix, 255)
		}
	}
}
