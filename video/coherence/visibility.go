package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// oldestAge is where ages stop counting, in frames.
const oldestAge = 1000

// minSettledGain is how much further a pixel must have settled in an older frame than
// in the frame before to be taken from the older one.
const minSettledGain = 0.1

// visibility says, for each pixel of a frame, what an earlier frame shows of it.
type visibility struct {
	confidence []float32 // that the flow leads to the same thing there, in [0,1]
	age        []float32 // for how many frames it has been in sight
}

// match compares content with an earlier frame by the flow from content to it and the
// flow back. age is that of the earlier frame's pixels; nil means that all are old.
func match(mem *pool, content, before *filter.Frame, age []float32, backward, forward *flow.Field) *visibility {
	diff := warpError(mem, content, before, backward)
	same := similarity(mem, diff, backward)
	confidence := flow.Confidence(mem.get(len(same)), backward, forward, same, mem.threads)
	mem.put(same)
	return checked(mem, confidence, diff, content, before, age, backward)
}

// matchAlong is match for a guessed flow, which has no flow back to check it by: a
// pixel counts as matched if the guess leads to something that looks the same.
func matchAlong(mem *pool, content, before *filter.Frame, age []float32, guess *flow.Field) *visibility {
	diff := warpError(mem, content, before, guess)
	return checked(mem, similarity(mem, diff, guess), diff, content, before, age, guess)
}

// similarity returns in [0,1] how far each pixel looks like the one that f leads to;
// diff is the error of that warp.
func similarity(mem *pool, diff []float32, f *flow.Field) []float32 {
	same := insideFrame(mem, f)
	checkDetail(mem, same, diff, f.W, f.H)
	return same
}

// insideFrame returns 1 for pixels whose flow ends in the picture, else 0.
func insideFrame(mem *pool, f *flow.Field) []float32 {
	in := mem.get(f.W * f.H)
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				u, v, known := f.At(x, y)
				u, v = float32(x)+u, float32(y)+v
				in[y*f.W+x] = 0
				if known && u >= 0 && v >= 0 && u <= float32(f.W-1) && v <= float32(f.H-1) {
					in[y*f.W+x] = 1
				}
			}
		}
	})
	return in
}

// checked lowers confidence where brightness differs or the earlier frame was
// transparent, and computes ages. It puts diff back into the pool.
func checked(mem *pool, confidence, diff []float32, content, before *filter.Frame, age []float32, backward *flow.Field) *visibility {
	checkBrightness(mem, confidence, diff, content.W, content.H)
	mem.put(diff)
	checkAlpha(mem, confidence, content, before, backward)
	return &visibility{confidence, advanceAges(mem, age, confidence, backward)}
}

// mergeOlder adds to v what only an older frame shows, as far as that match is
// confident (the long-term weights of Ruder, Dosovitskiy, Brox, GCPR 2016, eq. 7).
// Pixels that v has shown for a few frames only are taken from the older frame if
// they had settled there: next to the edge of an occluder, a thing that comes back is
// not matched at once but painted anew. mergeOlder returns which share of each pixel,
// in [0,1], now comes from the older frame.
func mergeOlder(mem *pool, v, older *visibility, settle float64) (share []float32) {
	share = make([]float32, len(v.confidence))
	mem.bands(len(share), func(from, to int) {
		for i := from; i < to; i++ {
			c := v.confidence[i]
			hidden := min(older.confidence[i], 1-c)
			gain := settled(older.age[i], settle) - settled(v.age[i], settle)
			young := c * older.confidence[i] * max(gain-minSettledGain, 0)
			if hidden+young <= 0 {
				continue
			}
			share[i] = (hidden + young) / (c + hidden)
			v.age[i] += share[i] * (older.age[i] - v.age[i])
			v.confidence[i] = c + hidden
		}
	})
	return share
}

// settled returns in [0,1] how far a pixel of this age has settled: it approaches 1
// exponentially, with --settle as the time constant.
func settled(age float32, settle float64) float32 {
	if float64(age) >= 12*settle { // 1 to five digits; also where settle is 0
		return 1
	}
	return float32(1 - math.Exp(-float64(age)/settle))
}

// unmatchedShare is the share of the picture that no earlier frame shows.
func unmatchedShare(mem *pool, v *visibility) float64 {
	return mem.mean(len(v.confidence), func(i int) float64 { return float64(1 - v.confidence[i]) })
}

// unsettledShare is the share of the picture that no earlier frame shows, or that has
// not settled.
func unsettledShare(mem *pool, v *visibility, settle float64) float64 {
	return mem.mean(len(v.confidence), func(i int) float64 { return 1 - float64(v.confidence[i]*settled(v.age[i], settle)) })
}

// advanceAges moves ages along the flow f to the next frame, adds one to each, and
// scales each by the confidence in the flow.
func advanceAges(mem *pool, age, confidence []float32, f *flow.Field) []float32 {
	out := mem.get(len(confidence))
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				was := float32(oldestAge)
				if age != nil {
					was = age[nearestPixel(f, x, y)]
				}
				out[i] = min(was+1, oldestAge) * confidence[i]
			}
		}
	})
	return out
}

// nearestPixel returns the index of the pixel that f leads to from (x, y), or of
// (x, y) itself if the flow is not known there.
func nearestPixel(f *flow.Field, x, y int) int {
	if u, v, known := f.At(x, y); known {
		x = min(int(float64(max(float32(x)+u, 0))+0.5), f.W-1)
		y = min(int(float64(max(float32(y)+v, 0))+0.5), f.H-1)
	}
	return y*f.W + x
}
