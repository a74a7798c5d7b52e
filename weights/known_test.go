package weights

import (
	"slices"
	"strings"
	"testing"
)

func TestKnown(t *testing.T) {
	infos := List()
	for i, want := range []struct {
		name     string
		size     int64
		poolings []Pooling
		widths   []int
	}{
		{"slim", 3979144, []Pooling{MaxPooling}, []int{32, 32, 64, 64, 96, 96, 96, 192, 192, 192, 256}},
		{"vgg16", 19992440, []Pooling{AveragePooling, MaxPooling}, []int{64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512}},
	} {
		info := infos[i]
		if err := info.Verify(); err != nil {
			t.Fatal(err)
		}
		if info.Name != want.name || info.Size != want.size || info.Licence == "" || info.Attribution == "" || info.Description == "" {
			t.Errorf("got %+v", info)
		}
		n, err := Load(want.name)
		if err != nil {
			t.Fatal(err)
		}
		var widths []int
		for _, l := range n.Layers {
			widths = append(widths, l.Out)
		}
		if n.SHA256 != info.SHA256 || n.Name != want.name || n.Pooling != MaxPooling || !slices.Equal(n.Poolings, want.poolings) ||
			n.Mean != imageNetMean || n.Std != imageNetStd || !slices.Equal(widths, want.widths) {
			t.Errorf("got %s %s, %s of %v, widths %v", n.Name, n.SHA256, n.Pooling, n.Poolings, widths)
		}
		if again, err := Load(want.name); err != nil || again != n {
			t.Errorf("Load gave another %s, error %v", want.name, err)
		}
	}
	last := Slim().Layers[10]
	if last.Tap() != "relu5_1" || last.Metric == nil || last.Metric.Channels != 512 || last.Metric.Style != 5.2974 || last.Metric.Content != 2.8193 {
		t.Errorf("slim's last layer %s, of %d channels", last.Tap(), last.Out)
	}
}

func TestUnknown(t *testing.T) {
	if _, err := Load("resnet"); err == nil || !strings.Contains(err.Error(), "there are slim, vgg16") {
		t.Errorf("an unknown network: %v", err)
	}
}

// A file of the right form but with other numbers is found.
func TestDamage(t *testing.T) {
	damaged := List()[0]
	damaged.file = slices.Clone(damaged.file)
	damaged.file[len(damaged.file)-1] ^= 1
	if err := damaged.Verify(); err == nil || !strings.Contains(err.Error(), "network slim is damaged") {
		t.Errorf("error %v", err)
	}
}
