package video

import "nstfilter/filter"

// History is what is remembered of the frames before: the last result. The zero
// History remembers nothing.
type History struct{ previous *filter.Frame }

// Guide returns where to start on content: the previous result, unmoved, where
// fromPrevious is set and there is one of content's size; else the zero Guide.
func (h *History) Guide(content *filter.Frame, fromPrevious bool) filter.Guide {
	p := h.previous
	if !fromPrevious || p == nil || p.W != content.W || p.H != content.H {
		return filter.Guide{}
	}
	return filter.Guide{Start: p}
}

// Keep remembers result for the next frame. It must not be changed afterwards.
func (h *History) Keep(result *filter.Frame) { h.previous = result }
