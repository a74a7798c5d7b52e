package engine

import (
	"fmt"

	"nstfilter/weights"
)

// Check panics if s is invalid: a side below MinSide, taps out of order, or layers whose
// shapes do not fit.
func (s Spec) Check() {
	if s.W < MinSide || s.H < MinSide {
		panic(fmt.Sprintf("engine: %d×%d is smaller than %d", s.W, s.H, MinSide))
	}
	if s.Pooling != weights.AveragePooling && s.Pooling != weights.MaxPooling {
		panic(fmt.Sprintf("engine: unknown pooling %q", s.Pooling))
	}
	last, region := -1, 0
	for _, t := range s.Taps {
		if t.Layer < last || t.Layer == last && t.Region <= region || t.Layer >= len(s.Network.Layers) || t.Region < 0 {
			panic(fmt.Sprintf("engine: tap at layer %d, region %d after %d, %d, of %d layers", t.Layer, t.Region, last, region, len(s.Network.Layers)))
		}
		last, region = t.Layer, t.Region
	}
	if last < 0 {
		panic("engine: no taps")
	}
	in := 3
	for i := range s.Network.Layers[:last+1] {
		l := &s.Network.Layers[i]
		if l.In != in || len(l.Weight) != l.In*l.Out*9 || len(l.Bias) != l.Out {
			panic(fmt.Sprintf("engine: layer %d has %d → %d channels, %d weights and %d biases after %d channels",
				i, l.In, l.Out, len(l.Weight), len(l.Bias), in))
		}
		in = l.Out
	}
	if w, h := Sizes(s); w[last] < 1 || h[last] < 1 {
		panic(fmt.Sprintf("engine: nothing is left of %d×%d at layer %d", s.W, s.H, last))
	}
}
