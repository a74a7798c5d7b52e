package video

import (
	"math"
	"runtime"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

var presets = map[string]flow.Preset{"ultrafast": flow.Ultrafast, "fast": flow.Fast, "medium": flow.Medium, "fine": flow.Fine}

// oldest is the age, in frames, beyond which nothing is counted.
const oldest = 1000

// History is what is remembered of the frame before: what it was, what became of
// it, and for how many frames each pixel has been in sight. It is for one goroutine
// at a time.
type History struct {
	o       Options
	threads int
	flow    *flow.Estimator // of content's size

	content, result *filter.Frame
	margin          []float32 // around result
	age             []float32 // of result's pixels, in frames; nil: all are old
	next            []float32 // the same of the frame that Guide was last asked about
}

// NewHistory returns one that remembers nothing. Threads: 0 takes all processors.
func NewHistory(o Options, threads int) *History {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &History{o: o, threads: threads}
}

// Guide returns where to start on content, and what to stay near: the result kept
// before, moved along the flow of the content (Ruder, Dosovitskiy, Brox, GCPR 2016),
// each pixel held as far as its flow is trusted and it has been in sight. What is
// newly seen starts as content plus the difference of result and content around it.
// The first frame of a scene, or of another size, gets the zero Guide.
func (h *History) Guide(content *filter.Frame) filter.Guide {
	if h.content == nil || h.content.W != content.W || h.content.H != content.H {
		h.content, h.result, h.next = nil, nil, nil
		if h.o.Flow != "none" {
			h.flow = flow.New(content.W, content.H, presets[h.o.Flow], h.threads)
			h.flow.Next(content)
		}
		return filter.Guide{}
	}
	if h.o.Flow == "none" {
		return filter.Guide{Start: h.result, Margin: h.margin}
	}
	forward, backward := h.flow.Next(content)
	standStill(backward)
	trust := flow.Confidence(nil, backward, forward)
	trustLight(trust, content, h.content, backward, h.threads)
	if cut(content, h.content, trust) >= h.o.Cut && h.o.Cut < 1 {
		h.next = nil
		return filter.Guide{}
	}
	moved := make([]float32, len(content.Pix))
	flow.Warp(moved, h.result.Pix, backward, h.threads)
	for i, v := range moved {
		moved[i] = min(max(v, 0), 1)
	}
	h.next = grow(h.age, trust, backward)
	weight, fresh := make([]float32, len(trust)), make([]float32, len(trust))
	for i, c := range trust {
		weight[i], fresh[i] = c, 1-c
		if h.o.Settle > 0 {
			weight[i] *= 1 - float32(math.Exp(-float64(h.next[i])/h.o.Settle))
		}
	}
	return filter.Guide{Start: content.With(fill(moved, content.Pix, trust, content.W, content.H)), Margin: h.margin, New: fresh,
		Prior: content.With(moved), PriorWeight: weight}
}

// Keep remembers content, which Guide was last asked about, its result, and what
// was painted around it (filter.Report.Margin). They
// must not be changed afterwards. A result of another size is not kept.
func (h *History) Keep(content, result *filter.Frame, margin []float32) {
	h.content, h.result, h.margin, h.age = content, result, margin, h.next
	if content.W != result.W || content.H != result.H {
		h.content, h.result, h.age = nil, nil, nil
	}
}

// grow carries ages along the flow to where their pixels are now, one frame older,
// and the less the less that is trusted.
func grow(age, trust []float32, f *flow.Field) []float32 {
	out := make([]float32, len(trust))
	for y := range f.H {
		for x := range f.W {
			i := y*f.W + x
			a := float32(oldest)
			if u, v, known := f.At(x, y); age != nil && known {
				sx := min(max(int(math.Round(float64(float32(x)+u))), 0), f.W-1)
				sy := min(max(int(math.Round(float64(float32(y)+v))), 0), f.H-1)
				a = age[sy*f.W+sx]
			}
			out[i] = min(a+1, oldest) * trust[i]
		}
	}
	return out
}
