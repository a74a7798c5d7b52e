package weights

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tensors is a network's file to be, by tensor name.
type tensors map[string]array

func (t tensors) put(name string, shape ...int) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	a := array{name, F32, shape, make([]float32, n)}
	for i := range a.data {
		a.data[i] = float32(i%7) - 3
	}
	t[name] = a
}

func (t tensors) arrays() []array {
	var out []array
	for _, a := range t {
		out = append(out, a)
	}
	return out
}

// tiny is a distilled network of three layers.
func tiny() tensors {
	t := tensors{}
	in := 3
	for i, l := range []string{"1_1", "1_2", "2_1"} {
		out := 2 + i
		t.put("conv"+l+".weight", out, in, 3, 3)
		t.put("conv"+l+".bias", out)
		t.put("relu"+l+".metric", out, out)
		for r := range out {
			for c := range out {
				t["relu"+l+".metric"].data[r*out+c] = float32((r + 1) * (c + 1))
			}
		}
		in = out
	}
	return t
}

func tinyMetadata() map[string]string {
	scale := `{"channels": 8, "style": 1.5, "content": 1.25}`
	return map[string]string{
		"network": "tiny", "pooling": "max", "input": "rgb01", "mean": "0.1, 0.2,0.3", "std": "1,2,4",
		"taps": fmt.Sprintf(`{"relu1_1": %s, "relu1_2": %s, "relu2_1": %s}`, scale, scale, scale),
	}
}

// read encodes and reads back.
func read(t *testing.T, ts tensors, metadata map[string]string) (*Network, error) {
	t.Helper()
	var file bytes.Buffer
	if err := encodeSafetensors(&file, ts.arrays(), metadata); err != nil {
		t.Fatal(err)
	}
	s, err := ParseSafetensors("my.safetensors", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s.network()
}

func TestNetworkReadsEverything(t *testing.T) {
	n, err := read(t, tiny(), tinyMetadata())
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "tiny" || n.Mean != [3]float32{0.1, 0.2, 0.3} || n.Std != [3]float32{1, 2, 4} || len(n.SHA256) != 64 {
		t.Errorf("got %s, mean %v, std %v, SHA-256 %q", n.Name, n.Mean, n.Std, n.SHA256)
	}
	if n.Pooling != MaxPooling || !slices.Equal(n.Poolings, []Pooling{MaxPooling}) {
		t.Errorf("a distilled network allows %v, %v", n.Pooling, n.Poolings)
	}
	taps := ""
	for _, l := range n.Layers {
		taps += l.Tap() + " "
		if m := l.Metric; m == nil || m.Channels != 8 || m.Style != 1.5 || m.Content != 1.25 || m.M[1] != 2 {
			t.Errorf("%s: metric %+v", l.Tap(), m)
		}
		if l.Weight[5] != 2 || l.Bias[1] != -2 {
			t.Errorf("%s: weights %v, biases %v", l.Tap(), l.Weight[:9], l.Bias)
		}
	}
	if taps != "relu1_1 relu1_2 relu2_1 " || !n.Layers[2].Pooled() {
		t.Errorf("layers %s", taps)
	}
}

func TestNetworkDefaults(t *testing.T) {
	ts := tiny()
	for _, l := range []string{"1_1", "1_2", "2_1"} {
		delete(ts, "relu"+l+".metric")
	}
	n, err := read(t, ts, map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Mean != imageNetMean || n.Std != imageNetStd || n.Pooling != AveragePooling || !slices.Equal(n.Poolings, []Pooling{AveragePooling, MaxPooling}) || n.Layers[0].Metric != nil {
		t.Errorf("got mean %v, std %v, pooling %v of %v", n.Mean, n.Std, n.Pooling, n.Poolings)
	}
}

func TestNetworkRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		spoil func(tensors, map[string]string)
		want  string
	}{
		"foreign tensor":   {func(t tensors, _ map[string]string) { t.put("fire2/expand1x1.weight", 4, 3, 1, 1) }, "fire2/expand1x1.weight"},
		"wrong suffix":     {func(t tensors, _ map[string]string) { t.put("conv1_1.metric", 2, 2) }, "conv1_1.metric"},
		"no layer":         {func(t tensors, _ map[string]string) { clear(t) }, "has no layer"},
		"no bias":          {func(t tensors, _ map[string]string) { delete(t, "conv1_2.bias") }, "conv1_2.bias is missing"},
		"no weight":        {func(t tensors, _ map[string]string) { delete(t, "conv1_2.weight") }, "conv1_2.weight is missing"},
		"gap in a block":   {func(t tensors, _ map[string]string) { t.put("conv2_3.weight", 2, 4, 3, 3); t.put("conv2_3.bias", 2) }, "conv2_3 follows conv2_1"},
		"gap of a block":   {func(t tensors, _ map[string]string) { t.put("conv4_1.weight", 2, 4, 3, 3); t.put("conv4_1.bias", 2) }, "conv4_1 follows conv2_1"},
		"no first layer":   {func(t tensors, _ map[string]string) { removeLayer(t, "1_1") }, "first layer is conv1_2"},
		"too deep":         {func(t tensors, _ map[string]string) { clear(t); chain(t, 6) }, "block 6"},
		"1×1":              {func(t tensors, _ map[string]string) { t.put("conv1_2.weight", 3, 2, 1, 1) }, "only 3×3"},
		"no output":        {func(t tensors, _ map[string]string) { t.put("conv1_2.weight", 0, 2, 3, 3) }, "only 3×3"},
		"grey input":       {func(t tensors, _ map[string]string) { t.put("conv1_1.weight", 2, 1, 3, 3) }, "takes 1 channels where 3"},
		"broken chain":     {func(t tensors, _ map[string]string) { t.put("conv2_1.weight", 4, 9, 3, 3) }, "takes 9 channels where 3"},
		"bias length":      {func(t tensors, _ map[string]string) { t.put("conv1_1.bias", 3) }, "conv1_1.bias has shape [3]"},
		"NaN":              {func(t tensors, _ map[string]string) { t["conv1_2.weight"].data[4] = nan }, "conv1_2.weight[4] is NaN"},
		"infinite bias":    {func(t tensors, _ map[string]string) { t["conv1_1.bias"].data[1] = inf }, "conv1_1.bias[1] is +Inf"},
		"metric infinite":  {func(t tensors, _ map[string]string) { t["relu1_1.metric"].data[0] = inf }, "relu1_1.metric[0]"},
		"metric shape":     {func(t tensors, _ map[string]string) { t.put("relu1_1.metric", 3, 3) }, "relu1_1.metric has shape"},
		"metric skewed":    {func(t tensors, _ map[string]string) { t["relu1_1.metric"].data[1] += 0.1 }, "not symmetric"},
		"metric negative":  {func(t tensors, _ map[string]string) { t["relu1_1.metric"].data[0] = -1 }, "negative diagonal"},
		"metric no layer":  {func(t tensors, _ map[string]string) { t.put("relu2_2.metric", 4, 4) }, "conv2_2.weight is missing"},
		"taps missing":     {func(_ tensors, m map[string]string) { delete(m, "taps") }, "no entry in __metadata__.taps"},
		"taps not JSON":    {func(_ tensors, m map[string]string) { m["taps"] = "{" }, "__metadata__.taps"},
		"taps zero":        {func(_ tensors, m map[string]string) { m["taps"] = strings.Replace(m["taps"], "1.5", "0", 1) }, "above zero"},
		"tap without M":    {func(t tensors, _ map[string]string) { delete(t, "relu1_2.metric") }, "relu1_2, which has no metric"},
		"input":            {func(_ tensors, m map[string]string) { m["input"] = "BGR 0..255" }, "BGR 0..255"},
		"pooling":          {func(_ tensors, m map[string]string) { m["pooling"] = "median" }, "median"},
		"mean of two":      {func(_ tensors, m map[string]string) { m["mean"] = "1,2" }, "__metadata__.mean"},
		"mean not finite":  {func(_ tensors, m map[string]string) { m["mean"] = "1,nan,2" }, "__metadata__.mean"},
		"std zero":         {func(_ tensors, m map[string]string) { m["std"] = "1,0,1" }, "above zero"},
		"mean without std": {func(_ tensors, m map[string]string) { delete(m, "std") }, "only one of"},
	} {
		ts, metadata := tiny(), tinyMetadata()
		c.spoil(ts, metadata)
		_, err := read(t, ts, metadata)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "my.safetensors: ") {
			t.Errorf("%s: error %v, want one with the file and %q", name, err, c.want)
		}
	}
}

