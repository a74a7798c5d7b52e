package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

const (
	maxRefinement = 4 // pixels: more than a composed flow drifts in a frame

	// A pixel whose way was lost is trusted again if it looks like the one that it is led to and
	// the standard deviation around it, over 7×7 pixels, lies between these bounds or above.
	textureLow, textureHigh = 0.02, 0.05
	textureRadius           = 3

	// So is one around which, over 11×11 pixels, there is nothing to tell places apart by: the flow
	// is not known there, and any will do for what the style has painted alike.
	flatLow, flatHigh = 0.01, 0.02
	flatRadius        = 5
)

// track follows where the latest frame of a film is in another one, its target, over any number
// of frames between.
type track struct {
	mem    *pool
	near   *flow.Estimator // of what is left of a composed flow
	even   bool            // what is flat may be taken from anywhere around
	target *filter.Frame
	flow   *flow.Field // from the latest frame to target; nil: they are one
	trust  []float32   // in flow, in [0,1]; nil: 1 everywhere
	steps  int         // frames between
}

// newTrack begins at target, the latest frame.
func newTrack(mem *pool, near *flow.Estimator, target *filter.Frame) *track {
	return &track{mem: mem, near: near, target: target}
}

// step goes on to content, the frame beside the latest one in the film. there leads from content
// to that, with a confidence for each pixel.
//
// Flows are added up, and what the sum is off by is sought between content and the warped
// target: without that, errors add up too.
func (t *track) step(content *filter.Frame, there *flow.Field, confidence []float32) {
	sum, trust := t.compose(there, confidence)
	likely := t.guess(content, sum, trust)
	if t.flow != nil {
		sum = t.refine(content, sum)
	}
	diff := warpError(t.mem, content, t.target, sum)
	same := similarity(t.mem, diff, sum)
	checkBrightness(t.mem, same, diff, sum.W, sum.H)
	t.mem.put(diff)
	for i, s := range same {
		trust[i] = s * max(trust[i], likely[i])
	}
	t.mem.put(same, likely)
	t.flow, t.trust = sum, trust
	t.steps++
}

// guess improves sum where the way to target was lost: there it may be as the flow around it, or
// as the motion of the camera, which finds what comes back from behind something. It returns in
// [0,1] how likely a pixel that looks the same there is the same: what moves with the camera is,
// what has texture, and what is flat.
func (t *track) guess(content *filter.Frame, sum *flow.Field, trust []float32) (likely []float32) {
	n := len(trust)
	uv := append(append(make([]float32, 0, 2*n), sum.U...), sum.V...)
	filter.Spread(uv, trust, sum.W, sum.H)
	sum.U, sum.V = uv[:n], uv[n:]
	likely = t.distinct(content)
	c := fitCamera(sum, trust)
	if c == nil {
		return likely
	}
	f := cameraFlow(t.mem, c, sum.W, sum.H)
	was, is := t.mismatchAlong(content, sum), t.mismatchAlong(content, f)
	t.mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			if trust[i] < 1 && is[i] < was[i] {
				sum.U[i], sum.V[i] = f.U[i], f.V[i]
			}
			if abs32(sum.U[i]-f.U[i])+abs32(sum.V[i]-f.V[i]) < 1 {
				likely[i] = 1
			}
		}
	})
	t.mem.put(f.U, f.V, was, is)
	return likely
}

// compose returns the flow to target by way of the latest frame, and the trust in it: the least
// on the way. It is 0 where the flow is not known.
func (t *track) compose(there *flow.Field, confidence []float32) (*flow.Field, []float32) {
	sum, trust := flow.NewField(there.W, there.H), make([]float32, len(confidence))
	t.mem.bands(there.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range there.W {
				i := y*there.W + x
				u, v, known := there.At(x, y)
				if !known {
					continue
				}
				sum.U[i], sum.V[i], trust[i] = u, v, confidence[i]
				if t.flow != nil {
					du, dv, known := t.flow.Sample(float32(x)+u, float32(y)+v)
					if !known {
						trust[i] = 0
						continue
					}
					sum.U[i], sum.V[i] = u+du, v+dv
					trust[i] = min(trust[i], t.trust[nearestPixel(there, x, y)])
				}
			}
		}
	})
	return sum, trust
}

// refine corrects sum, a flow from content to target, where that makes the two look more alike.
func (t *track) refine(content *filter.Frame, sum *flow.Field) *flow.Field {
	before := t.mem.get(len(content.Pix))
	t.mem.warper.Warp(before, t.target.Pix, sum, nil)
	left := t.near.Forward(content, content.With(before))
	out := flow.NewField(sum.W, sum.H)
	t.mem.bands(sum.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range sum.W {
				i := y*sum.W + x
				u, v := left.U[i], left.V[i]
				if u*u+v*v > maxRefinement*maxRefinement {
					u, v = 0, 0
				}
				du, dv, _ := sum.Sample(float32(x)+u, float32(y)+v)
				out.U[i], out.V[i] = u+du, v+dv
			}
		}
	})
	was, is := t.mismatch(content, before), t.mismatchAlong(content, out)
	for i := range was {
		if is[i] >= was[i] {
			out.U[i], out.V[i] = sum.U[i], sum.V[i]
		}
	}
	t.mem.put(before, was, is)
	return out
}

// mismatchAlong is mismatch for target, warped along f.
func (t *track) mismatchAlong(content *filter.Frame, f *flow.Field) []float32 {
	warped := t.mem.get(len(content.Pix))
	t.mem.warper.Warp(warped, t.target.Pix, f, nil)
	defer t.mem.put(warped)
	return t.mismatch(content, warped)
}

// mismatch returns the mean magnitude of the difference of content and pix over 5×5 pixels.
func (t *track) mismatch(content *filter.Frame, pix []float32) []float32 {
	n := content.W * content.H
	out := t.mem.get(n)
	t.mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = 0
			for p := i; p < 3*n; p += n {
				out[i] += abs32(pix[p] - content.Pix[p])
			}
		}
	})
	t.mem.boxMean(out, out, content.W, content.H, 2)
	return out
}

// distinct returns in [0,1] whether each pixel has texture around it to know it by, or is flat so
// that there is nothing to confuse it with.
func (t *track) distinct(content *filter.Frame) []float32 {
	out, flat := deviation(t.mem, content, textureRadius), deviation(t.mem, content, flatRadius)
	for i, d := range out {
		out[i] = (d - textureLow) / (textureHigh - textureLow)
		if t.even {
			out[i] = max(out[i], (flatHigh-flat[i])/(flatHigh-flatLow))
		}
		out[i] = min(max(out[i], 0), 1)
	}
	t.mem.put(flat)
	return out
}

// deviation returns the standard deviation of the mean of R, G and B over squares of 2r+1.
func deviation(mem *pool, content *filter.Frame, r int) []float32 {
	n := content.W * content.H
	luma, square := mem.get(n), mem.get(n)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			v := (content.Pix[i] + content.Pix[n+i] + content.Pix[2*n+i]) / 3
			luma[i], square[i] = v, v*v
		}
	})
	mem.boxMean(luma, luma, content.W, content.H, r)
	mem.boxMean(square, square, content.W, content.H, r)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			luma[i] = float32(math.Sqrt(float64(max(square[i]-luma[i]*luma[i], 0))))
		}
	})
	mem.put(square)
	return luma
}
