package filter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/weights"
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

// later is a filter for a film's later frames, and such a frame.
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
	return f, smooth(80, 68, 2), Guide{Start: smooth(80, 68, 3), Prior: smooth(80, 68, 4)}
}

func planOf(t *testing.T, f *Filter, content *Frame) Plan {
	t.Helper()
	p, err := f.Plan(content.W, content.H)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLaterFramesKeepTheWorkspace(t *testing.T) {
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
	same(Guide{})
	old := len(m.specs)
	same(g, g)
	same(Guide{}) // the next scene
	same(g)
	if n := len(m.specs) - old; n > 0 {
		t.Errorf("%d evaluators are made from the second frame on", n)
	}
	if m.most > plan.Memory {
		t.Errorf("%d bytes were taken, %d are planned", m.most, plan.Memory)
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

// FinishWith's network paints the last scale alone, and later frames.
func TestFinishWith(t *testing.T) {
	m := &meter{}
	f, content, g := later(t, m)
	f.o.MinSize, f.o.Margin = 20, 0
	last := tiny(false)
	if err := f.FinishWith(last); err != nil {
		t.Fatal(err)
	}
	planOf(t, f, content)
	for _, c := range []struct {
		g    Guide
		want string
	}{
		{Guide{}, "20 paints, 37 paints, 68 finishes"},
		{g, "68 finishes"},
	} {
		m.specs = nil
		f.Close()
		paint(t, f, content, c.g)
		var got []string
		for _, s := range m.specs {
			if !slices.ContainsFunc(s.Taps, func(t engine.Tap) bool { return t.Content }) {
				continue // looks at the style
			}
			who := "paints"
			if s.Network == last {
				who = "finishes"
			}
			got = append(got, fmt.Sprintf("%d %s", s.H, who))
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if err := f.FinishWith(&weights.Network{Pooling: weights.MaxPooling}); err == nil {
		t.Error("a network without layers is taken")
	}
}
