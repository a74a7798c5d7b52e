package filter

import (
	"math"

	"nstfilter/filter/engine"
)

type size struct{ w, h int }

func (s size) pixels() int { return s.w * s.h }

// scales lists the sizes at which a w×h picture is painted, coarse to fine: the
// short side from low up by √2, the last step no smaller than 10 %.
func scales(full size, low int) []size {
	var out []size
	short := float64(min(full.w, full.h))
	if low > 0 {
		for k := float64(max(low, engine.MinSide)); k < 0.9*short; k *= math.Sqrt2 {
			out = append(out, full.times(k/short))
		}
	}
	return append(out, full)
}

// times scales both sides, rounding; no side falls below one pixel.
func (s size) times(k float64) size {
	return size{max(1, int(math.Round(float64(s.w)*k))), max(1, int(math.Round(float64(s.h)*k)))}
}

// within shrinks s until its longest side is at most longest.
func (s size) within(longest int) size {
	if m := max(s.w, s.h); m > longest {
		return s.times(float64(longest) / float64(m))
	}
	return s
}
