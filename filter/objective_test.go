package filter

import (
	"testing"

	"nstfilter/filter/engine"
)

// Adam reads the losses of every tenth step and of the last: a device is waited for each
// time.
func TestAdamReadsSeldom(t *testing.T) {
	o := tinyOptions()
	o.Iterations = Steps{25}
	f := newFilter(t, o, tiny(true), smooth(40, 30, 1))
	var totals []float64
	f.OnProgress = func(p Progress) {
		if p.Scale == p.Scales {
			totals = append(totals, p.Losses.Total)
		}
	}
	paint(t, f, smooth(37, 29, 2), Guide{})
	for i, v := range totals {
		read := i/10*10 == i || i == 24
		if i > 0 && (v != totals[i-1]) != read {
			t.Errorf("step %d: told %g after %g, read %t", i+1, v, totals[i-1], read)
		}
	}
}

// objectiveOf is J of pictures of size s, without its content, and its workspace. Regions are
// halves.
func objectiveOf(t testing.TB, f *Filter, s size) (*workspace, *objective) {
	t.Helper()
	return objectiveIn(t, f, s, engine.FP32)
}

func objectiveIn(t testing.TB, f *Filter, s size, p engine.Precision) (*workspace, *objective) {
	t.Helper()
	style, err := f.styleTargets(f.network, s, s, p, f.shares())
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.workspace(f.network, s, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	if f.regions > 0 {
		w.setMask(nil, halves(w.size.w, w.size.h))
	}
	stages := f.stages(s)
	return w, newObjective(f, stages[len(stages)-1], w, style)
}
