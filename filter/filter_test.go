package filter

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/weights"
)

// tiny is a made-up network of two blocks; with metrics it stands for a teacher
// of twice its channels.
func tiny(metric bool) *weights.Network {
	r := rand.New(rand.NewPCG(7, 7))
	n := &weights.Network{Name: "tiny", Mean: [3]float32{0.45, 0.45, 0.45}, Std: [3]float32{0.25, 0.25, 0.25},
		Pooling: weights.AveragePooling, Poolings: []weights.Pooling{weights.AveragePooling, weights.MaxPooling}}
	for _, l := range [][4]int{{1, 1, 3, 6}, {1, 2, 6, 6}, {2, 1, 6, 8}, {2, 2, 8, 8}} {
		layer := weights.Layer{Block: l[0], Index: l[1], In: l[2], Out: l[3],
			Weight: make([]float32, l[2]*l[3]*9), Bias: make([]float32, l[3])}
		for i := range layer.Weight {
			layer.Weight[i] = float32(r.NormFloat64() * math.Sqrt(2/(9*float64(l[2]))))
		}
		for i := range layer.Bias {
			layer.Bias[i] = float32(r.NormFloat64() * 0.1)
		}
		if metric {
			q := make([]float64, 2*l[3]*l[3])
			for i := range q {
				q[i] = r.NormFloat64() / math.Sqrt(float64(l[3]))
			}
			m := make([]float32, l[3]*l[3])
			for i := range l[3] {
				for j := range l[3] {
					for k := range 2 * l[3] {
						m[i*l[3]+j] += float32(q[k*l[3]+i] * q[k*l[3]+j])
					}
				}
			}
			layer.Metric = &weights.Metric{M: m, Channels: 2 * l[3], Style: 1.7, Content: 1.3}
		}
		n.Layers = append(n.Layers, layer)
	}
	return n
}

func tinyOptions() Options {
	o := DefaultOptions()
	o.StyleLayers, o.StyleLoss, o.StyleSizes = LayerWeights{{"relu1_1", 1}, {"relu2_1", 2}}, "gram", Numbers{1}
	o.ContentLayers, o.ContentWeight, o.TVWeight = LayerWeights{{"relu2_2", 1}}, Numbers{1}, Numbers{0.5}
	o.Optimizer, o.LearningRate, o.NoStyleColors = "adam", 0.01, true
	o.Iterations, o.FrameIterations, o.FrameTolerance, o.MinSize, o.Margin = Steps{6}, 3, 0, 16, 2
	return o
}

// severalSizes compares the style, its means too, at three sizes, as the defaults do.
func severalSizes(o Options) Options {
	d := DefaultOptions()
	o.StyleLoss, o.StyleSizes, o.Optimizer, o.NoStyleColors, o.LayerReach = d.StyleLoss, d.StyleSizes, d.Optimizer, false, 10
	return o
}

// smooth is a picture with structure: a few waves.
func smooth(w, h int, seed uint64) *Frame {
	r, f := rand.New(rand.NewPCG(seed, 3)), NewFrame(w, h)
	for p := range 3 {
		a, b, c := r.Float64()*0.6, r.Float64()*0.6, r.Float64()*6
		for i := range w * h {
			f.Pix[p*w*h+i] = float32(0.5 + 0.4*math.Sin(a*float64(i%w)+b*float64(i/w)+c))
		}
	}
	return f
}

