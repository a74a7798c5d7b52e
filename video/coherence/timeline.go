package coherence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Timeline says which styles hold at a time of the film. Those that begin at the
// same time are blended, and together replace what held before.
type Timeline struct {
	groups []styleGroup // by their time, the first at 0
	fade   time.Duration
}

// group is the styles that begin at a time.
type styleGroup struct {
	at     time.Duration
	shares []float64 // of all styles; they add up to 1
}

// NewTimeline makes one of the times from which styles hold, not below 0, and
// their weights within those of the same time; none: equal. A change takes fade; 0:
// none. It fails where no style holds from the start, or a time has no weight.
func NewTimeline(from []time.Duration, weights []float64, fade time.Duration) (*Timeline, error) {
	t := &Timeline{fade: fade}
	for i, at := range from {
		k := slices.IndexFunc(t.groups, func(g styleGroup) bool { return g.at == at })
		if k < 0 {
			k = len(t.groups)
			t.groups = append(t.groups, styleGroup{at, make([]float64, len(from))})
		}
		t.groups[k].shares[i] = 1
		if len(weights) > 0 {
			t.groups[k].shares[i] = weights[i]
		}
	}
	slices.SortFunc(t.groups, func(a, b styleGroup) int { return cmp.Compare(a.at, b.at) })
	if len(t.groups) == 0 || t.groups[0].at != 0 {
		return nil, errors.New("no style holds from the film's start: give one without @TIME")
	}
	for _, g := range t.groups {
		total := 0.0
		for _, v := range g.shares {
			total += v
		}
		if total == 0 {
			return nil, fmt.Errorf("the styles from %v on all have a weight of 0: give at least one of them a share", g.at)
		}
		for i := range g.shares {
			g.shares[i] /= total
		}
	}
	return t, nil
}

// Changes reports whether different styles hold at different times.
func (t *Timeline) Changes() bool { return len(t.groups) > 1 }

// Shares are the styles' at a time since the film's start; they add up to 1. A
// change begins slowly (smoothstep): a film that is held to its past is let go over
// some frames, where a constant pace would let it go in one, which pops.
func (t *Timeline) Shares(at time.Duration) []float64 {
	shares := slices.Clone(t.groups[0].shares)
	for _, g := range t.groups[1:] {
		if at < g.at {
			break
		}
		part := 1.0
		if at < g.at+t.fade {
			x := float64(at-g.at) / float64(t.fade)
			part = x * x * (3 - 2*x)
		}
		for i := range shares {
			shares[i] += part * (g.shares[i] - shares[i])
		}
	}
	return shares
}

// change says in [0,1] how much of the shares is another style's than before: half
// their L1 distance. Where nothing was before it is 0.
func shareDistance(shares, before []float64) (d float64) {
	if before == nil {
		return 0
	}
	for i, v := range shares {
		d += math.Abs(v-before[i]) / 2
	}
	return d
}
