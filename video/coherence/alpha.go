package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// trustShown trusts nothing that before did not show: what was transparent, where f
// leads or, for nil, in its place, is new. What content does not show is not missed.
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

// unmoved starts from the result before, in its place, but where that was
// transparent.
func analyzeWithoutFlow(mem *pool, content, before *filter.Frame) *Analysis {
	o := &Analysis{content: content, keepResults: 1}
	if before.Alpha == nil {
		return o
	}
	confidence := make([]float32, content.W*content.H)
	for i := range confidence {
		confidence[i] = 1
	}
	checkAlpha(mem, confidence, content, before, nil)
	if slices.Min(confidence) < 1 {
		o.confidence = confidence
	}
	return o
}