func newFilter(t *testing.T, o Options, n *weights.Network, styles ...*Frame) *Filter {
	t.Helper()
	f, err := New(o, enginetest.Reference{}, n, styles)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func TestGradientOfJ(t *testing.T) {
	for _, test := range []struct {
		name   string
		metric bool
		change func(*Options)
	}{
		{"mean", false, func(*Options) {}},
		{"sum", false, func(o *Options) { o.LossScale = "sum" }},
		{"metric", true, func(*Options) {}},
		{"pyramid", false, func(o *Options) { o.Parameters = "pyramid" }},
		{"several sizes", true, func(o *Options) { *o = severalSizes(*o) }},
		{"covariance", true, func(o *Options) { o.StyleLoss = "covariance" }},
		{"gram+moments", true, func(o *Options) { o.StyleLoss = "gram+moments" }},
		{"shifted", true, func(o *Options) { o.StyleLoss = "shifted" }},
		{"wasserstein", true, func(o *Options) { o.StyleLoss = "wasserstein" }},
		{"regions", true, func(o *Options) { *o = severalSizes(*o) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := tinyOptions()
			o.Margin, o.GamutWeight = 0, 10
			test.change(&o)
			style := smooth(30, 22, 1)
			if test.name == "regions" {
				style.Regions = halves(30, 22)
			}
			f := newFilter(t, o, tiny(test.metric), style)
			s := size{23, 18}
			w, j := objectiveOf(t, f, s)
			w.Upload(w.x, smooth(s.w, s.h, 2).Pix)
			j.setContent()
			prior := smooth(s.w, s.h, 4)
			w.setPrior(j, Guide{Prior: prior, PriorWeight: noise(s.pixels(), 6)}, nil, s, 0)
			p := newPainter(&f.o, w, j, outOfGamut(smooth(s.w, s.h, 9).Pix))
			p.evaluate(true)
			n := p.params.Len()
			x, dx := make([]float32, n), make([]float32, n)
			p.w.Download(x, p.params)
			p.w.Download(dx, p.grad)
			// Along random directions, so that every parameter takes part.
			for k := range 5 {
				d := noise(n, uint64(20+k))
				slope, at := 0.0, func(h float64) float64 {
					moved := slices.Clone(x)
					for i := range moved {
						moved[i] += float32(h) * (d[i] - 0.5)
					}
					p.w.Upload(p.params, moved)
					return p.evaluate(true).Total
				}
				for i := range dx {
					slope += float64(dx[i]) * (float64(d[i]) - 0.5)
				}
				// A ReLU may flip between two of the points: then one side still agrees, or
				// all do when they are nearer; x is float32.
				worst := math.Inf(1)
				for _, h := range []float64{1e-4, 3e-5} {
					before, here, after := at(-h), at(0), at(h)
					for _, numeric := range []float64{(after - before) / (2 * h), (after - here) / h, (here - before) / h} {
						worst = min(worst, math.Abs(numeric-slope))
					}
				}
				if worst > 5e-3*math.Max(math.Abs(slope), 1e-2) {
					t.Errorf("direction %d: slope %g, off by %g from the nearest difference", k, slope, worst)
				}
			}
		})
	}
}

// outOfGamut moves samples below 0 and above 1.
func outOfGamut(pix []float32) []float32 {
	for i, v := range pix {
		pix[i] = 1.5*v - 0.25
	}
	return pix
}

func TestSumEqualsMeanStyleWherePositionsAgree(t *testing.T) {
	style, content := smooth(24, 20, 1), smooth(24, 20, 2)
	var got []float64
	for _, scale := range []string{"sum", "mean"} {
		o := tinyOptions()
		o.LossScale, o.ContentWeight, o.TVWeight, o.Margin = scale, Numbers{0}, Numbers{0}, 0
		o.StyleLayers = LayerWeights{{"relu1_1", Balanced}, {"relu2_1", Balanced}}
		f := newFilter(t, o, tiny(false), style)
		w, j := objectiveOf(t, f, size{24, 20})
		w.Upload(w.x, content.Pix)
		j.setContent()
		j.at(w.NewVector(w.x.Len()))
		got = append(got, j.losses().Style)
	}
	check(t, "style loss", got[0], got[1])
}

func TestAdamRosenbrock(t *testing.T) {
	f := newFilter(t, tinyOptions(), tiny(false), smooth(20, 20, 1))
	w, err := f.workspace(f.network, size{16, 16}, engine.FP32, 0)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Average, o.Parameters = 0, "pyramid" // no clamp: the minimum is on the border of [0,1]
	x, dx := w.NewVector(2), w.NewVector(2)
	w.Upload(x, []float32{-1.2, 1})
	hx, hdx := make(enginetest.Vector, 2), make(enginetest.Vector, 2)
	var last Losses
	a := newAdam(w, x, dx, &o)
	for range 3000 {
		last = a.advance(func() Losses {
			w.Download(hx, x)
			v := rosenbrock(hx, hdx)
			w.Upload(dx, hdx)
			return Losses{Total: v}
		}, 0)
	}
	if last.Total > 1e-3 {
		t.Errorf("J = %g at %v after 3000 steps", last.Total, hx)
	}
}

func paint(t *testing.T, f *Filter, content *Frame, g Guide) (*Frame, *Report) {
	t.Helper()
	out, report, err := f.Paint(t.Context(), content, g)
	if err != nil {
		t.Fatal(err)
	}
	if out.W != content.W || out.H != content.H {
		t.Fatalf("%d×%d became %d×%d", content.W, content.H, out.W, out.H)
	}
	for i, v := range out.Pix {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("sample %d is %g", i, v)
		}
	}
	return out, report
}

