//go:build cgo

package filter_test

import (
	"math"
	"path/filepath"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine/cpu"
	"nstfilter/pipeline/photo"
	"nstfilter/weights"
)

// The metric makes slim's loss stand for VGG-16's, so that one set of weights
// serves both: the losses of the same pictures, side by side.
func TestSlimStandsForVGG16(t *testing.T) {
	if testing.Short() {
		t.Skip("only the engine is concurrent here, and it has tests of its own")
	}
	vgg, err := weights.Load("vgg16")
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	losses := func(n *weights.Network, style, content *filter.Frame) filter.Losses {
		o := filter.DefaultOptions()
		// One step from a picture that is neither, too small to move it.
		o.Size, o.Iterations, o.MinSize, o.Init, o.NoStyleColors = 192, filter.Steps{1}, 0, "image:other", true
		o.Optimizer, o.LearningRate, o.Average = "adam", 1e-6, 0
		o.Pooling, o.LossScale, o.ContentWeight, o.LayerReach = "max", "sum", filter.Numbers{1}, 100 // weights as they are
		o.StyleLoss, o.StyleSizes, o.StyleLayers = "gram", filter.Numbers{1}, nil
		for _, tap := range []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1"} {
			o.StyleLayers = append(o.StyleLayers, filter.LayerWeight{Tap: tap, Weight: 1})
		}
		f, err := filter.New(o, e, n, []*filter.Frame{style})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.InitImage, f.ByLayer = read(t, "glass"), true
		_, report, err := f.Paint(t.Context(), content, filter.Guide{})
		if err != nil {
			t.Fatal(err)
		}
		return report.Losses
	}
	for _, pair := range [][2]string{{"night", "watercolour"}, {"scream", "woodcut"}, {"mosaic", "night"}} {
		style, content := read(t, pair[0]), read(t, pair[1])
		slim, full := losses(weights.Slim(), style, content), losses(vgg, style, content)
		t.Logf("style %s, content %s: content loss slim %.4g, vgg16 %.4g", pair[0], pair[1], slim.Content, full.Content)
		within(t, pair, "content", slim.Content, full.Content)
		for tap, v := range full.Layers {
			t.Logf("  %s: slim %.4g, vgg16 %.4g", tap, slim.Layers[tap], v)
			within(t, pair, tap, slim.Layers[tap], v)
		}
	}
}

// within allows a factor of 2.5: by the card of slim the quartiles of relu4_1's s are a
// factor of 1.5 apart along optimisations, and these pictures are far from each other.
func within(t *testing.T, pair [2]string, what string, slim, full float64) {
	t.Helper()
	if r := slim / full; math.IsNaN(r) || r < 1/2.5 || r > 2.5 {
		t.Errorf("%v: %s: slim's loss is %.3g of VGG-16's", pair, what, r)
	}
}

func read(t *testing.T, name string) *filter.Frame {
	t.Helper()
	f, err := photo.Read(filepath.Join("..", "examples", "styles", name+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
