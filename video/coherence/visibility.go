package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// oldest is the age, in frames, beyond which nothing is counted.
const oldestAge = 1000

// aboutAsOld is by how much something may have settled further in an older frame
// than in the one before, without being taken from there.
const minSettledGain = 0.1

// sight is what a frame shows of an earlier one, pixel by pixel.
type visibility struct {
	confidence []float32 // that things were where the flow leads, in [0,1]
	age        []float32 // for how many frames they have been in sight
}

// look says what content shows of the frame before, by the flow from it to that one
// and the flow back; age: of before's pixels, nil: all are old.
func match(mem *pool, content, before *filter.Frame, age []float32, backward, forward *flow.Field) *visibility {
	off := warpError(mem, content, before, backward)
	same := similarity(mem, off, backward)
	confidence := flow.Confidence(mem.get(len(same)), backward, forward, same, mem.threads)
	mem.put(same)
	return checked(mem, confidence, off, content, before, age, backward)
}

// lookBy does so along a flow that is guessed: it is trusted where it leads to what
// looks the same.
func matchAlong(mem *pool, content, before *filter.Frame, age []float32, guess *flow.Field) *visibility {
	off := warpError(mem, content, before, guess)
	return checked(mem, similarity(mem, off, guess), off, content, before, age, guess)
}

// looksSame is how far f leads to what looks the same, pixel by pixel; off is by how
// much it does not.
func similarity(mem *pool, off []float32, f *flow.Field) []float32 {
	same := insideFrame(mem, f)
	checkDetail(mem, same, off, f.W, f.H)
	return same
}

// inside is 1 where f stays in the picture, else 0.
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

// see lessens the trust in a flow where light differs by off, which it leaves, or
// before was transparent.
func checked(mem *pool, confidence, off []float32, content, before *filter.Frame, age []float32, back *flow.Field) *visibility {
	checkBrightness(mem, confidence, off, content.W, content.H)
	mem.put(off)
	checkAlpha(mem, confidence, content, before, back)
	return &visibility{confidence, advanceAges(mem, age, confidence, back)}
}

// join takes over from other, as far as it is trusted, what s does not show (the
// long-term weights of Ruder, Dosovitskiy, Brox, GCPR 2016, eq. 7), and of what s
// has shown for a few frames only what other shows settled: beside the edge of what
// hid it, a thing that comes back is not trusted at once, and is painted anew. It
// returns which part of each pixel, in [0,1], is other's then.
func mergeOlder(mem *pool, s, other *visibility, settle float64) (parts []float32) {
	parts = make([]float32, len(s.confidence))
	mem.bands(len(parts), func(from, to int) {
		for i := from; i < to; i++ {
			t := s.confidence[i]
			hidden := min(other.confidence[i], 1-t)
			older := settled(other.age[i], settle) - settled(s.age[i], settle)
			young := t * other.confidence[i] * max(older-minSettledGain, 0)
			if hidden+young <= 0 {
				continue
			}
			part := (hidden + young) / (t + hidden)
			s.age[i] += part * (other.age[i] - s.age[i])
			s.confidence[i] = t + hidden
			parts[i] = part
		}
	})
	return parts
}

// settled says in [0,1) how far a pixel has settled that has been in sight for age
// frames.
func settled(age float32, settle float64) float32 {
	if float64(age) >= 12*settle { // as good as
		return 1
	}
	return float32(1 - math.Exp(-float64(age)/settle))
}

// unseen is the share of the picture that s does not show.
func unseenShare(mem *pool, s *visibility) float64 {
	return mem.mean(len(s.confidence), func(i int) float64 { return float64(1 - s.confidence[i]) })
}

// unsettled is the share of the picture that s does not show, or has not for long.
func unsettledShare(mem *pool, s *visibility, settle float64) float64 {
	return mem.mean(len(s.confidence), func(i int) float64 { return 1 - float64(s.confidence[i]*settled(s.age[i], settle)) })
}

// grow carries ages along the flow to where their pixels are now, one frame older,
// and the less the less that is trusted.
func advanceAges(mem *pool, age, confidence []float32, f *flow.Field) []float32 {
	out := mem.get(len(confidence))
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				a := float32(oldestAge)
				if age != nil {
					a = age[nearestPixel(f, x, y)]
				}
				out[i] = min(a+1, oldestAge) * confidence[i]
			}
		}
	})
	return out
}

// nearest is the pixel that f leads to from (x, y), or (x, y) itself.
func nearestPixel(f *flow.Field, x, y int) int {
	if u, v, known := f.At(x, y); known {
		x = min(int(float64(max(float32(x)+u, 0))+0.5), f.W-1)
		y = min(int(float64(max(float32(y)+v, 0))+0.5), f.H-1)
	}
	return y*f.W + x
}
