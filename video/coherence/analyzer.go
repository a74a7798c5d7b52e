package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/video"
	"nstfilter/video/flow"
)

// worthLooking is the share of a picture that must be unseen before older frames are
// asked, or unsettled before the oldest is: below it are the seams around what moves.
const minMatchShare = 0.002

// Lookout follows the frames of a film as they come in: how they move, what they show
// of those before, and for how many frames each pixel has been in sight. It needs no
// painted frame, so it may be ahead of History, in a goroutine of its own. It is for
// one goroutine at a time.
type Analyzer struct {
	o          Options
	pool       *pool
	flowSource flowSource // nil: there is none

	content *filter.Frame // the latest; nil: none
	bins    histogram     // its
	age     []float32     // of its pixels, in frames; nil: all are old
	older   []*olderFrame // the frames before, the latest last

	shares    []float64 // of the styles, of the frame that Look is next asked about; nil: there is one
	unsettled float64   // how far the styles' change has let the results go, in [0,1]
}

// Outlook is what a frame's guide takes that no painted frame is needed for.
type Analysis struct {
	content     *filter.Frame
	sceneStart  bool // nothing is handed on to it
	keepResults int  // results that later guides may take from, this frame's the latest of them

	backward    *flow.Field // to the frame before; nil: nothing moves
	older       []olderMatch
	confidence  []float32 // in all of these together, in [0,1]; nil: it is 1
	priorWeight []float32 // the guide's PriorWeight
}

// glance is what a frame takes from a result of some time ago.
type olderMatch struct {
	framesAgo int         // frames
	camera    *camera     // to that frame; nil: back
	backward  *flow.Field // to it; nil: camera
	share     []float32   // in [0,1], that it has in each pixel
}

// NewLookout returns one that has seen nothing. Threads: 0 takes all processors. It
// fails where --flow-from has no flows.
func NewAnalyzer(o Options, threads int) (*Analyzer, error) {
	m, err := newFlowSource(o, video.Threads(threads))
	if err != nil {
		return nil, err
	}
	return &Analyzer{o: o, pool: newPool(threads), flowSource: m}, nil
}

// Look takes the next frame, which must not be changed afterwards. The first of a
// scene, or of another size, has nothing from those before. It fails where
// --flow-from lacks a flow.
func (l *Analyzer) Analyze(content *filter.Frame) (*Analysis, error) {
	content = content.Filled()
	if l.content == nil || l.content.W != content.W || l.content.H != content.H {
		*l = Analyzer{o: l.o, pool: newPool(l.pool.threads), flowSource: l.flowSource, content: content, shares: l.shares}
		if l.flowSource != nil {
			l.flowSource.Start(content)
			l.bins = newHistogram(l.pool, content.Pix)
		}
		return &Analysis{content: content, sceneStart: true, keepResults: 1}, nil
	}
	if l.flowSource == nil {
		o := analyzeWithoutFlow(l.pool, content, l.content)
		l.content = content
		return o, nil
	}
	bins := newHistogram(l.pool, content.Pix)
	o, s, camera, err := l.matchFrames(content, &bins)
	if err != nil {
		return nil, err
	}
	if o.sceneStart {
		l.pool.put(s.confidence, s.age)
		s.age, camera, l.unsettled = nil, nil, 0
	} else {
		setWeights(l.pool, o, s, l.o.Settle, l.unsettled)
	}
	l.remember(content, s.age, camera)
	l.bins = bins
	o.keepResults = 1 + len(l.older)
	return o, nil
}

// follow finds what content shows of the frames before, and the camera's motion
// since the latest.
func (l *Analyzer) matchFrames(content *filter.Frame, bins *histogram) (*Analysis, *visibility, *camera, error) {
	backward, forward, err := l.flowSource.Neighbours(content, l.content)
	if err != nil {
		return nil, nil, nil, err
	}
	mem := l.pool
	s := match(mem, content, l.content, l.age, backward, forward)
	camera := fitCamera(backward, s.confidence)
	o := &Analysis{content: content, backward: backward}
	apart := bins.distance(&l.bins, len(s.confidence))
	looked := 1
	for i, k := range l.o.LongTerm {
		k = min(k, len(l.older)+1)
		longest := i+1 == len(l.o.LongTerm)
		if k == looked || unseenShare(mem, s) < minMatchShare && !(longest && unsettledShare(mem, s, l.o.Settle) >= minMatchShare) {
			continue
		}
		looked = k
		p := l.older[len(l.older)+1-k]
		g, other, err := l.matchOlder(content, p, camera)
		if err != nil {
			return nil, nil, nil, err
		}
		if other != nil {
			g.framesAgo, g.share = k, mergeOlder(mem, s, other, l.o.Settle)
			o.older = append(o.older, g)
			mem.put(other.confidence, other.age)
			apart = min(apart, bins.distance(&p.bins, len(s.confidence)))
		}
	}
	o.sceneStart = frameDifference(unseenShare(mem, s), apart) >= l.o.Cut && l.o.Cut < 1
	return o, s, camera, nil
}

// lookBack is what content shows of an older frame: along flow that is given, or by
// the motion of the camera since then, or along flow that is sought. The flow over
// many frames of what was hidden meanwhile is found in parts only, and costs more.
// Nil: none is known.
func (l *Analyzer) matchOlder(content *filter.Frame, p *olderFrame, c *camera) (g olderMatch, s *visibility, err error) {
	mem := l.pool
	before, age := unpack(mem, p)
	defer mem.put(before.Pix, age)
	backward, forward, err := l.flowSource.Stored(content, before)
	if err != nil {
		return g, nil, err
	}
	if backward == nil {
		if g.camera = c.compose(p.camera); g.camera != nil {
			guess := cameraFlow(mem, g.camera, content.W, content.H)
			defer mem.put(guess.U, guess.V)
			return g, matchAlong(mem, content, before, age, guess), nil
		}
		if backward, forward = l.flowSource.Estimate(content, before); backward == nil {
			return g, nil, nil
		}
	}
	g.backward = backward
	return g, match(mem, content, before, age, backward, forward), nil
}

// remember makes content the latest frame, to which the one before has moved by the
// camera, and that the latest of the older ones.
func (l *Analyzer) remember(content *filter.Frame, age []float32, c *camera) {
	if longest := slices.Max(append([]int{1}, l.o.LongTerm...)); longest > 1 {
		if len(l.older) == longest-1 {
			l.older = slices.Delete(l.older, 0, 1)
		}
		for _, p := range l.older {
			p.camera = c.compose(p.camera)
		}
		l.older = append(l.older, newOlderFrame(l.pool, l.content, l.age, c))
	}
	l.pool.put(l.age)
	l.content, l.age = content, age
}

// hold says how far what s shows is held.
func setWeights(mem *pool, o *Analysis, s *visibility, settle, unsettled float64) {
	n := len(s.confidence)
	o.confidence, o.priorWeight = s.confidence, make([]float32, n)
	held := 1 - float32(unsettled)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			o.priorWeight[i] = s.confidence[i] * min(settled(s.age[i], settle), held)
		}
	})
}
