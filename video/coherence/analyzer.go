package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/filter/parallel"
	"nstfilter/video/flow"
)

// minMatchShare is the share of the picture below which older frames are not asked:
// that little is only the edges of moving objects.
const minMatchShare = 0.002

// Analyzer compares each frame of a film with the frames before it: how the picture
// moved, what was visible before, and for how many frames each pixel has been in
// sight. It needs no painted frame, so it can run ahead of History in a goroutine of
// its own. It must not be used by two goroutines at once.
type Analyzer struct {
	options Options
	mem     *pool
	flows   flowSource // nil: no motion is estimated

	content *filter.Frame // the latest frame; nil: none yet
	bins    histogram     // of content
	age     []float32     // of content's pixels, in frames; nil: all are old
	labels  []uint8       // the regions of content's pixels; nil: there are none
	older   []*olderFrame // the frames before content, the latest last

	shares   []float64 // of the styles in the next frame; nil: there is one style
	released float64   // how far a change of styles has released the results, in [0,1]
}

// Analysis is the part of a frame's guide that needs no painted frame.
type Analysis struct {
	content     *filter.Frame
	sceneStart  bool // the frame takes nothing from those before
	keepResults int  // how many results later frames may ask for, counting this frame's

	backward    *flow.Field // to the frame before; nil: no motion is estimated
	older       []olderMatch
	confidence  []float32 // in [0,1], in everything that older frames show; nil: 1 everywhere
	priorWeight []float32 // becomes filter.Guide.PriorWeight
}

// Motion returns the flow to the frame before, or nil if that is not known, and whether the
// frame begins a scene. The flow must not be changed.
func (a *Analysis) Motion() (backward *flow.Field, begins bool) { return a.backward, a.sceneStart }

// olderMatch says which pixels a frame takes from the result of an older frame.
type olderMatch struct {
	framesAgo int
	camera    *camera     // motion to the older frame; nil: backward holds it
	backward  *flow.Field // flow to the older frame; nil: camera holds it
	share     []float32   // of each pixel that comes from the older frame, in [0,1]
}

// NewAnalyzer returns an Analyzer that has seen no frame. It uses all processors if
// threads is 0. It fails if the folder of --flow-from has no flows.
func NewAnalyzer(o Options, threads int) (*Analyzer, error) {
	flows, err := newFlowSource(o, parallel.Threads(threads))
	if err != nil {
		return nil, err
	}
	return &Analyzer{options: o, mem: newPool(threads), flows: flows}, nil
}

// Analyze takes the next frame, which must not change afterwards. The first frame of a
// scene and a frame of another size take nothing from those before. Analyze fails if
// --flow-from lacks a flow.
func (a *Analyzer) Analyze(content *filter.Frame) (*Analysis, error) {
	content = content.Filled()
	if a.content == nil || a.content.W != content.W || a.content.H != content.H {
		a.restart(content)
		return &Analysis{content: content, sceneStart: true, keepResults: 1}, nil
	}
	if a.flows == nil {
		analysis := analyzeWithoutFlow(a.mem, content, a.content)
		a.content = content
		return analysis, nil
	}
	bins := newHistogram(a.mem, content.Pix)
	analysis, visible, camera, err := a.matchFrames(content, &bins)
	if err != nil {
		return nil, err
	}
	if analysis.sceneStart {
		a.mem.put(visible.confidence, visible.age)
		visible.age, camera, a.released = nil, nil, 0
	} else {
		analysis.setWeights(a.mem, visible, a.options.Settle, a.released)
	}
	a.remember(content, visible.age, camera)
	a.bins = bins
	analysis.keepResults = 1 + len(a.older)
	return analysis, nil
}

// restart forgets everything but the shares of the styles, and begins at content.
func (a *Analyzer) restart(content *filter.Frame) {
	*a = Analyzer{options: a.options, mem: newPool(a.mem.threads), flows: a.flows, content: content, labels: labels(a.mem, content), shares: a.shares}
	if a.flows != nil {
		a.flows.Start(content)
		a.bins = newHistogram(a.mem, content.Pix)
	}
}

