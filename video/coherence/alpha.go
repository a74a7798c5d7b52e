package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// checkAlpha sets confidence to 0 where the earlier frame was transparent, at the
// pixel that f leads to, or at the same pixel if f is nil. Where content itself is
// transparent nothing is painted, and confidence is 1.
func checkAlpha(mem *pool, confidence []float32, content, before *filter.Frame, f *flow.Field) {
	if content.Alpha == nil && before.Alpha == nil {
		return
	}
	mem.bands(len(confidence), func(from, to int) {
		for i := from; i < to; i++ {
			was := i
			if f != nil {
				was = nearestPixel(f, i%f.W, i/f.W)
			}
			switch {
			case content.Alpha != nil && content.Alpha[i] == 0:
				confidence[i] = 1
			case before.Alpha != nil && before.Alpha[was] == 0:
				confidence[i] = 0
			}
		}
	})
}

// analyzeWithoutFlow analyses a frame for --flow none: it starts from the previous
// result at the same pixels, except where that was transparent.
func analyzeWithoutFlow(mem *pool, content, before *filter.Frame) *Analysis {
	a := &Analysis{content: content, keepResults: 1}
	if before.Alpha == nil {
		return a
	}
	confidence := make([]float32, content.W*content.H)
	for i := range confidence {
		confidence[i] = 1
	}
	checkAlpha(mem, confidence, content, before, nil)
	if slices.Min(confidence) < 1 {
		a.confidence = confidence
	}
	return a
}
