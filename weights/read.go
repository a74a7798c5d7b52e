package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ImageNet's mean and standard deviation, which torchvision's networks expect.
var (
	imageNetMean = [3]float32{0.485, 0.456, 0.406}
	imageNetStd  = [3]float32{0.229, 0.224, 0.225}
)

// maxBlocks keeps the last activation at least one pixel wide in a picture of 16.
const maxBlocks = 5

// Open reads a network from a .safetensors file:
//
//	convB_K.weight  (O,I,3,3)   block B, convolution K, both from 1 without gaps
//	convB_K.bias    (O)
//	reluB_K.metric  (O,O)       optional; M of Metric, a distilled network's
//
// __metadata__ may hold mean and std ("0.485,0.456,0.406"; ImageNet's if both are
// missing), pooling (avg or max; avg if missing), input (rgb01 and nothing else),
// and must hold taps for the metrics:
//
//	{"relu1_1": {"channels": 64, "style": 1.07, "content": 1.03}, …}
//
// A network with metrics may be used only with its own pooling.
func Open(path string) (*Network, error) {
	s, err := OpenSafetensors(path)
	if err != nil {
		return nil, err
	}
	n, err := s.network()
	return n, errors.Join(err, s.Close())
}

// layerName splits conv4_2.weight into conv, 4, 2, weight.
var layerName = regexp.MustCompile(`^(conv|relu)([1-9][0-9]?)_([1-9][0-9]?)\.(weight|bias|metric)$`)

// network decodes and checks everything.
func (s *Safetensors) network() (*Network, error) {
	n, err := s.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return n, nil
}

func (s *Safetensors) build() (*Network, error) {
	parts, order, err := s.byLayer()
	if err != nil {
		return nil, err
	}
	n := &Network{Name: s.Metadata["network"], SHA256: s.SHA256()}
	if n.Name == "" {
		n.Name = s.Name
	}
	if n.Mean, n.Std, err = normalisation(s.Metadata); err != nil {
		return nil, err
	}
	taps, err := tapScales(s.Metadata)
	if err != nil {
		return nil, err
	}
	in, distilled := 3, false
	for i, at := range order {
		if err := follows(order, i); err != nil {
			return nil, err
		}
		l, err := parts[at].layer(at, in)
		if err != nil {
			return nil, err
		}
		if m := parts[at].metric; m != nil {
			distilled = true
			if l.Metric, err = m.metric(l, taps); err != nil {
				return nil, err
			}
			delete(taps, l.Tap())
		}
		n.Layers, in = append(n.Layers, l), l.Out
	}
	for tap := range taps {
		return nil, fmt.Errorf("__metadata__.taps names %s, which has no metric; export it again", tap)
	}
	n.Pooling, n.Poolings, err = poolings(s.Metadata, distilled)
	return n, err
}

// position is a layer's block and index.
type position struct{ block, index int }

func (p position) String() string { return fmt.Sprintf("%d_%d", p.block, p.index) }

// layerTensors are the tensors of one layer, nil where missing.
type layerTensors struct{ weight, bias, metric *Tensor }

// byLayer gathers the tensors by layer and gives the layers' order.
func (s *Safetensors) byLayer() (map[position]*layerTensors, []position, error) {
	parts, order := map[position]*layerTensors{}, []position(nil)
	for i := range s.Tensors {
		t := &s.Tensors[i]
		m := layerName.FindStringSubmatch(t.Name)
		if m == nil || (m[1] == "relu") != (m[4] == "metric") {
			return nil, nil, fmt.Errorf("tensor %q has no place in a chain of 3×3 convolutions, whose tensors are convB_K.weight and convB_K.bias; rename, fold or remove it, or use another network", t.Name)
		}
		var at position
		at.block, _ = strconv.Atoi(m[2])
		at.index, _ = strconv.Atoi(m[3])
		if parts[at] == nil {
			parts[at] = &layerTensors{}
			order = append(order, at)
		}
		switch m[4] {
		case "weight":
			parts[at].weight = t
		case "bias":
			parts[at].bias = t
		case "metric":
			parts[at].metric = t
		}
	}
	if len(order) == 0 {
		return nil, nil, errors.New("it has no layer; a network needs at least conv1_1.weight and conv1_1.bias")
	}
	slices.SortFunc(order, func(a, b position) int { return (a.block-b.block)*100 + a.index - b.index })
	return parts, order, nil
}

// follows checks that order[i] is the layer after order[i-1] or opens the next block.
func follows(order []position, i int) error {
	at, before := order[i], position{0, 1}
	if i > 0 {
		before = order[i-1]
	}
	if at.block > maxBlocks {
		return fmt.Errorf("conv%v is in block %d, only %d blocks are supported; remove the later ones", at, at.block, maxBlocks)
	}
	if at == (position{before.block, before.index + 1}) && before.block > 0 || at == (position{before.block + 1, 1}) {
		return nil
	}
	if i == 0 {
		return fmt.Errorf("its first layer is conv%v, not conv1_1; export the missing layers too", at)
	}
	return fmt.Errorf("conv%v follows conv%v, a layer between them is missing; export it too", at, before)
}

