package video

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// oldest is the age, in frames, beyond which nothing is counted.
const oldest = 1000

// sight is what a frame shows of earlier results, pixel by pixel.
type sight struct {
	moved []float32 // the results, carried to where their things are now
	trust []float32 // in them, in [0,1]
	age   []float32 // for how many frames they have been in sight
}

// look carries the result of the frame before along backward, the flow from
// content to it; age: of result's pixels, nil: all are old.
func look(content, before, result *filter.Frame, age []float32, backward, forward *flow.Field, threads int) *sight {
	s := &sight{trust: flow.Confidence(nil, backward, forward), moved: make([]float32, len(content.Pix))}
	trustLight(s.trust, content, before, backward, threads)
	trustShown(s.trust, content, before, backward)
	flow.Warp(s.moved, result.Pix, backward, threads)
	for i, v := range s.moved {
		s.moved[i] = min(max(v, 0), 1)
	}
	s.age = grow(age, s.trust, backward)
	return s
}

// join takes over from other, as far as it is trusted, what s does not show: the
// long-term weights of Ruder, Dosovitskiy, Brox, GCPR 2016, eq. 7.
func (s *sight) join(other *sight) {
	n := len(s.trust)
	for i, t := range s.trust {
		more := min(other.trust[i], 1-t)
		if more <= 0 {
			continue
		}
		part := more / (t + more)
		for p := i; p < len(s.moved); p += n {
			s.moved[p] += part * (other.moved[p] - s.moved[p])
		}
		s.age[i] += part * (other.age[i] - s.age[i])
		s.trust[i] = t + more
	}
}

// unseen is the share of the picture that is not shown.
func (s *sight) unseen() float64 {
	sum := 0.0
	for _, t := range s.trust {
		sum += float64(1 - t)
	}
	return sum / float64(len(s.trust))
}

// grow carries ages along the flow to where their pixels are now, one frame older,
// and the less the less that is trusted.
func grow(age, trust []float32, f *flow.Field) []float32 {
	out := make([]float32, len(trust))
	for y := range f.H {
		for x := range f.W {
			i := y*f.W + x
			a := float32(oldest)
			if age != nil {
				a = age[nearest(f, x, y)]
			}
			out[i] = min(a+1, oldest) * trust[i]
		}
	}
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
