package coherence

import (
	"slices"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// trustShown trusts nothing that before did not show: what was transparent, where f
// leads or, for nil, in its place, is new. What content does not show is not missed.
func (d *desk) trustShown(trust []float32, content, before *filter.Frame, f *flow.Field) {
	if content.Alpha == nil && before.Alpha == nil {
		return
	}
	d.bands(len(trust), func(from, to int) {
		for i := from; i < to; i++ {
			was := i
			if f != nil {
				was = nearest(f, i%f.W, i/f.W)
			}
			switch {
			case content.Alpha != nil && content.Alpha[i] == 0:
				trust[i] = 1
			case before.Alpha != nil && before.Alpha[was] == 0:
				trust[i] = 0
			}
		}
	})
}

// unmoved starts from the result before, in its place, but where that was
// transparent.
func (d *desk) unmoved(content, before *filter.Frame) *Outlook {
	o := &Outlook{content: content, keep: 1}
	if before.Alpha == nil {
		return o
	}
	trust := make([]float32, content.W*content.H)
	for i := range trust {
		trust[i] = 1
	}
	d.trustShown(trust, content, before, nil)
	if slices.Min(trust) < 1 {
		o.trust = trust
	}
	return o
}
