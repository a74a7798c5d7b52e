package filter

import (
	"fmt"
	"sort"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// layer is a tap with what the losses need to know of it.
type layer struct {
	engine.Tap
	name         string
	style        float64 // λ, or Balanced
	content      float64 // weight in the content loss
	c            int     // channels of the activation
	metric       []float32
	n            float64 // n_c, the teacher's where there is a metric
	sStyle, sCon float64 // factors s and c of the metric; 1 without
}

// layersOf resolves the option's layers against the network, in its order.
func layersOf(o *Options, n *weights.Network) ([]layer, error) {
	byLayer := map[int]*layer{}
	at := func(w LayerWeight, flag string) (*layer, error) {
		i, err := n.Layer(w.Tap)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		if l := byLayer[i]; l != nil {
			return l, nil
		}
		nl := &n.Layers[i]
		l := &layer{Tap: engine.Tap{Layer: i}, name: w.Tap, c: nl.Out, n: float64(nl.Out), sStyle: 1, sCon: 1}
		if m := nl.Metric; m != nil {
			l.metric, l.n, l.sStyle, l.sCon = m.M, float64(m.Channels), m.Style, m.Content
		}
		byLayer[i] = l
		return l, nil
	}
	for _, w := range o.StyleLayers {
		l, err := at(w, "style-layers")
		if err != nil {
			return nil, err
		}
		l.Style, l.style = true, w.Weight
	}
	for _, w := range o.ContentLayers {
		l, err := at(w, "content-layers")
		if err != nil {
			return nil, err
		}
		l.Content, l.content = true, w.Weight
		if w.Weight == Balanced {
			l.content = 1
		}
	}
	if len(byLayer) == 0 {
		return nil, fmt.Errorf("--style-layers and --content-layers are both empty: name at least one layer")
	}
	var out []layer
	for _, l := range byLayer {
		out = append(out, *l)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Layer < out[j].Layer })
	return out, nil
}
