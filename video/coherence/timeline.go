package coherence

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Timeline says in which shares a film's frames are painted in each style. Styles that
// begin at the same time are blended, and replace all styles before them.
type Timeline struct {
	groups []styleGroup // ordered by time; the first begins at 0
	fade   time.Duration
}

// styleGroup is the styles that begin at one time.
type styleGroup struct {
	at     time.Duration
	shares []float64 // of all styles in the Timeline; they add up to 1
}

// NewTimeline takes the time from which each style holds, which must not be negative,
// and each style's weight among those that begin at the same time; without weights
// they are equal. A change of styles takes fade. NewTimeline fails if no style begins
// at 0, or if all weights of a time are 0.
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

// Changes reports whether the shares differ from time to time.
func (t *Timeline) Changes() bool { return len(t.groups) > 1 }

// Shares returns the styles' shares at a time since the film's start; they add up to 1.
// They change along a smoothstep, which begins slowly: a constant pace would release
// the results before (see SetShares) in one frame, which pops.
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