func TestPaintLowersTheLoss(t *testing.T) {
	style, content := smooth(40, 30, 1), smooth(37, 29, 2)
	for name, change := range map[string]func(*Options){
		"adam":          func(*Options) {},
		"lbfgs":         func(o *Options) { o.Optimizer = "lbfgs" },
		"pyramid":       func(o *Options) { o.Parameters = "pyramid" },
		"lbfgs pyramid": func(o *Options) { o.Optimizer, o.Parameters = "lbfgs", "pyramid" },
		"random":        func(o *Options) { o.Init = "random" },
		"sum":           func(o *Options) { o.LossScale, o.StyleWeight, o.ContentWeight = "sum", 1e3, Numbers{1e-3} },
		"several sizes": func(o *Options) { *o = severalSizes(*o) },
		"max pooling":   func(o *Options) { o.Pooling = "max" },
		"no averaging":  func(o *Options) { o.Average = 0 },
		"style alone":   func(o *Options) { o.ContentLayers = nil },
		"content alone": func(o *Options) { o.StyleLayers, o.Init = nil, "random" },
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions()
			o.Iterations = Steps{20}
			change(&o)
			f := newFilter(t, o, tiny(name != "max pooling"), style)
			first, last, steps := 0.0, 0.0, 0
			f.OnProgress = func(p Progress) {
				if p.Scale == p.Scales && p.Iteration == 1 {
					first = p.Losses.Total
				}
				last = p.Losses.Total
				steps++
			}
			_, report := paint(t, f, content, Guide{})
			if !(last < first) {
				t.Errorf("J went from %g to %g at the last scale", first, last)
			}
			if report.Iterations != steps {
				t.Errorf("report says %d iterations, %d were told", report.Iterations, steps)
			}
		})
	}
}

func TestSeed(t *testing.T) {
	style, content := smooth(40, 30, 1), smooth(37, 29, 2)
	var pictures []*Frame
	for _, seed := range []uint64{1, 1, 2} {
		o := tinyOptions()
		o.Init, o.Seed = "random", seed
		out, _ := paint(t, newFilter(t, o, tiny(false), style), content, Guide{})
		pictures = append(pictures, out)
	}
	if !slices.Equal(pictures[0].Pix, pictures[1].Pix) {
		t.Error("the same seed gave another picture")
	}
	if slices.Equal(pictures[0].Pix, pictures[2].Pix) {
		t.Error("another seed gave the same picture")
	}
}

func TestZeroIterationsIsIdentity(t *testing.T) {
	o := tinyOptions()
	o.Iterations = Steps{0}
	content := smooth(37, 29, 2)
	content.Alpha, content.PTS, content.Origin = noise(37*29, 1), 42, "kept"
	out, _ := paint(t, newFilter(t, o, tiny(false), smooth(40, 30, 1)), content, Guide{})
	if !slices.Equal(out.Pix, content.Pix) || out.PTS != 42 || out.Origin != "kept" || out.Alpha == nil {
		t.Error("something changed")
	}
}

func TestGuide(t *testing.T) {
	style, content := smooth(40, 30, 1), smooth(37, 29, 2)
	o := tinyOptions()
	o.FrameIterations = 20
	f := newFilter(t, o, tiny(false), style)
	first, _ := paint(t, f, content, Guide{})
	warm, report := paint(t, f, content, Guide{Start: first})
	if report.Iterations != o.FrameIterations {
		t.Errorf("%d iterations from a start, want %d", report.Iterations, o.FrameIterations)
	}
	free := distance(warm, first)
	// A heavy prior everywhere but in the left half holds the right half.
	weight := make([]float32, content.W*content.H)
	for i := range weight {
		if i%content.W >= content.W/2 {
			weight[i] = 1e4
		}
	}
	held, _ := paint(t, f, content, Guide{Start: first, Prior: first, PriorWeight: weight})
	left, right := 0.0, 0.0
	for i, v := range held.Pix {
		d := math.Abs(float64(v - first.Pix[i]))
		if i%content.W >= content.W/2 {
			right += d
		} else {
			left += d
		}
	}
	if free == 0 || right > 0.5*left {
		t.Errorf("without a prior the picture moved by %g; with one the free half moved by %g, the held half by %g", free, left, right)
	}
}

