package video

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// oldest is the age, in frames, beyond which nothing is counted.
const oldest = 1000

// aboutAsOld is by how much something may have settled further in an older frame
// than in the one before, without being taken from there.
const aboutAsOld = 0.1

// sight is what a frame shows of an earlier one, pixel by pixel.
type sight struct {
	back  *flow.Field // to where things were
	trust []float32   // that they were there, in [0,1]
	age   []float32   // for how many frames they have been in sight
}

// look says what content shows of the frame before, by the flow from it to that one
// and the flow back; age: of before's pixels, nil: all are old.
func look(content, before *filter.Frame, age []float32, backward, forward *flow.Field, threads int) *sight {
	off := mismatch(content, before, backward, threads)
	trust := flow.Confidence(nil, backward, forward, looksSame(off, backward), threads)
	return see(trust, off, content, before, age, backward)
}

// lookBy does so along a flow that is guessed: it is trusted where it leads to what
// looks the same.
func lookBy(content, before *filter.Frame, age []float32, guess *flow.Field, threads int) *sight {
	off := mismatch(content, before, guess, threads)
	return see(looksSame(off, guess), off, content, before, age, guess)
}

// looksSame is how far f leads to what looks the same, pixel by pixel; off is by how
// much it does not.
func looksSame(off []float32, f *flow.Field) []float32 {
	same := inside(f)
	trustDetail(same, off, f.W, f.H)
	return same
}

// inside is 1 where f stays in the picture, else 0.
func inside(f *flow.Field) []float32 {
	in := make([]float32, f.W*f.H)
	for i := range in {
		u, v, known := f.At(i%f.W, i/f.W)
		x, y := float32(i%f.W)+u, float32(i/f.W)+v
		if known && x >= 0 && y >= 0 && x <= float32(f.W-1) && y <= float32(f.H-1) {
			in[i] = 1
		}
	}
	return in
}

// see lessens the trust in a flow where light differs by off, or before was
// transparent.
func see(trust, off []float32, content, before *filter.Frame, age []float32, back *flow.Field) *sight {
	trustLight(trust, off, content.W, content.H)
	trustShown(trust, content, before, back)
	return &sight{back: back, trust: trust, age: grow(age, trust, back)}
}

// carry moves a result along f, to where its things are now.
func carry(result *filter.Frame, f *flow.Field, threads int) []float32 {
	moved := make([]float32, len(result.Pix))
	flow.Warp(moved, result.Pix, f, threads)
	for i, v := range moved {
		moved[i] = min(max(v, 0), 1)
	}
	return moved
}

// join takes over from other, as far as it is trusted, what s does not show (the
// long-term weights of Ruder, Dosovitskiy, Brox, GCPR 2016, eq. 7), and of what s
// has shown for a few frames only what other shows settled: beside the edge of what
// hid it, a thing that comes back is not trusted at once, and is painted anew. It
// returns which part of each pixel, in [0,1], is other's then.
func (s *sight) join(other *sight, settle float64) (parts []float32) {
	parts = make([]float32, len(s.trust))
	for i, t := range s.trust {
		hidden := min(other.trust[i], 1-t)
		older := settled(other.age[i], settle) - settled(s.age[i], settle)
		young := t * other.trust[i] * max(older-aboutAsOld, 0)
		if hidden+young <= 0 {
			continue
		}
		part := (hidden + young) / (t + hidden)
		s.age[i] += part * (other.age[i] - s.age[i])
		s.trust[i] = t + hidden
		parts[i] = part
	}
	return parts
}

// blend takes the parts of other over into pix.
func blend(pix, other, parts []float32) {
	n := len(parts)
	for i, part := range parts {
		if part > 0 {
			for p := i; p < len(pix); p += n {
				pix[p] += part * (other[p] - pix[p])
			}
		}
	}
}

// settled says in [0,1) how far a pixel has settled that has been in sight for age
// frames.
func settled(age float32, settle float64) float32 {
	if float64(age) >= 12*settle { // as good as
		return 1
	}
	return float32(1 - math.Exp(-float64(age)/settle))
}

// unseen is the share of the picture that is not shown.
func (s *sight) unseen() float64 {
	sum := 0.0
	for _, t := range s.trust {
		sum += float64(1 - t)
	}
	return sum / float64(len(s.trust))
}

// unsettled is the share of the picture that is not shown, or has not been for long.
func (s *sight) unsettled(settle float64) float64 {
	sum := 0.0
	for i, t := range s.trust {
		sum += 1 - float64(t*settled(s.age[i], settle))
	}
	return sum / float64(len(s.trust))
}

// grow carries ages along the flow to where their pixels are now, one frame older,
// and the less the less that is trusted.
func grow(age, trust []float32, f *flow.Field) []float32 {
	out := make([]float32, len(trust))
	bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				a := float32(oldest)
				if age != nil {
					a = age[nearest(f, x, y)]
				}
				out[i] = min(a+1, oldest) * trust[i]
			}
		}
	})
	return out
}

// nearest is the pixel that f leads to from (x, y), or (x, y) itself.
func nearest(f *flow.Field, x, y int) int {
	if u, v, known := f.At(x, y); known {
		x = min(max(int(math.Round(float64(float32(x)+u))), 0), f.W-1)
		y = min(max(int(math.Round(float64(float32(y)+v))), 0), f.H-1)
	}
	return y*f.W + x
}
