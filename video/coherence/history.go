package coherence

import (
	"slices"

	"nstfilter/filter"
)

// History remembers the results of the frames before and makes the next frame's guide
// of them. It must not be used by two goroutines at once, but its Analyzer may run in
// another one.
type History struct {
	mem         *pool
	w, h        int // of the frame that Guide was last called for
	keepResults int // how many results later frames may ask for, counting the latest

	result *filter.Frame  // of the frame before; nil: not known
	margin []float32      // around result
	older  []*olderResult // before result, the latest last
}

// NewHistory returns a History without results. It uses all processors if threads is 0.
func NewHistory(threads int) *History { return &History{mem: newPool(threads)} }

// Guide returns the start and the prior of the next frame: the previous result, warped
// along the content's flow (Ruder, Dosovitskiy, Brox, GCPR 2016). The prior's weight at
// a pixel grows with the confidence in its match and with its age. What the frame
// before does not show comes from older ones. What none of them shows starts as content
// plus the difference of result and content around it.
//
// Guide returns the zero Guide for the first frame of a scene, for a frame of another
// size, and if a result that the analysis asks for is not remembered.
func (h *History) Guide(a *Analysis) filter.Guide {
	content := a.content
	if h.w != content.W || h.h != content.H {
		h.mem = newPool(h.mem.threads)
	}
	h.w, h.h, h.keepResults = content.W, content.H, a.keepResults
	switch {
	case a.sceneStart || h.result == nil || len(a.older) > 0 && a.older[len(a.older)-1].framesAgo > len(h.older)+1:
		return filter.Guide{}
	case a.backward == nil:
		g := filter.Guide{Start: h.result, Margin: h.margin}
		if a.confidence != nil {
			g.Start = content.With(fillDisoccluded(h.mem, h.result.Pix, content, a.confidence))
		}
		return g
	}
	warped := warpResult(h.mem, h.result, a.backward)
	restoreDetail(h.mem, warped, h.result.Pix, a.backward)
	for i := range a.older {
		m := &a.older[i]
		blendOlder(h.mem, warped, h.older[len(h.older)+1-m.framesAgo], m)
	}
	start := fillDisoccluded(h.mem, warped, content, a.confidence)
	return filter.Guide{Start: content.With(start), Margin: h.margin, Prior: content.With(warped), PriorWeight: a.priorWeight}
}

// Keep remembers the result of the frame that Guide was last called for, and what was
// painted around it (filter.Report.Margin). Neither may change afterwards. If the
// result has another size than its frame, Keep forgets it and all results before.
func (h *History) Keep(result *filter.Frame, margin []float32) {
	if h.result != nil && h.keepResults > 1 {
		h.older = append(h.older, newOlderResult(h.mem, h.result))
	}
	h.older = slices.Delete(h.older, 0, max(len(h.older)+1-h.keepResults, 0))
	h.result, h.margin = result.Filled(), margin
	if h.w != result.W || h.h != result.H {
		h.result, h.older = nil, nil
	}
}

// Replace exchanges the remembered result of frame result.Index for one of a later
// pass, of the same size. It does nothing if that frame's result is not remembered.
func (h *History) Replace(result *filter.Frame, margin []float32) {
	if h.result != nil && h.result.Index == result.Index {
		h.result, h.margin = result, margin
	}
	for _, o := range h.older {
		if o.head.Index == result.Index {
			o.pix = quantize(h.mem, result.Pix, 255)
		}
	}
}
