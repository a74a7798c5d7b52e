package coherence

import (
	"nstfilter/filter"
	"nstfilter/video"
)

// Again guides frames that are painted another time, after a neighbour that was,
// in whichever direction: the passes of Ruder, Dosovitskiy, Brox, GCPR 2016. It is
// for one goroutine at a time.
type Multipass struct {
	pool       *pool
	flowSource flowSource
}

// NewAgain fails where --flow-from has no flows. Threads: 0 takes all processors.
func NewMultipass(o Options, threads int) (*Multipass, error) {
	m, err := newFlowSource(o, video.Threads(threads))
	return &Multipass{pool: newPool(threads), flowSource: m}, err
}

// fromNeighbour is how much of the start is the neighbour's result where the flow
// to it is trusted. Ruder et al. take a half. Three quarters are steadier, and have
// the lower style loss: on a pan over coffee.png in three passes, 100000 times the
// squared change is 21 against 24, and what enters comes 72 against 115 from what it
// is six frames later; a half of what has long been in sight, and more of what has
// not, lies between the two. All of it makes things change again in the long run.
const neighbourShare = 0.75

// Guide returns where to start on f, and what to stay near: the results of the
// neighbours, moved along the flow as far as it is trusted; elsewhere f's own. A
// frame between two of them stays near both: squared terms fold into one. Where the
// styles change from one to the other it yields, as History does. It fails
// where --flow-from lacks a flow.
func (a *Multipass) Guide(f *PaintedFrame, neighbours ...*PaintedFrame) (filter.Guide, error) {
	n, mem := f.Content.W*f.Content.H, a.pool
	prior, weight := make([]float32, 3*n), make([]float32, n)
	for _, m := range neighbours {
		a.flowSource.Start(m.Content)
		there, back, err := a.flowSource.Neighbours(f.Content, m.Content)
		if err != nil {
			return filter.Guide{}, err
		}
		s := match(mem, f.Content, m.Content, nil, there, back)
		moved := warpResult(mem, m.Result, there)
		restoreDetail(mem, moved, m.Result.Pix, there)
		held := float32(1 - styleRelease(f.Shares, m.Shares))
		mem.bands(n, func(from, to int) {
			for i := from; i < to; i++ {
				t := s.confidence[i] * held
				weight[i] += t
				for p := i; p < 3*n; p += n {
					prior[p] += t * moved[p]
				}
			}
		})
		mem.put(s.confidence, s.age)
	}
	start := make([]float32, 3*n)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			w := weight[i]
			for p := i; p < 3*n; p += n {
				if w > 0 {
					prior[p] /= w
				}
				start[p] = f.Result.Pix[p] + neighbourShare*min(w, 1)*(prior[p]-f.Result.Pix[p])
			}
		}
	})
	return filter.Guide{Start: f.Content.With(start), Margin: f.Margin, Prior: f.Content.With(prior), PriorWeight: weight}, nil
}