func removeLayer(t tensors, layer string) {
	for _, name := range []string{"conv" + layer + ".weight", "conv" + layer + ".bias", "relu" + layer + ".metric"} {
		delete(t, name)
	}
}

// chain puts one layer of three channels in each block.
func chain(t tensors, blocks int) {
	for b := 1; b <= blocks; b++ {
		t.put(fmt.Sprintf("conv%d_1.weight", b), 3, 3, 3, 3)
		t.put(fmt.Sprintf("conv%d_1.bias", b), 3)
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny.safetensors")
	var file bytes.Buffer
	if err := encodeSafetensors(&file, tiny().arrays(), tinyMetadata()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := Open(path); err != nil || n.Name != "tiny" || n.Layers[2].Out != 4 {
		t.Fatalf("got %v, error %v", n, err)
	}
	data := must(os.ReadFile(path))
	if err := os.WriteFile(path, data[:len(data)-4], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("cut off: %v", err)
	}
}

// What weights/distil exports is a network (smoke_test.py --keep wrote this one).
func TestOpenExported(t *testing.T) {
	n, err := Open("testdata/distilled.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if n.Name != "smoke" || len(n.Layers) != 11 || !slices.Equal(n.Poolings, []Pooling{AveragePooling}) {
		t.Fatalf("got %s, %d layers, poolings %v", n.Name, len(n.Layers), n.Poolings)
	}
	for i, l := range n.Layers {
		if l.Metric == nil || l.Metric.Channels <= l.Out {
			t.Errorf("layer %d: metric %+v", i, l.Metric)
		}
	}
}