// What was painted around a result comes along: a frame like the one before begins
// where that ended, and settles at once.
func TestGuideMargin(t *testing.T) {
	if testing.Short() {
		t.Skip("many steps")
	}
	style, content := smooth(80, 80, 1), smooth(64, 48, 2)
	o := tinyOptions()
	o.Iterations, o.Margin, o.FrameIterations, o.FrameTolerance = Steps{200}, 16, 20, 0.02
	f := newFilter(t, o, tiny(false), style)
	first, made := paint(t, f, content, Guide{})
	var began Losses
	f.OnProgress = func(p Progress) {
		if p.Iteration == 1 {
			began = p.Losses
		}
	}
	_, bare := paint(t, f, content, Guide{Start: first, Prior: first})
	reflected := began
	_, report := paint(t, f, content, Guide{Start: first, Prior: first, Margin: made.Margin})
	if began.Total > 1.05*made.Losses.Total || began.Total >= reflected.Total {
		t.Errorf("J was %g, is %g at first with the margin and %g without", made.Losses.Total, began.Total, reflected.Total)
	}
	if report.Stopped != "settled" || report.Iterations > bare.Iterations {
		t.Errorf("%s after %d iterations, %d without the margin", report.Stopped, report.Iterations, bare.Iterations)
	}
}

func TestDeadline(t *testing.T) {
	o := tinyOptions()
	o.Iterations, o.FrameIterations, o.Deadline = Steps{1000000}, 1000000, 50*time.Millisecond
	f := newFilter(t, o, tiny(false), smooth(40, 30, 1))
	content := smooth(37, 29, 2)
	for _, g := range []Guide{{}, {Start: content}} {
		if _, report := paint(t, f, content, g); report.Stopped != "deadline" || report.Iterations < 1 {
			t.Errorf("%s after %d iterations", report.Stopped, report.Iterations)
		}
	}
}

func distance(a, b *Frame) float64 {
	sum := 0.0
	for i := range a.Pix {
		sum += math.Abs(float64(a.Pix[i] - b.Pix[i]))
	}
	return sum
}

func TestBlend(t *testing.T) {
	a, b, content := smooth(40, 30, 1), smooth(30, 40, 5), smooth(37, 29, 2)
	run := func(shares Numbers, styles ...*Frame) *Frame {
		o := tinyOptions()
		o.StyleBlendWeights = shares
		out, _ := paint(t, newFilter(t, o, tiny(false), styles...), content, Guide{})
		return out
	}
	alone := run(nil, a)
	if !slices.Equal(run(Numbers{2, 0}, a, b).Pix, alone.Pix) {
		t.Error("a share of 0 takes part")
	}
	if slices.Equal(run(Numbers{3, 1}, a, b).Pix, run(nil, a, b).Pix) {
		t.Error("the shares change nothing")
	}
}

func TestTolerance(t *testing.T) {
	o := tinyOptions()
	o.Iterations, o.Tolerance = Steps{200}, 0.05
	_, report := paint(t, newFilter(t, o, tiny(false), smooth(40, 30, 1)), smooth(37, 29, 2), Guide{})
	if n := 200 * len(scales(size{37, 29}, o.MinSize)); report.Iterations < 11 || report.Iterations >= n {
		t.Errorf("%d of %d iterations with a tolerance of 5 %%", report.Iterations, n)
	}
}

func TestSizes(t *testing.T) {
	o := tinyOptions()
	o.Size = 20
	content := smooth(37, 29, 2)
	f := newFilter(t, o, tiny(false), smooth(40, 30, 1))
	_, report := paint(t, f, content, Guide{})
	if report.W != 20 || report.H != 16 {
		t.Errorf("worked at %d×%d, want 20×16", report.W, report.H)
	}
	o.OutputSize = "work"
	out, _, err := newFilter(t, o, tiny(false), smooth(40, 30, 1)).Paint(t.Context(), content, Guide{})
	if err != nil || out.W != 20 || out.H != 16 {
		t.Errorf("output of the work size: %v, %v", out, err)
	}
}

func TestPlanMindsMemory(t *testing.T) {
	f := newFilter(t, tinyOptions(), tiny(false), smooth(40, 30, 1))
	free, err := f.Plan(400, 300)
	if err != nil || free.W != 400 || free.Reason != "" {
		t.Fatalf("%+v, %v", free, err)
	}
	f = newFilter(t, tinyOptions(), tiny(false), smooth(40, 30, 1))
	f.MaxMemory = free.Memory / 4
	tight, err := f.Plan(400, 300)
	if err != nil || tight.W > 210 || tight.W < 150 || tight.Memory > f.MaxMemory || !strings.Contains(tight.Reason, "memory") {
		t.Errorf("%+v, %v", tight, err)
	}
}

