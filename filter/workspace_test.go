package filter

import (
	"fmt"
	"slices"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

// meter is an engine that counts its evaluators, and what those that are open take
// with their vectors.
type meter struct {
	enginetest.Reference
	room        int64 // 0: for all
	specs       []engine.Spec
	taken, most int64
}

func (m *meter) take(bytes int64) error {
	if m.room > 0 && m.taken+bytes > m.room {
		return engine.ErrMemory
	}
	m.taken += bytes
	m.most = max(m.most, m.taken)
	return nil
}

func (m *meter) Compile(s engine.Spec) (engine.Evaluator, error) {
	m.specs = append(m.specs, s)
	bytes := m.Memory(s)
	if err := m.take(bytes); err != nil {
		return nil, err
	}
	ev, err := m.Reference.Compile(s)
	return &metered{ev, m, bytes}, err
}

type metered struct {
	engine.Evaluator
	m     *meter
	bytes int64
}

func (e *metered) NewVector(n int) engine.Vector {
	bytes := 4 * int64(n)
	if err := e.m.take(bytes); err != nil {
		panic(engine.Failure{Err: err})
	}
	e.bytes += bytes
	return e.Evaluator.NewVector(n)
}

func (e *metered) Close() {
	e.m.taken -= e.bytes
	e.Evaluator.Close()
}

// onGPU has the memory that is counted to itself.
type onGPU struct{ *meter }

func (e onGPU) FreeMemory() int64 { return e.room }

// later is a filter for a film's later frames, each new all over, and such a frame.
func later(t *testing.T, e engine.Engine) (*Filter, *Frame, Guide) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes half a minute with the race detector, and nothing here is concurrent")
	}
	o := tinyOptions()
	o.MinSize, o.StyleSizes, o.LayerReach = 0, Numbers{1, 1}, 10
	f, err := New(o, e, tiny(false), []*Frame{smooth(20, 16, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	f.Film = true
	content := smooth(80, 68, 2)
	g := Guide{Start: smooth(80, 68, 3), New: make([]float32, 80*68), Prior: smooth(80, 68, 4)}
	for i := range g.New {
		g.New[i] = 1
	}
	return f, content, g
}

func planOf(t *testing.T, f *Filter, content *Frame) Plan {
	t.Helper()
	p, err := f.Plan(content.W, content.H)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLaterFramesKeepBothWorkspaces(t *testing.T) {
	m := &meter{}
	f, content, g := later(t, onGPU{m})
	anew, _, _ := later(t, enginetest.Reference{})
	plan := planOf(t, f, content)
	same := func(guides ...Guide) {
		t.Helper()
		for _, g := range guides {
			got, _ := paint(t, f, content, g)
			anew.Close()
			want, _ := paint(t, anew, content, g)
			if !slices.Equal(got.Pix, want.Pix) {
				t.Error("a kept workspace paints another picture than a new one")
			}
		}
	}
	same(g, g)
	if m.most != plan.Memory {
		t.Errorf("%d bytes were taken, %d are planned", m.most, plan.Memory)
	}
	settled, old := g, len(m.specs)
	settled.New = nil
	same(g, settled, g)
	if n := len(m.specs) - old; n > 0 {
		t.Errorf("%d evaluators are made from the third frame on", n)
	}
	same(Guide{}) // the next scene: its vectors are more
	if len(f.kept) != 1 {
		t.Errorf("a first frame keeps %d workspaces", len(f.kept))
	}
	m.most = 0
	same(g)
	if m.most > plan.Memory {
		t.Errorf("the next scene: %d bytes were taken, %d are planned", m.most, plan.Memory)
	}
	planOf(t, f, smooth(60, 50, 5))
	if m.taken != 0 {
		t.Errorf("%d bytes are kept beside a measurement for frames of another size", m.taken)
	}
}

// A film's first frame remembers more steps than later ones take.
func TestFirstFrameKeepsToItsPlan(t *testing.T) {
	m := &meter{}
	f, content, _ := later(t, onGPU{m})
	f.o.Iterations, f.o.Optimizer = Steps{12}, "lbfgs"
	plan := planOf(t, f, content)
	paint(t, f, content, Guide{})
	if m.most > plan.Memory {
		t.Errorf("%d bytes were taken, %d are planned", m.most, plan.Memory)
	}
}

// Where there is no room for both, later frames are planned and painted as if only
// one were ever kept.
func TestLaterFramesKeepToMaxMemory(t *testing.T) {
	for _, gpu := range []bool{false, true} {
		t.Run(fmt.Sprintf("GPU=%t", gpu), func(t *testing.T) {
			on := func(m *meter) engine.Engine {
				if gpu {
					return onGPU{m}
				}
				return m
			}
			m, m1 := &meter{}, &meter{}
			f, content, g := later(t, on(m))
			one, _, _ := later(t, on(m1))
			one.apart = true
			alone := planOf(t, one, content)
			both, _, _ := later(t, on(&meter{}))
			two := planOf(t, both, content)
			low := f.laterStages(size{80, 68}, coarser(size{80, 68}))[0]
			if extra := m.Memory(f.specs(low.size, engine.FP32, 0)...) + f.vectorMemory(low); two.Memory != alone.Memory+extra {
				t.Errorf("both take %d bytes, one takes %d and the other %d", two.Memory, alone.Memory, extra)
			}

			f.MaxMemory, one.MaxMemory = two.Memory-1, two.Memory-1
			plan := planOf(t, f, content)
			if plan.W != 80 || plan.H != 68 || plan.Reason != "" || plan.Memory != alone.Memory {
				t.Errorf("%+v, want %+v", plan, alone)
			}
			for range 4 {
				got, _ := paint(t, f, content, g)
				want, _ := paint(t, one, content, g)
				if !slices.Equal(got.Pix, want.Pix) {
					t.Error("the picture is another")
				}
			}
			same := func(a, b engine.Spec) bool { return a.W == b.W && a.Memory == b.Memory }
			if want := 1 + 3 + 4*3; len(m.specs) != want || !slices.EqualFunc(m.specs, m1.specs, same) { // measured, styles, frames, the larger of each at two sizes
				t.Errorf("%d evaluators are made, want %d, the same as for one at a time", len(m.specs), want)
			}
			if m.most > f.MaxMemory || gpu && m.most != plan.Memory {
				t.Errorf("%d bytes were taken, %d are planned, %d allowed", m.most, plan.Memory, f.MaxMemory)
			}

			both.MaxMemory = two.Memory
			if p := planOf(t, both, content); p != two {
				t.Errorf("%+v with just enough, want %+v", p, two)
			}
		})
	}
}

// A device may have less than it said: then the second workspace goes first.
func TestLaterFramesWithoutMemoryForBoth(t *testing.T) {
	m := &meter{}
	f, content, g := later(t, onGPU{m})
	anew, _, _ := later(t, enginetest.Reference{})
	want, _ := paint(t, anew, content, g)
	m.room = planOf(t, f, content).Memory - 1
	for range 3 {
		got, report := paint(t, f, content, g)
		if !slices.Equal(got.Pix, want.Pix) {
			t.Error("the picture is another")
		}
		if report.Less > 0 {
			t.Errorf("an evaluator is left %d bytes, though one alone has enough", report.Less)
		}
	}
	if !f.apart || len(f.kept) != 1 {
		t.Errorf("%d workspaces are kept", len(f.kept))
	}
}
