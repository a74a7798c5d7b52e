package weights

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var torchFiles = []string{"testdata/vgg19.zip.pth", "testdata/vgg19.legacy.pth"}

func torchFileData(t testing.TB, path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Both formats give the same network; what it computes is tested in filter/engine/cpu.
func TestImportTorch(t *testing.T) {
	var networks []*Network
	for _, path := range torchFiles {
		i, err := ImportTorch(path)
		if err != nil {
			t.Fatal(err)
		}
		n := i.Network
		networks = append(networks, n)
		var taps []string
		for _, l := range n.Layers {
			taps = append(taps, l.Tap())
		}
		want := "relu1_1 relu1_2 relu2_1 relu2_2 relu3_1 relu3_2 relu3_3 relu3_4 relu4_1 relu4_2 relu4_3 relu4_4 relu5_1 relu5_2 relu5_3 relu5_4"
		if got := strings.Join(taps, " "); got != want || n.Name != "vgg19" || n.Pooling != MaxPooling || n.Mean != imageNetMean || n.Std != imageNetStd {
			t.Errorf("%s: got %s, %s, %v, %v", path, got, n.Pooling, n.Mean, n.Std)
		}
		if !strings.Contains(i.Differs, "vgg19-dcbb9e9d.pth with dcbb9e9d") {
			t.Errorf("%s: a file that is not torchvision's: %q", path, i.Differs)
		}
	}
	for i, l := range networks[0].Layers {
		other := networks[1].Layers[i]
		if !slices.Equal(l.Weight, other.Weight) || !slices.Equal(l.Bias, other.Bias) {
			t.Errorf("%s differs between the formats", l.Tap())
		}
	}
}

// replaced is the file with another text in the place of one that is as long.
func replaced(t *testing.T, path, old, new string) []byte {
	data := torchFileData(t, path)
	if len(old) != len(new) || !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q cannot take the place of %q", new, old)
	}
	return bytes.ReplaceAll(data, []byte(old), []byte(new))
}

func TestImportTorchRefuses(t *testing.T) {
	legacy, zipped := torchFiles[1], torchFiles[0]
	whole := torchFileData(t, legacy)
	for what, c := range map[string]struct {
		data []byte
		want string
	}{
		"a command":     {replaced(t, legacy, "ccollections\nOrderedDict\n", "cposixxxxxxx\nsystemxxxxx\n"), `names "posixxxxxxx.systemxxxxx"`},
		"another class": {replaced(t, legacy, "torch._utils", "torch.xutils"), `names "torch.xutils._rebuild_tensor_v2"`},
		"an opcode":     {[]byte("\x80\x02i\n\n."), "no file of torch.save"},
		"a zip's CRC":   {replaced(t, zipped, "classifier.0.weight", "classifier.0.weigh!"), "checksum"},
		"cut":           {whole[:len(whole)-5], "not as long as"},
		"a gap":         {replaced(t, legacy, "features.10.", "features.11."), "features.9.weight is missing, or 11"},
		"batch norm":    {replaced(t, legacy, "features.0.bias", "features.0.mean"), "features.0.bias beside it"},
		"nothing":       {[]byte("MZ"), "no file of torch.save"},
		"no conv":       {replaced(t, legacy, "features.", "feathers."), `"feathers.0.weight" is no convolution`},
	} {
		_, err := importTorch("x.pth", c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.pth: ") {
			t.Errorf("%s: error %v, want %q", what, err, c.want)
		}
	}
	if _, err := ImportTorch(t.TempDir()); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("folder: %v", err)
	}
}

