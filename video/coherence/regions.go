package coherence

import (
	"nstfilter/filter"
	"nstfilter/video/flow"
)

// A match loses confidence where the share of the pixels around it that came into another
// region, in a square of 5×5, lies between these bounds, and all of it above. A mask that
// follows its thing to a pixel stays below the lower bound.
const regionLow, regionHigh = 0.25, 0.55

// noRegion is the label of a pixel that belongs to no region for the most part.
const noRegion = 255

// labels returns for each pixel which region it belongs to for the most part; nil if f has no
// regions.
func labels(mem *pool, f *filter.Frame) []uint8 {
	if len(f.Regions) == 0 {
		return nil
	}
	out := make([]uint8, f.W*f.H)
	mem.bands(len(out), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = noRegion
			most := regionWeight(f, noRegion, i)
			for r, m := range f.Regions {
				if m[i] > most {
					out[i], most = uint8(r), m[i]
				}
			}
		}
	})
	return out
}

// regionWeight returns how much pixel i of f belongs to a region.
func regionWeight(f *filter.Frame, label uint8, i int) float32 {
	if int(label) < len(f.Regions) {
		return f.Regions[label][i]
	}
	rest := float32(1)
	for _, m := range f.Regions {
		rest -= m[i]
	}
	return max(rest, 0)
}

// checkRegions takes confidence and age from pixels of content that are in another region than
// before has them, the labels of the frame that f leads to: their result there is in another
// style. before may be nil.
func (v *visibility) checkRegions(mem *pool, content *filter.Frame, before []uint8, f *flow.Field) {
	now := labels(mem, content)
	if now == nil || len(before) != len(now) {
		return
	}
	changed := mem.get(len(now))
	mem.bands(f.H, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range f.W {
				i := y*f.W + x
				was := before[nearestPixel(f, x, y)]
				changed[i] = regionWeight(content, now[i], i) - regionWeight(content, was, i)
			}
		}
	})
	mem.boxMean(changed, changed, f.W, f.H, 2)
	mem.bands(len(now), func(from, to int) {
		for i := from; i < to; i++ {
			left := min(max((regionHigh-changed[i])/(regionHigh-regionLow), 0), 1)
			v.confidence[i] *= left
			v.age[i] *= left
		}
	})
	mem.put(changed)
}
