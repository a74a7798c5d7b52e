package enginetest

import (
	"math"
	"slices"
	"testing"

	"nstfilter/filter/engine"
)

// regionMaps are two soft regions that leave a part to neither, and one without any weight.
func regionMaps(w, h int) [][]float32 {
	maps := [][]float32{make([]float32, w*h), make([]float32, w*h), make([]float32, w*h)}
	for i := range w * h {
		x, y := float64(i%w)/float64(w), float64(i/w)/float64(h)
		edge := 0.5 + 0.5*math.Sin(6*(x-0.5)+2*y)
		maps[0][i] = float32(0.9 * edge)
		if x < 0.8 {
			maps[1][i] = float32(1 - edge)
		}
	}
	return maps
}

// regionTaps asks some layers for the whole picture's content or style, and all of those, and
// others, for three regions' style, one with content.
func regionTaps(layers int) (taps []engine.Tap) {
	for i := range layers {
		if i%4 != 2 {
			taps = append(taps, engine.Tap{Layer: i, Style: i%2 == 0, Content: i%4 != 1})
		}
		for r := range 3 {
			if i%4 != 3 {
				taps = append(taps, engine.Tap{Layer: i, Region: r + 1, Style: true, Content: r == 1 && i%4 == 1})
			}
		}
	}
	return taps
}

// testRegions compares moments, gradients and J where layers have several taps, with regions
// alone and under a mask, whole and in tiles, and without regions again.
func testRegions(t *testing.T, got, oracle engine.Engine) {
	for _, c := range []struct {
		network, w, h int
		memory        int64
	}{{0, 17, 23, 0}, {1, 19, 16, 0}, {2, 70, 45, 1}} {
		n := networks()[c.network]
		for i, p := range n.Poolings {
			if (c.network > 0 || i > 0) && testing.Short() {
				continue
			}
			s := engine.Spec{Network: n, Pooling: p, W: c.w, H: c.h, Taps: regionTaps(len(n.Layers)), Memory: c.memory}
			t.Run(title(s), func(t *testing.T) { testRegionsOne(t, got, WithLoss{oracle}, s) })
		}
	}
}

func testRegionsOne(t *testing.T, got, oracle engine.Engine, s engine.Spec) {
	a, b := compile(t, got, s), compile(t, oracle, s)
	defer a.Close()
	defer b.Close()
	x, g := smooth(t, s.Network, s.Pooling, s.W, s.H), gradients(s)
	bare := outcome(a, s, x, g)
	compare(t, "no maps", a, b, s, x, g)
	dark := picture(1000, s.W, s.H)
	j := terms(b, s, dark)
	maps, soft := regionMaps(s.W, s.H), masks(s.W, s.H)["soft"]
	for name, mask := range map[string][]float32{"no mask": nil, "soft": soft} {
		for _, e := range []engine.Evaluator{a, b} {
			e.SetMask(slices.Clone(mask), maps...)
			e.Forward(upload(e, dark))
			e.SetContent(metrics(s))
		}
		compare(t, name, a, b, s, x, g)
		m := a.Forward(upload(a, x))
		for i, tap := range s.Taps {
			if tap.Region == 3 && (m[i].P != 0 || slices.Max(m[i].Gram) != 0) {
				t.Errorf("%s: the region without weight has P = %g and a Gram matrix up to %g", name, m[i].P, slices.Max(m[i].Gram))
			}
		}
		if _, ok := a.(engine.LossEvaluator); !ok {
			continue
		}
		for _, e := range []engine.Evaluator{a, b} {
			e.(engine.LossEvaluator).SetTerms(j)
		}
		compareLosses(t, name, a, b, s, x, beside{30, 10, 20})
		if mask == nil {
			testReading(t, a, s, x)
		}
	}
	fresh := compile(t, got, s)
	defer fresh.Close()
	fresh.SetMask(soft, maps...)
	fresh.SetMask(nil)
	sameBits(t, "without regions again", outcome(fresh, s, x, g), bare)
	testOneMap(t, got, s, x)
}

// testOneMap checks that a tap's region under the map m has the moments of the whole picture
// under the mask m.
func testOneMap(t *testing.T, e engine.Engine, s engine.Spec, x []float32) {
	s.Taps = []engine.Tap{{Layer: 1, Style: true}, {Layer: 2, Style: true, Content: true}}
	of := s
	of.Taps = slices.Clone(s.Taps)
	for i := range of.Taps {
		of.Taps[i].Region = 1
	}
	whole, region := compile(t, e, s), compile(t, e, of)
	defer whole.Close()
	defer region.Close()
	m := regionMaps(s.W, s.H)[0]
	whole.SetMask(m)
	region.SetMask(nil, m)
	g := gradients(s)
	a, b := whole.Forward(upload(whole, x)), region.Forward(upload(region, x))
	for i := range a {
		sameBits(t, "the Gram matrix of a map", b[i].Gram, a[i].Gram)
		sameBits(t, "the mean of a map", b[i].Mean, a[i].Mean)
	}
	near(t, "the gradient of a map", backward(region, of, g), backward(whole, s, g), vectorTolerance)
}
