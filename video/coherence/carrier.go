package coherence

import (
	"nstfilter/filter"
	"nstfilter/filter/parallel"
	"nstfilter/video/flow"
)

// Carrier carries the painting of one frame along a film, forward or, if it is given the frames
// in reverse, backward. It needs no other painted frame. It is for one goroutine at a time.
type Carrier struct {
	options  Options
	mem      *pool
	flows    flowSource
	even     bool            // see TrustEven
	residual *flow.Estimator // of frames of w×h
	w, h     int

	content  *filter.Frame // the latest frame; nil: none yet
	bins     histogram
	motion   *flow.Field   // from content to the frame before; nil: not known
	track    *track        // to the painting's frame; nil: there is none in this scene
	painting *filter.Frame // of the content's size
	ages     []float32     // of its pixels, in frames; nil: all are old
}

// NewCarrier returns a Carrier that has seen no frame. It uses all processors if threads is 0.
// It fails if the folder of --flow-from has no flows. o.Flow must not be none.
func NewCarrier(o Options, threads int) (*Carrier, error) {
	flows, err := newFlowSource(o, parallel.Threads(threads))
	return &Carrier{options: o, mem: newPool(threads), flows: flows}, err
}

// TrustEven says that what is flat in the film, where flow is not known, may be taken from anywhere
// around: results are alike there, but a painting may have drawn something on it.
func (c *Carrier) TrustEven() { c.even = true }

// Reset forgets the latest frame.
func (c *Carrier) Reset() { c.content, c.track, c.painting = nil, nil, nil }

// Key says that painting, of the latest frame's size, is that frame's result. It takes the
// place of the one that was carried before. ages says for how many frames each pixel of it has been
// painted; nil: all are old.
func (c *Carrier) Key(painting *filter.Frame, ages []float32) {
	c.painting, c.ages = painting, ages
	c.track = newTrack(c.mem, c.residual, c.content)
	c.track.even = c.even
}

// Next takes the next frame, which must not change afterwards, and reports whether it begins a
// scene: then there is nothing to carry. Next fails if --flow-from lacks a flow.
func (c *Carrier) Next(content *filter.Frame) (begins bool, err error) {
	content = content.Filled()
	before := c.content
	bins := newHistogram(c.mem, content.Pix)
	if before == nil || before.W != content.W || before.H != content.H {
		c.restart(content, bins)
		return true, nil
	}
	there, back, err := c.flows.Neighbours(content, before)
	if err != nil {
		return false, err
	}
	visible := match(c.mem, content, before, nil, there, back)
	defer c.mem.put(visible.confidence, visible.age)
	difference := frameDifference(unmatchedShare(c.mem, visible), bins.distance(&c.bins, content.W*content.H))
	if difference >= c.options.Cut && c.options.Cut < 1 {
		c.restart(content, bins)
		return true, nil
	}
	if c.track != nil {
		c.track.step(content, there, visible.confidence)
	}
	c.content, c.bins, c.motion = content, bins, there
	return false, nil
}

// Motion returns the flow from the latest frame to the one before, or nil if it begins a scene.
func (c *Carrier) Motion() *flow.Field { return c.motion }

func (c *Carrier) restart(content *filter.Frame, bins histogram) {
	if c.w != content.W || c.h != content.H {
		c.w, c.h = content.W, content.H
		c.mem = newPool(c.mem.threads)
		c.residual = flow.New(c.w, c.h, flow.Medium, c.mem.threads)
	}
	c.flows.Start(content)
	c.content, c.bins, c.motion, c.track, c.painting = content, bins, nil, nil, nil
}

// Held returns the painting as the latest frame has it, or nil if there is none in its scene.
func (c *Carrier) Held() *Held {
	switch {
	case c.track == nil:
		return nil
	case c.track.flow == nil:
		h := newHeld(c.painting.Pix, c.painting.Alpha)
		h.Ages = c.ages
		return h
	}
	pix := warpResult(c.mem, c.painting, c.track.flow)
	restoreDetail(c.mem, pix, c.painting.Pix, c.track.flow)
	h := newHeld(pix, c.trust())
	if f := c.track.flow; c.ages != nil {
		h.Ages = make([]float32, len(h.Trust))
		for y := range f.H {
			for x := range f.W {
				h.Ages[y*f.W+x] = c.ages[nearestPixel(f, x, y)] + float32(c.track.steps)
			}
		}
	}
	return h
}

// trust is that of the track without its edges, where a pixel shows two things, and softened;
// it is none where the painting is transparent.
func (c *Carrier) trust() []float32 {
	w, h := c.content.W, c.content.H
	trust := make([]float32, w*h)
	flow.BoxMean(trust, c.track.trust, c.mem.get(w*h), w, h, trustRadius, c.mem.threads)
	for i, mean := range trust {
		trust[i] = c.track.trust[i] * min(max(2*mean-1, 0), 1)
	}
	if c.painting.Alpha != nil {
		for y := range h {
			for x := range w {
				trust[y*w+x] *= c.painting.Alpha[nearestPixel(c.track.flow, x, y)]
			}
		}
	}
	return trust
}

// trustRadius is the half width, in pixels, of the squares over which trust is softened.
const trustRadius = 2
