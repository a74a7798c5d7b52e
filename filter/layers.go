package filter

import (
	"fmt"
	"slices"
	"sort"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// layer is a tap with its part in the losses.
type layer struct {
	engine.Tap
	name         string
	style        float64 // k, or Balanced
	content      float64 // weight in the content loss
	c            int     // channels of the activation
	metric       []float32
	field        int     // receptive field, in pixels
	n            float64 // n_c; with a metric that of the network the metric imitates
	sStyle, sCon float64 // factors s and c of the metric; 1 without
}

// layersOf returns the layers that the options name, in the network's order.
func layersOf(o *Options, n *weights.Network) ([]layer, error) {
	byLayer, fields := map[int]*layer{}, receptiveFields(n)
	at := func(w LayerWeight, flag string) (*layer, error) {
		i, err := n.Layer(w.Tap)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flag, err)
		}
		if l := byLayer[i]; l != nil {
			return l, nil
		}
		nl := &n.Layers[i]
		l := &layer{Tap: engine.Tap{Layer: i}, name: w.Tap, field: fields[i], c: nl.Out, n: float64(nl.Out), sStyle: 1, sCon: 1}
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

// network is a network with the options resolved for it.
type network struct {
	*weights.Network
	o           *Options
	pool        weights.Pooling
	layers      []layer
	styleCaches map[size]*styleCache // by the size of the picture
}

func newNetwork(o *Options, n *weights.Network, regions int) (*network, error) {
	pool := weights.Pooling(o.Pooling)
	if o.Pooling == "network" {
		pool = n.Pooling
	}
	if pool != n.Pooling && !slices.Contains(n.Poolings, pool) {
		return nil, fmt.Errorf("--pooling %s does not suit network %s, which was made for %s", pool, n.Name, n.Pooling)
	}
	layers, err := layersOf(o, n)
	return &network{Network: n, o: o, pool: pool, layers: byRegion(layers, regions), styleCaches: map[size]*styleCache{}}, err
}

// byRegion splits each layer of the style loss into one for each region. Content stays with the
// whole picture.
func byRegion(layers []layer, regions int) (out []layer) {
	if regions == 0 {
		return layers
	}
	for _, l := range layers {
		if l.Content {
			whole := l
			whole.Style = false
			out = append(out, whole)
		}
		for r := 1; r <= regions && l.Style; r++ {
			l.Region, l.Content = r, false
			out = append(out, l)
		}
	}
	return out
}

// in names something of the layer's region.
func (l *layer) in(name string) string {
	if l.Region == 0 {
		return name
	}
	return fmt.Sprintf("%s in region %d", name, l.Region)
}

// key is the layer's key in maps of moments and targets.
func (l *layer) key() string { return l.in(l.name) }

// layersAt returns the layers for a picture of size s halved k times: content layers only for
// k = 0, style layers if their receptive field is within Options.LayerReach.
func (n *network) layersAt(s size, k int) (layers []layer) {
	for range k {
		s = s.half()
	}
	widest := n.o.LayerReach * float64(min(s.w, s.h))
	for _, l := range n.layers {
		l.Content = l.Content && k == 0
		l.Style = l.Style && (float64(l.field) <= widest || l.Layer == n.layers[0].Layer && k == 0)
		if l.Content || l.Style {
			layers = append(layers, l)
		}
	}
	return layers
}

// styleLayersAt returns the style layers of layersAt, without content.
func (n *network) styleLayersAt(s size, k int) (layers []layer) {
	for _, l := range n.layersAt(s, k) {
		if l.Style {
			l.Content = false
			layers = append(layers, l)
		}
	}
	return layers
}

// receptiveFields returns the receptive field of each layer, in pixels of the picture.
func receptiveFields(n *weights.Network) (out []int) {
	field, step := 1, 1
	for i := range n.Layers {
		if n.Layers[i].Pooled() {
			field += step
			step *= 2
		}
		field += 2 * step
		out = append(out, field)
	}
	return out
}

// styleEnergy is J_style of a picture whose Gram matrices are all 0. Layer weights are relative:
// they are scaled so that J_style has this value there.
const styleEnergy = 5

// setLambdas sets λ_l: k_l for "sum", else 5 k_l / Σ_m k_m J_m(0), or 5 / (n J_l(0)) for each
// of n balanced layers. It leaves 0 for a balanced layer that the style does not activate. The
// layers are those of one region.
func setLambdas(targets map[string]styleTarget, layers []layer, lossScale string) {
	total, balanced := 0., 0
	energies := map[string]float64{}
	for i := range layers {
		l := &layers[i]
		e := energy(l, targets[l.key()].gram)
		energies[l.key()] = e
		if l.style == Balanced {
			balanced++
		} else {
			total += l.style * e
		}
	}
	for _, l := range layers {
		t := targets[l.key()]
		switch e := energies[l.key()]; {
		case l.style == Balanced && e > 0:
			t.lambda = styleEnergy / (float64(balanced) * e)
		case l.style != Balanced && lossScale == "sum":
			t.lambda = l.style
		case l.style != Balanced && total > 0:
			t.lambda = styleEnergy * l.style / total
		}
		targets[l.key()] = t
	}
}
