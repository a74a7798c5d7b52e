package pipeline

import (
	"fmt"
	"iter"
	"time"

	"nstfilter/filter"
	"nstfilter/video/coherence"
)

// seen is a frame, and what painting it takes that does not depend on what becomes
// of the frames before.
type seen struct {
	frame    *filter.Frame       // as it came
	content  *filter.Frame       // frame at the size worked at
	analysis *coherence.Analysis // nil: frames have nothing to do with each other
	shares   []float64           // of the styles; nil: they are always the same
	began    time.Time           // when the work on it did, or when it was asked for if that is later
	took     time.Duration       // to look at it
}

// look looks at frames before they are painted: at the next one while one is painted,
// unless nothing is to be read ahead. It ends after Stop.
func (p *painter) look(in Frames) iter.Seq2[*seen, error] {
	frames := each(in, p.lookAt)
	if !p.worker.ZeroLatency && p.coherent() {
		frames = ahead(frames, 0)
	}
	return due(until(p.worker.Stop, frames))
}

// due counts the time that each frame takes from when it was asked for.
func due(in iter.Seq2[*seen, error]) iter.Seq2[*seen, error] {
	return func(yield func(*seen, error) bool) {
		asked := time.Now()
		for s, err := range in {
			if err == nil && s.began.Before(asked) {
				s.began = asked
			}
			if !yield(s, err) || err != nil {
				return
			}
			asked = time.Now()
		}
	}
}

// lookAt looks at f. At the first frame of the input, before anything is painted, it
// prepares for all.
func (p *painter) lookAt(f *filter.Frame) (*seen, error) {
	if p.history == nil {
		if err := p.prepare(f); err != nil {
			return nil, p.named(f.Index, err)
		}
	}
	s := &seen{frame: f, content: f, shares: p.shares(f), began: time.Now()}
	if p.analyzer == nil {
		return s, nil
	}
	s.content = f.Resized(p.plan.W, p.plan.H)
	p.analyzer.SetShares(s.shares)
	var err error
	if s.analysis, err = p.analyzer.Analyze(s.content); err != nil {
		return nil, p.named(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
	}
	s.took = time.Since(s.began)
	return s, nil
}

// prepare plans for frames like f, the first, and says what they will take. Where they
// should look like one another, what is remembered of them has the size worked at: to
// enlarge a result and reduce it again would wear its detail off, frame by frame.
func (p *painter) prepare(f *filter.Frame) error {
	w := p.worker
	w.filter.Film = p.coherent()
	var err error
	if p.plan, err = p.forecast(f); err != nil {
		return err
	}
	p.history = coherence.NewHistory(w.Threads)
	if p.coherent() {
		p.analyzer, err = coherence.NewAnalyzer(w.Coherence, w.Threads)
	}
	if p.stream {
		p.begin = seconds(presented(f))
	}
	return err
}