// tiled pretends to work in tiles: any half of a picture's memory will do, at twice
// the time.
type tiled struct{ enginetest.Reference }

func (e tiled) Memory(specs ...engine.Spec) (all int64) {
	for _, s := range specs {
		n := e.Reference.Memory(s)
		if s.Memory > 0 && n > s.Memory {
			n = max(n/2, s.Memory)
		}
		all += n
	}
	return all
}

func (e tiled) Overhead(s engine.Spec) float64 {
	if s.Memory > 0 && e.Reference.Memory(s) > s.Memory {
		return 2
	}
	return 1
}

func TestPlanMakesTiles(t *testing.T) {
	plan := func(memory int64, seconds float64, want Size) (*Filter, Plan) {
		o := tinyOptions()
		o.Size, o.MinSize = want, 0
		f, err := New(o, tiled{}, tiny(false), []*Frame{smooth(40, 30, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		f.MaxMemory = memory
		s := size{400, 300}
		if want > 0 {
			s = s.within(int(want))
		}
		return f, f.choose(size{400, 300}, s, map[*network]float64{f.network: seconds / (400 * 300) / float64(o.Iterations[0])})
	}
	f, free := plan(0, 1, 0)
	grown := size{400, 300}.grow(f.o.Margin)
	own := f.reservedMemory(size{400, 300}, f.stages(size{400, 300})[0], true)
	room := free.Memory - own // the evaluator's
	if _, p := plan(own+room*2/3, 1, 0); p.W != 400 || p.Memory != own+room*2/3 || p.Reason != "" {
		t.Errorf("with room for tiles: %+v", p)
	}
	if _, p := plan(own+room/3, 1, 0); p.W == 400 || p.Memory > own+room/3 || !strings.Contains(p.Reason, "memory") {
		t.Errorf("without: %+v", p)
	}
	f, _ = plan(own+room*2/3, 1, 0)
	if whole, tiles := f.planAt(grown, size{400, 300}, map[*network]float64{f.network: 1}).Seconds, 2*float64(6*grown.pixels()); whole != tiles {
		t.Errorf("%g s in tiles, want %g", whole, tiles)
	}
	if _, p := plan(0, 7200, 0); p.W < 200 || p.W > 300 || p.Seconds > 3600 || !strings.Contains(p.Reason, "hour") {
		t.Errorf("slow: %+v", p)
	}
	if _, p := plan(own+room/3, 7200, 390); p.W != 390 || p.Memory <= own+room/3 || p.Reason != "" {
		t.Errorf("slow and large, but asked for: %+v", p)
	}
}

func TestErrors(t *testing.T) {
	style, content := smooth(40, 30, 1), smooth(37, 29, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := newFilter(t, tinyOptions(), tiny(false), style).Paint(ctx, content, Guide{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	small := smooth(37, 15, 2)
	small.Index = 4
	_, _, err := newFilter(t, tinyOptions(), tiny(false), style).Paint(t.Context(), small, Guide{})
	if err == nil || !strings.Contains(err.Error(), "frame 4") || !strings.Contains(err.Error(), "37×15") {
		t.Errorf("too small: %v", err)
	}
	only := tiny(false)
	only.Poolings = []weights.Pooling{weights.AveragePooling}
	for want, change := range map[string]func(*Options){
		"relu9_9":         func(o *Options) { o.StyleLayers = LayerWeights{{"relu9_9", 1}} },
		"--pooling max":   func(o *Options) { o.Pooling = "max" },
		"blend-weights":   func(o *Options) { o.StyleBlendWeights = Numbers{1, 2} },
		"--optimizer":     func(o *Options) { o.Optimizer = "sgd" },
		"--learning-rate": func(o *Options) { o.LearningRate = math.NaN() },
		"both empty":      func(o *Options) { o.StyleLayers, o.ContentLayers = nil, nil },
	} {
		o := tinyOptions()
		change(&o)
		if _, err := New(o, enginetest.Reference{}, only, []*Frame{style}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error on %s, got %v", want, err)
		}
	}
	if _, err := New(tinyOptions(), enginetest.Reference{}, only, nil); err == nil {
		t.Error("no style accepted")
	}
}
