package main

import (
	"nstfilter/bench/problem"
	"nstfilter/filter/engine"
)

// cost is what an iteration cannot do without.
type cost struct {
	Flops float64 // with direct convolutions and whole Gram matrices; Winograd and symmetry do fewer
	// Values that are written to memory once and read once, at least: every layer's
	// activation, and its gradient.
	Values float64
}

// costOf counts 2·9·C_in·C_out for each position of a layer's output, and as many on
// the way back; at a tap with style 2·C² for its Gram matrix, and as many back.
func costOf(p *problem.Problem) (c cost) {
	w, h := engine.Sizes(p.Spec(engine.FP32))
	for i, l := range p.Layers {
		positions := float64(w[i]) * float64(h[i])
		c.Flops += 2 * 2 * 9 * float64(l.In) * float64(l.Out) * positions
		if l.Style {
			c.Flops += 2 * 2 * float64(l.Out) * float64(l.Out) * positions
		}
		c.Values += 2 * float64(l.Out) * positions
	}
	return c
}

// memoryTime is the seconds that the card needs for the values, of so many bytes each.
func (c cost) memoryTime(bytes float64, of card) float64 {
	return 2 * bytes * c.Values / of.Copy
}
