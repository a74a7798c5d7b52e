package coherence

import (
	"math"
	"slices"

	"nstfilter/filter"
)

// Held is what a painting, or a result, shows of another frame.
type Held struct {
	Pix   []float32 // RGB planes
	Trust []float32 // that it belongs there, in each pixel, in [0,1]
	Ages  []float32 // for how many frames each pixel has been painted; nil: all are old
}

// newHeld holds all of pix if trust is nil.
func newHeld(pix, trust []float32) *Held {
	if trust == nil {
		trust = make([]float32, len(pix)/3)
		for i := range trust {
			trust[i] = 1
		}
	}
	return &Held{Pix: pix, Trust: trust}
}

// Missing is the share of the picture, in [0,1], that h does not show.
func (h *Held) Missing() float64 {
	sum := 0.0
	for _, t := range h.Trust {
		sum += float64(1 - t)
	}
	return sum / float64(len(h.Trust))
}

// Over returns result with h over it, as far as h is trusted. What is transparent stays.
func (h *Held) Over(result *filter.Frame) *filter.Frame {
	out, n := make([]float32, len(result.Pix)), len(h.Trust)
	for i, v := range result.Pix {
		out[i] = v
		if result.Alpha == nil || result.Alpha[i%n] > 0 {
			out[i] += h.Trust[i%n] * (h.Pix[i] - v)
		}
	}
	return result.With(out)
}

// And returns h over what other shows. h may be nil.
func (h *Held) And(other *Held) *Held {
	if h == nil {
		return other
	}
	out, n := &Held{Pix: make([]float32, len(h.Pix)), Trust: make([]float32, len(h.Trust)), Ages: slices.Clone(other.Ages)}, len(h.Trust)
	for i, t := range h.Trust {
		if out.Ages != nil {
			out.Ages[i] += t * (oldestAge - out.Ages[i])
		}
		out.Trust[i] = t + (1-t)*other.Trust[i]
		for p := i; p < 3*n; p += n {
			out.Pix[p] = other.Pix[p] + t*(h.Pix[p]-other.Pix[p])
		}
	}
	return out
}

// Scaled returns h with its trust scaled by k, in [0,1].
func (h *Held) Scaled(k float64) *Held {
	if k == 1 {
		return h
	}
	trust := make([]float32, len(h.Trust))
	for i, t := range h.Trust {
		trust[i] = float32(k) * t
	}
	return &Held{Pix: h.Pix, Trust: trust, Ages: h.Ages}
}

// PaintedAges returns the ages of the pixels of the frame that h was held in, once it is painted.
func (h *Held) PaintedAges() []float32 {
	out := slices.Clone(h.Trust)
	for i := range out {
		age := float32(oldestAge)
		if h.Ages != nil {
			age = h.Ages[i]
		}
		out[i] *= age
	}
	return out
}

// settledTrust is h's trust, lowered where it was painted lately, so that painting goes on there.
// settle is Options.Settle.
func (h *Held) settledTrust(settle float64) []float32 {
	if h.Ages == nil {
		return h.Trust
	}
	out := make([]float32, len(h.Trust))
	for i, t := range h.Trust {
		out[i] = t * settled(h.Ages[i], settle)
	}
	return out
}

// Settled returns h with its trust lowered where it was painted lately. settle is Options.Settle.
func (h *Held) Settled(settle float64) *Held {
	return &Held{Pix: h.Pix, Trust: h.settledTrust(settle)}
}

// Guide returns where content starts, and what it stays near: what h shows of it, and for the
// rest content plus the difference around it. settle is Options.Settle.
func (h *Held) Guide(content *filter.Frame, settle float64, threads int) filter.Guide {
	return filter.Guide{Start: content.With(fillDisoccluded(newPool(threads), h.Pix, content, h.Trust)),
		Prior: content.With(h.Pix), PriorWeight: h.settledTrust(settle)}
}

// Hold adds what h shows of content to the guide that History.Guide, or Multipass.Guide, returned
// for it.
func (h *Held) Hold(g filter.Guide, content *filter.Frame) filter.Guide {
	if g.Start != nil {
		g.Start = h.Over(g.Start)
	}
	if g.Prior == nil {
		g.Prior, g.PriorWeight = content.With(h.Pix), h.Trust
		return g
	}
	weight := make([]float32, len(h.Trust))
	for i, t := range h.Trust {
		weight[i] = t + (1-t)*g.PriorWeight[i]
	}
	g.Prior, g.PriorWeight = h.Over(g.Prior), weight
	return g
}

// Where two pictures differ, over 9×9 pixels and three channels, by these or more, the nearer
// one is taken nearly alone, because a mixture would show both.
const (
	mixedLow, mixedHigh = 0.02, 0.08
	mixedRadius         = 4
	mostSharpness       = 8 // the power of the shares where they differ

	// Half of each of two pictures that have nothing in common has 1/√2 of their contrast.
	mostMixedGain = math.Sqrt2
)

// Between returns what two paintings, one before and one behind a frame, show of it: part of the
// way, in [0,1], lies behind it. Each pixel is a mixture by distance and trust, with as much fine
// detail as the two have. left may be nil.
func Between(left, right *Held, part float64, w, h, threads int) *Held {
	if left == nil {
		return right
	}
	mem := newPool(threads)
	n := len(left.Trust)
	differ := make([]float32, n)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			for p := i; p < 3*n; p += n {
				differ[i] += abs32(left.Pix[p]-right.Pix[p]) / 3
			}
		}
	})
	mem.boxMean(differ, differ, w, h, mixedRadius)
	wanted := make([]float32, n) // energy of the finest detail
	energies, band := [2][]float32{mem.get(n), mem.get(n)}, mem.get(3*n)
	detailEnergy(mem, energies[0], band, left.Pix, w, h)
	detailEnergy(mem, energies[1], band, right.Pix, w, h)
	out := &Held{Pix: make([]float32, 3*n), Trust: make([]float32, n)}
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			sharp := 1 + (mostSharpness-1)*min(max((differ[i]-mixedLow)/(mixedHigh-mixedLow), 0), 1)
			a, b := pow32(left.Trust[i]*float32(1-part), sharp), pow32(right.Trust[i]*float32(part), sharp)
			share := float32(part)
			if a+b > 0 {
				share = b / (a + b)
			}
			out.Trust[i] = max(left.Trust[i], right.Trust[i])
			wanted[i] = energies[0][i] + share*(energies[1][i]-energies[0][i])
			for p := i; p < 3*n; p += n {
				out.Pix[p] = left.Pix[p] + share*(right.Pix[p]-left.Pix[p])
			}
		}
	})
	detailEnergy(mem, energies[0], band, out.Pix, w, h)
	mem.bands(n, func(from, to int) {
		for i := from; i < to; i++ {
			gain := float32(math.Sqrt(float64(wanted[i]/max(energies[0][i], 1e-12)))) - 1
			for p := i; p < 3*n; p += n {
				out.Pix[p] = min(max(out.Pix[p]+min(max(gain, 0), mostMixedGain-1)*band[p], 0), 1)
			}
		}
	})
	return out
}

func pow32(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }
