package video

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// trustShown trusts nothing that before did not show: what was transparent, where f
// leads or, for nil, in its place, is new. What content does not show is not missed.
func trustShown(trust []float32, content, before *filter.Frame, f *flow.Field) {
	if content.Alpha == nil && before.Alpha == nil {
		return
	}
	for i := range trust {
		from := i
		if f != nil {
			from = nearest(f, i%f.W, i/f.W)
		}
		switch {
		case content.Alpha != nil && content.Alpha[i] == 0:
			trust[i] = 1
		case before.Alpha != nil && before.Alpha[from] == 0:
			trust[i] = 0
		}
	}
}

// unmoved starts from the result before, in its place, but where that was
// transparent.
func (h *History) unmoved(content *filter.Frame) filter.Guide {
	g := filter.Guide{Start: h.result, Margin: h.margin}
	trust := make([]float32, content.W*content.H)
	for i := range trust {
		trust[i] = 1
	}
	trustShown(trust, content, h.content, nil)
	fresh, some := make([]float32, len(trust)), false
	for i, t := range trust {
		fresh[i], some = 1-t, some || t < 1
	}
	if some {
		g.Start, g.New = content.With(fill(h.result.Pix, content.Pix, trust, content.W, content.H)), fresh
	}
	return g
}
