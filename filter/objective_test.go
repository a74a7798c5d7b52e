package filter

import (
	"math"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

// J evaluated where the data is, is J.
func TestObjectiveOfDescender(t *testing.T) {
	for name, change := range map[string]func(o *Options){
		"mean":     func(*Options) {},
		"sum":      func(o *Options) { o.LossScale = "sum" },
		"no terms": func(o *Options) { o.TVWeight, o.GamutWeight, o.PriorWeight = Numbers{0}, 0, 0 },
		"sizes":    func(o *Options) { *o = severalSizes(*o) },
		"content":  func(o *Options) { o.StyleLayers = nil },
		"style":    func(o *Options) { o.ContentLayers = nil },
	} {
		for _, metric := range []bool{false, true} {
			for _, masked := range []bool{false, true} {
				o, s := tinyOptions(), size{23, 18}
				o.Margin = 0
				change(&o)
				evaluate := func(e engine.Engine) (Losses, []float32) {
					f, err := New(o, e, tiny(metric), []*Frame{smooth(30, 22, 1)})
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					w, j := objectiveOf(t, f, s)
					if masked {
						w.setMask(noise(s.pixels(), 8))
					}
					w.Upload(w.x, smooth(s.w, s.h, 2).Pix)
					j.setContent()
					w.setPrior(j, Guide{Prior: smooth(s.w, s.h, 4), PriorWeight: noise(s.pixels(), 6)}, nil, s, 0)
					w.Upload(w.x, smooth(s.w, s.h, 3).Pix)
					dx := w.NewVector(w.x.Len())
					j.at(dx)
					losses := j.losses()
					d := make([]float32, dx.Len())
					w.Download(d, dx)
					return losses, d
				}
				got, dgot := evaluate(enginetest.Descending{Engine: enginetest.Reference{}})
				want, dwant := evaluate(enginetest.Reference{})
				for _, v := range [][2]float64{{got.Total, want.Total}, {got.Style, want.Style}, {got.Content, want.Content}, {got.TV, want.TV}, {got.Prior, want.Prior}} {
					if !(math.Abs(v[0]-v[1]) <= 1e-5*math.Abs(v[1])) {
						t.Fatalf("%s, metric %t, mask %t: losses %+v, want %+v", name, metric, masked, got, want)
					}
				}
				dd, ww := 0.0, 0.0
				for i, v := range dwant {
					dd += math.Pow(float64(dgot[i])-float64(v), 2)
					ww += math.Pow(float64(v), 2)
				}
				if !(dd <= 1e-10*ww) {
					t.Errorf("%s, metric %t, mask %t: the gradient is off by %.2g", name, metric, masked, math.Sqrt(dd/ww))
				}
			}
		}
	}
}

// Adam looks at the losses of every tenth step and of the last, and paints the same.
func TestAdamReadsSeldom(t *testing.T) {
	o := tinyOptions()
	o.Iterations = Steps{25}
	run := func(e engine.Engine) (*Frame, []float64) {
		f, err := New(o, e, tiny(true), []*Frame{smooth(40, 30, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var totals []float64
		f.OnProgress = func(p Progress) {
			if p.Scale == p.Scales {
				totals = append(totals, p.Losses.Total)
			}
		}
		out, _ := paint(t, f, smooth(37, 29, 2), Guide{})
		return out, totals
	}
	want, all := run(enginetest.Reference{})
	got, read := run(enginetest.Descending{Engine: enginetest.Reference{}})
	for i, v := range read {
		at := i / 10 * 10
		if i == 24 {
			at = i
		}
		if !(math.Abs(v-all[at]) <= 1e-4*all[at]) {
			t.Errorf("step %d: told %g, step %d had %g", i+1, v, at+1, all[at])
		}
	}
	// Adam makes a full step even of a gradient that is all but 0, whose sign rounding decides.
	if d := distance(got, want); d > 1e-3 {
		t.Errorf("pictures differ by %g", d)
	}
}

// objectiveOf is J of pictures of size s, without its content, and its workspace.
func objectiveOf(t testing.TB, f *Filter, s size) (*workspace, *objective) {
	t.Helper()
	return objectiveIn(t, f, s, engine.FP32)
}

func objectiveIn(t testing.TB, f *Filter, s size, p engine.Precision) (*workspace, *objective) {
	t.Helper()
	style, err := f.styleTargets(f.paints, s, s, p, f.shares())
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.workspace(f.paints, s, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	stages := f.stages(s)
	return w, newObjective(f, stages[len(stages)-1], w, style)
}