// What Python's pickle makes of values: pickle.dumps(…, 2) without the memo.
func TestUnpickle(t *testing.T) {
	for text, want := range map[string]any{
		"\x80\x02K\x07.": int64(7), "\x80\x02M\x39\x30.": int64(12345), "\x80\x02J\xff\xff\xff\xff.": int64(-1),
		"\x80\x02\x8a\x05\x00\x00\x00\x00\x80.": int64(-1 << 39), "\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00.": 1.5,
		"\x80\x02X\x02\x00\x00\x00ab.": "ab", "\x80\x02U\x01a.": "a", "\x80\x02\x88.": true, "N.": nil,
		"U\x01aq\x00U\x01bh\x00\x86.": nil, // below
	} {
		got, rest, err := unpickle([]byte(text + "rest"))
		if tup, ok := got.(tuple); ok {
			got = nil
			if !slices.Equal(tup, tuple{"b", "a"}) {
				t.Errorf("%q: %v", text, tup)
			}
		}
		if err != nil || got != want || string(rest) != "rest" {
			t.Errorf("%q: %v, rest %q, error %v; want %v", text, got, rest, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                          "ends too early",
		"0.":                        "opcode 0x30",
		"\x80\x04.":                 "protocol 4",
		"cos\nsystem\n.":            `names "os.system"`,
		"X\xff\xff\xff\xff.":        "ends too early",
		"(K\x01.":                   "", // a mark may be left, as Python allows
		"K\x01(\x85.":               "more from the stack",
		"h\x00.":                    "not remembered",
		"K\x01K\x02a.":              "what is no list",
		"K\x01b.":                   "gives a state",
		"ctorch\nFloatStorage\n)R.": "calls torch.FloatStorage",
		"K\x01Q.":                   "no storage",
	} {
		_, _, err := unpickle([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestNamed(t *testing.T) {
	folder := t.TempDir()
	if _, err := Named("vgg19", folder); err == nil || !strings.Contains(err.Error(), "download.pytorch.org/models/vgg19-dcbb9e9d.pth") || !strings.Contains(err.Error(), "weights import vgg19-dcbb9e9d.pth") {
		t.Errorf("vgg19 that was not imported: %v", err)
	}
	i, err := ImportTorch(torchFiles[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "vgg19.safetensors"), i.File, 0o644); err != nil {
		t.Fatal(err)
	}
	n, err := Named("vgg19", folder)
	if err != nil || len(n.Layers) != 16 || !slices.Equal(n.Layers[15].Weight, i.Network.Layers[15].Weight) {
		t.Errorf("imported: %v, error %v", n, err)
	}
	if n, err := Named("slim", folder); err != nil || n != Slim() {
		t.Errorf("slim: error %v", err)
	}
}

// FuzzTorch: whatever the bytes, reading ends in an error or in a network that keeps its
// promises.
func FuzzTorch(f *testing.F) {
	for _, path := range torchFiles {
		f.Add(torchFileData(f, path))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := importTorch("x", data)
		if err != nil {
			return
		}
		in := 3
		for _, l := range i.Network.Layers {
			if l.In != in || len(l.Weight) != l.Out*l.In*9 || len(l.Bias) != l.Out {
				t.Fatalf("layer %s: %d to %d channels, %d weights, %d biases", l.Tap(), l.In, l.Out, len(l.Weight), len(l.Bias))
			}
			in = l.Out
		}
	})
}

// PyTorch of 2017 rebuilt tensors by another function, and wrapped some in a Parameter with a
// state.
func TestUnpickleOldTensor(t *testing.T) {
	const tensor = "ctorch._utils\n_rebuild_tensor\n((U\x07storagectorch\nFloatStorage\nU\x01kU\x03cpuK\x08NtQK\x03K\x02K\x02\x86K\x02K\x01\x86tR"
	for _, text := range []string{tensor + ".", "ctorch.nn.parameter\nParameter\n" + tensor + "\x85\x81\x88N}\x87b."} {
		v, _, err := unpickle([]byte(text))
		x, ok := v.(*torchTensor)
		if err != nil || !ok || x.storage != (storage{"torch.FloatStorage", "k", 8}) || x.offset != 3 || !slices.Equal(x.shape, []int64{2, 2}) || !slices.Equal(x.stride, []int64{2, 1}) {
			t.Errorf("%q: %v, error %v", text, v, err)
		}
	}
}
