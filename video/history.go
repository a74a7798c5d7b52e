package video

import "nstfilter/filter"

// History is what is remembered of the frame before: what it was and what became
// of it. The zero History remembers nothing.
type History struct{ content, result *filter.Frame }

// Guide returns where to start on content: where fromPrevious is set and there is
// a previous result of content's size, that result, unmoved, plus what has changed
// in the input since; else the zero Guide. Where the input stands still, the start
// is the previous result itself; where something came or went, it shows at once.
func (h *History) Guide(content *filter.Frame, fromPrevious bool) filter.Guide {
	p := h.result
	if !fromPrevious || p == nil || p.W != content.W || p.H != content.H {
		return filter.Guide{}
	}
	start := make([]float32, len(p.Pix))
	for i, v := range p.Pix {
		start[i] = min(max(v+content.Pix[i]-h.content.Pix[i], 0), 1)
	}
	return filter.Guide{Start: p.With(start)}
}

// Keep remembers content and its result, of one size, for the next frame. They
// must not be changed afterwards. A result of another size is not kept.
func (h *History) Keep(content, result *filter.Frame) {
	h.content, h.result = content, result
	if content.W != result.W || content.H != result.H {
		h.content, h.result = nil, nil
	}
}