// matchFrames compares content with the frame before and, if that leaves pixels
// unmatched or unsettled, with older ones. It also fits the camera's motion to the
// frame before.
func (a *Analyzer) matchFrames(content *filter.Frame, bins *histogram) (*Analysis, *visibility, *camera, error) {
	backward, forward, err := a.flows.Neighbours(content, a.content)
	if err != nil {
		return nil, nil, nil, err
	}
	visible := match(a.mem, content, a.content, a.age, backward, forward)
	visible.checkRegions(a.mem, content, a.labels, backward)
	camera := fitCamera(backward, visible.confidence)
	analysis := &Analysis{content: content, backward: backward}
	distance := bins.distance(&a.bins, len(visible.confidence))
	last := 1
	for i, framesAgo := range a.options.LongTerm {
		framesAgo = min(framesAgo, len(a.older)+1)
		longest := i+1 == len(a.options.LongTerm)
		if framesAgo == last || !a.needsOlder(visible, longest) {
			continue
		}
		last = framesAgo
		frame := a.older[len(a.older)+1-framesAgo]
		m, other, err := a.matchOlder(content, frame, camera)
		if err != nil {
			return nil, nil, nil, err
		}
		if other != nil {
			m.framesAgo, m.share = framesAgo, mergeOlder(a.mem, visible, other, a.options.Settle)
			analysis.older = append(analysis.older, m)
			a.mem.put(other.confidence, other.age)
			distance = min(distance, bins.distance(&frame.bins, len(visible.confidence)))
		}
	}
	difference := frameDifference(unmatchedShare(a.mem, visible), distance)
	analysis.sceneStart = difference >= a.options.Cut && a.options.Cut < 1
	return analysis, visible, camera, nil
}

// needsOlder reports whether an older frame may show what is not visible yet. The
// longest step of --long-term is also taken for pixels that have not settled.
func (a *Analyzer) needsOlder(visible *visibility, longest bool) bool {
	return unmatchedShare(a.mem, visible) >= minMatchShare ||
		longest && unsettledShare(a.mem, visible, a.options.Settle) >= minMatchShare
}

// matchOlder compares content with an older frame. It takes a stored flow if there is
// one, else the camera's motion c since then, else it estimates the flow, which over
// many frames costs more and finds only part of what was occluded meanwhile. It
// returns a nil visibility if no motion to that frame is known.
func (a *Analyzer) matchOlder(content *filter.Frame, frame *olderFrame, c *camera) (m olderMatch, visible *visibility, err error) {
	before, age := frame.unpack(a.mem)
	defer a.mem.put(before.Pix, age)
	backward, forward, err := a.flows.Stored(content, before)
	if err != nil {
		return m, nil, err
	}
	if backward == nil {
		if m.camera = c.compose(frame.camera); m.camera != nil {
			guess := cameraFlow(a.mem, m.camera, content.W, content.H)
			defer a.mem.put(guess.U, guess.V)
			visible = matchAlong(a.mem, content, before, age, guess)
			visible.checkRegions(a.mem, content, frame.labels, guess)
			return m, visible, nil
		}
		if backward, forward = a.flows.Estimate(content, before); backward == nil {
			return m, nil, nil
		}
	}
	m.backward = backward
	visible = match(a.mem, content, before, age, backward, forward)
	visible.checkRegions(a.mem, content, frame.labels, backward)
	return m, visible, nil
}

// remember makes content the latest frame and adds the one before it to the older
// frames. c is the camera's motion between the two.
func (a *Analyzer) remember(content *filter.Frame, age []float32, c *camera) {
	if longest := slices.Max(append([]int{1}, a.options.LongTerm...)); longest > 1 {
		if len(a.older) == longest-1 {
			a.older = slices.Delete(a.older, 0, 1)
		}
		for _, frame := range a.older {
			frame.camera = c.compose(frame.camera)
		}
		a.older = append(a.older, newOlderFrame(a.mem, a.content, a.age, a.labels, c))
	}
	a.mem.put(a.age)
	a.content, a.age, a.labels = content, age, labels(a.mem, content)
}

// setWeights sets how strongly each pixel stays near its prior: as far as it is
// matched, has settled, and is not released by a change of styles.
func (a *Analysis) setWeights(mem *pool, visible *visibility, settle, released float64) {
	n := len(visible.confidence)
	a.confidence, a.priorWeight = visible.confidence, make([]float32, n)
	most := 1 - float32(released)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			a.priorWeight[i] = visible.confidence[i] * min(settled(visible.age[i], settle), most)
		}
	})
}