// layer checks and decodes one convolution of in input channels.
func (p *layerTensors) layer(at position, in int) (Layer, error) {
	if p.weight == nil {
		return Layer{}, fmt.Errorf("conv%v.weight is missing; export it too", at)
	}
	if p.bias == nil {
		return Layer{}, fmt.Errorf("conv%v.bias is missing; export it too (zeros if the layer has none)", at)
	}
	shape := p.weight.Shape
	if len(shape) != 4 || shape[0] < 1 || shape[2] != 3 || shape[3] != 3 {
		return Layer{}, fmt.Errorf("%s has shape %v, not (out,in,3,3); only 3×3 convolutions are supported", p.weight.Name, shape)
	}
	if shape[1] != in {
		return Layer{}, fmt.Errorf("%s takes %d channels where %d come in; the layers do not belong together", p.weight.Name, shape[1], in)
	}
	if !slices.Equal(p.bias.Shape, shape[:1]) {
		return Layer{}, fmt.Errorf("%s has shape %v, its layer has %d output channels; export it again", p.bias.Name, p.bias.Shape, shape[0])
	}
	l := Layer{Block: at.block, Index: at.index, In: in, Out: shape[0]}
	var err error
	if l.Weight, err = p.weight.finite(); err != nil {
		return Layer{}, err
	}
	l.Bias, err = p.bias.finite()
	return l, err
}

// finite decodes a tensor that may hold neither NaN nor infinity.
func (t *Tensor) finite() ([]float32, error) {
	out := t.Floats()
	for i, v := range out {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s[%d] is %g; a network needs finite numbers, export it again", t.Name, i, v)
		}
	}
	return out, nil
}

// tapScale is one entry of __metadata__.taps.
type tapScale struct {
	Channels int     `json:"channels"`
	Style    float64 `json:"style"`
	Content  float64 `json:"content"`
}

func tapScales(metadata map[string]string) (map[string]tapScale, error) {
	taps := map[string]tapScale{}
	text, ok := metadata["taps"]
	if !ok {
		return taps, nil
	}
	if err := json.Unmarshal([]byte(text), &taps); err != nil {
		return nil, fmt.Errorf("__metadata__.taps: %w; export it again", err)
	}
	for name, t := range taps {
		if t.Channels < 1 || t.Channels > math.MaxInt32 || !(t.Style > 0) || !(t.Content > 0) {
			return nil, fmt.Errorf("__metadata__.taps.%s has channels %d, style %g, content %g; all must be above zero, export it again", name, t.Channels, t.Style, t.Content)
		}
	}
	return taps, nil
}

// metric checks M (k,k): symmetric up to rounding, no negative diagonal.
func (t *Tensor) metric(l Layer, taps map[string]tapScale) (*Metric, error) {
	k := l.Out
	if !slices.Equal(t.Shape, []int{k, k}) {
		return nil, fmt.Errorf("%s has shape %v, its layer has %d channels; export it again", t.Name, t.Shape, k)
	}
	scale, ok := taps[l.Tap()]
	if !ok {
		return nil, fmt.Errorf("%s has no entry in __metadata__.taps, which gives its channels, style and content; export it again", t.Name)
	}
	m, err := t.finite()
	if err != nil {
		return nil, err
	}
	largest := float32(0)
	for i := range k {
		if m[i*k+i] < 0 {
			return nil, fmt.Errorf("%s[%d,%d] is %g; a metric QᵀQ has no negative diagonal, export it again", t.Name, i, i, m[i*k+i])
		}
		largest = max(largest, m[i*k+i])
	}
	for i := range k {
		for j := range i {
			a, b := m[i*k+j], m[j*k+i]
			if diff := a - b; diff > 1e-5*largest || -diff > 1e-5*largest {
				return nil, fmt.Errorf("%s is not symmetric: [%d,%d] is %g, [%d,%d] is %g; export it again", t.Name, i, j, a, j, i, b)
			}
			mean := a/2 + b/2
			m[i*k+j], m[j*k+i] = mean, mean
		}
	}
	return &Metric{M: m, Channels: scale.Channels, Style: scale.Style, Content: scale.Content}, nil
}

func normalisation(metadata map[string]string) (mean, std [3]float32, err error) {
	if input, ok := metadata["input"]; ok && input != "rgb01" {
		return mean, std, fmt.Errorf("__metadata__.input is %q, only rgb01 (RGB in [0,1], then mean and std) is supported; fold the difference into conv1_1", input)
	}
	meanText, hasMean := metadata["mean"]
	stdText, hasStd := metadata["std"]
	if !hasMean && !hasStd {
		return imageNetMean, imageNetStd, nil
	}
	if !hasMean || !hasStd {
		return mean, std, errors.New("__metadata__ has only one of mean and std; give both or none")
	}
	if mean, err = triple("mean", meanText); err != nil {
		return mean, std, err
	}
	if std, err = triple("std", stdText); err != nil {
		return mean, std, err
	}
	for _, v := range std {
		if v <= 0 {
			return mean, std, fmt.Errorf("__metadata__.std is %q; all three must be above zero", stdText)
		}
	}
	return mean, std, nil
}

// triple reads "0.485,0.456,0.406".
func triple(name, text string) (out [3]float32, err error) {
	fields := strings.Split(text, ",")
	for i := range out {
		if len(fields) == 3 {
			v, err := strconv.ParseFloat(strings.TrimSpace(fields[i]), 32)
			out[i] = float32(v)
			if err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
				continue
			}
		}
		return out, fmt.Errorf("__metadata__.%s is %q, not three numbers like 0.485,0.456,0.406", name, text)
	}
	return out, nil
}

func poolings(metadata map[string]string, distilled bool) (Pooling, []Pooling, error) {
	pooling := Pooling(metadata["pooling"])
	switch pooling {
	case AveragePooling, MaxPooling:
	case "":
		pooling = AveragePooling
	default:
		return "", nil, fmt.Errorf("__metadata__.pooling is %q, only avg and max are supported", pooling)
	}
	if distilled {
		return pooling, []Pooling{pooling}, nil
	}
	return pooling, []Pooling{AveragePooling, MaxPooling}, nil
}
