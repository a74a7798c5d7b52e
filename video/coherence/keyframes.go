package coherence

import (
	"errors"
	"math"
	"slices"

	"nstfilter/filter"
	"nstfilter/filter/parallel"
	"nstfilter/video/flow"
)

const (
	keySize   = 320 // pixels, longest side at which motion is sought: what moves far is a few pixels there
	sharpSize = 960 // and sharpness measured: there blur of motion is not yet scaled away
)

// KeyframeFinder proposes the frames of a film that are worth painting by hand, and carrying
// along the flow to the others of their scene: few, sharp, and showing most of it. It holds
// two frames, and of the rest how long things stay in sight. It must not be used by two
// goroutines at once.
type KeyframeFinder struct {
	analyzer *Analyzer
	flows    *heldFlow
	rate     float64 // frames per second
	mem      *pool
	tracks   *tracks // of the latest frame's part; nil: there was no frame

	scenes    int
	parts     []keyPart
	sharpness []float64 // of the frames of the latest part
	frames    int       // all
}

// heldFlow keeps the flow to the latest frame, which an Analyzer gives to nobody.
type heldFlow struct {
	flowSource
	forward *flow.Field
}

func (h *heldFlow) Neighbours(content, before *filter.Frame) (backward, forward *flow.Field, err error) {
	backward, h.forward, err = h.flowSource.Neighbours(content, before)
	return backward, h.forward, err
}

// Keyframe is a frame that is proposed.
type Keyframe struct {
	Frame int     // from 0
	Scene int     // from 1
	Shows float64 // share of its scene, in [0,1]: of the pixels of all frames
	Adds  float64 // the part of that share which no earlier keyframe shows
}

// NewKeyframeFinder returns a finder for a film with so many frames per second. Its scenes begin
// where o has cuts. It uses all processors if threads is 0. It fails for --flow none, and if the
// folder of --flow-from has no flows.
func NewKeyframeFinder(o Options, rate float64, threads int) (*KeyframeFinder, error) {
	analyzer, err := NewAnalyzer(o, threads)
	if err != nil {
		return nil, err
	}
	if analyzer.flows == nil {
		return nil, errors.New("--flow none: keyframes are found by the flow")
	}
	k := &KeyframeFinder{analyzer: analyzer, flows: &heldFlow{flowSource: analyzer.flows}, rate: rate, mem: newPool(parallel.Threads(threads))}
	analyzer.flows = k.flows
	return k, nil
}

// Add takes the next frame, of the film's own size, which must be the same for all.
func (k *KeyframeFinder) Add(f *filter.Frame) error {
	f = shrunk(f, sharpSize)
	sharp := sharpness(f)
	content := shrunk(f, keySize).Filled()
	before := k.analyzer.content
	analysis, err := k.analyzer.Analyze(content)
	if err != nil {
		return err
	}
	backward, begins := analysis.Motion()
	switch {
	case begins || len(k.sharpness) == longestPart:
		k.endPart()
		if begins {
			k.scenes++
		}
		if k.tracks == nil {
			k.tracks = newTracks(content.W, content.H, longestPart)
		}
		k.tracks.begin(k.mem, content)
	default:
		seen := match(k.mem, before, content, nil, k.flows.forward, backward)
		k.tracks.advance(k.mem, content, k.flows.forward, seen.confidence)
		k.mem.put(seen.confidence, seen.age)
	}
	k.sharpness = append(k.sharpness, sharp)
	k.frames++
	return nil
}

// endPart looks for the best keyframes of the frames since the last part.
func (k *KeyframeFinder) endPart() {
	n := len(k.sharpness)
	if n == 0 {
		return
	}
	k.tracks.finish()
	k.parts = append(k.parts, choosePart(k.tracks, k.sharpness, k.rate, k.scenes, k.frames-n))
	k.sharpness = k.sharpness[:0]
}

// shrunk returns f with sides of at most so many pixels.
func shrunk(f *filter.Frame, longest int) *filter.Frame {
	scale := float64(longest) / float64(max(f.W, f.H))
	if scale >= 1 {
		return f
	}
	g := f.Resized(max(1, int(math.Round(float64(f.W)*scale))), max(1, int(math.Round(float64(f.H)*scale))))
	g.Origin = nil // which has the frame's native samples
	return g
}

// sharpness is the root of the mean square of the Laplacian of green, which has most of the
// luma. It falls where motion or lack of focus blurs.
func sharpness(f *filter.Frame) float64 {
	green := f.Pix[f.W*f.H:]
	var sum float64
	for y := 1; y < f.H-1; y++ {
		for i := y*f.W + 1; i < (y+1)*f.W-1; i++ {
			d := float64(4*green[i] - green[i-1] - green[i+1] - green[i-f.W] - green[i+f.W])
			sum += d * d
		}
	}
	return math.Sqrt(sum / float64(max(1, (f.W-2)*(f.H-2))))
}

const (
	enoughShown  = 0.9  // share of a scene that is shown well enough
	leastGain    = 0.5  // seconds of whole frames that one more keyframe has to add
	leastScene   = 0.25 // seconds; a shorter scene is a flash, and has no keyframe of its own
	windowLength = 1. / 3
)

// Choose ends the film, and returns keyframes in its order: the n that together show most of
// it, or less if there are not so many that show more. With an n of 0 each scene has as few as
// show nine tenths of it: at least one, unless it is shorter than a quarter of a second, and
// none that would add less than half a second to what the others show. It may be called again with
// another n.
func (k *KeyframeFinder) Choose(n int) (keys []Keyframe) {
	k.endPart()
	counts := k.counts()
	if n > 0 {
		counts = k.share(n)
	}
	whole := k.sceneCells()
	for i, p := range k.parts {
		if counts[i] == 0 {
			continue
		}
		for _, c := range p.choices[counts[i]-1].keys {
			keys = append(keys, Keyframe{Frame: p.start + c.frame, Scene: p.scene, Shows: float64(c.shows) / whole[p.scene], Adds: float64(c.adds) / whole[p.scene]})
		}
	}
	return keys
}

// Scenes returns how many scenes there were.
func (k *KeyframeFinder) Scenes() int { return k.scenes }

// Shown returns which share of the whole film, in [0,1], keyframes of Choose show.
func (k *KeyframeFinder) Shown(keys []Keyframe) float64 {
	var shown, all float64
	whole := k.sceneCells()
	for _, cells := range whole {
		all += cells
	}
	for _, key := range keys {
		shown += key.Adds * whole[key.Scene]
	}
	return shown / all
}

// sceneCells returns the cells of all frames of each scene, from scene 1 on.
func (k *KeyframeFinder) sceneCells() []float64 {
	all := make([]float64, k.scenes+1)
	for _, p := range k.parts {
		all[p.scene] += float64(p.cells)
	}
	return all
}

// counts returns how many keyframes each part needs.
func (k *KeyframeFinder) counts() []int {
	counts := make([]int, len(k.parts))
	for i, p := range k.parts {
		if float64(p.frames) < leastScene*k.rate {
			continue
		}
		least := leastGain * k.rate * float64(p.cells) / float64(p.frames)
		n := 1
		for n < len(p.choices) && float64(p.choices[n-1].cells) < enoughShown*float64(p.cells) && float64(p.choices[n].cells)-float64(p.choices[n-1].cells) >= least {
			n++
		}
		counts[i] = n
	}
	if len(counts) > 0 && slices.Max(counts) == 0 { // there are only flashes
		return k.share(1)
	}
	return counts
}

// share gives n keyframes to parts, each to the one to which it adds most.
func (k *KeyframeFinder) share(n int) []int {
	counts := make([]int, len(k.parts))
	gain := func(i int) (cells int) {
		p := &k.parts[i]
		if counts[i] == len(p.choices) {
			return 0
		}
		if cells = p.choices[counts[i]].cells; counts[i] > 0 {
			cells -= p.choices[counts[i]-1].cells
		}
		return cells
	}
	for range n {
		best := 0
		for i := range counts {
			if gain(i) > gain(best) {
				best = i
			}
		}
		if len(counts) == 0 || gain(best) <= 0 {
			break
		}
		counts[best]++
	}
	return counts
}
