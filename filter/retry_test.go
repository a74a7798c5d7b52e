package filter

import (
	"errors"
	"strings"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

// device is an engine with so much memory; it works in tiles of any size.
type device struct {
	enginetest.Reference
	memory   int64
	whole    bool          // cannot work in tiles
	vectors  int64         // what an evaluator's may take, however much is free; 0: all
	specs    []engine.Spec // compiled
	open     int           // evaluators
	forwards int
	breaks   int // the Forward that fails; 0: none
}

func (d *device) FreeMemory() int64 { return d.memory }

func (d *device) Memory(specs ...engine.Spec) (all int64) {
	for _, s := range specs {
		n := d.Reference.Memory(s)
		if s.Memory > 0 && !d.whole {
			n = min(n, s.Memory)
		}
		all += n
	}
	return all
}

func (d *device) Compile(s engine.Spec) (engine.Evaluator, error) {
	ev, err := d.Reference.Compile(s)
	d.specs = append(d.specs, s)
	d.open++
	free := d.memory - d.Memory(s)
	if d.vectors > 0 {
		free = min(free, d.vectors)
	}
	return &onDevice{Evaluator: ev, d: d, free: free}, err
}

type onDevice struct {
	engine.Evaluator
	d    *device
	free int64
}

func (e *onDevice) NewVector(n int) engine.Vector {
	if e.free -= 4 * int64(n); e.free < 0 {
		panic(engine.Failure{Err: engine.ErrMemory})
	}
	return e.Evaluator.NewVector(n)
}

func (e *onDevice) Forward(x engine.Vector) []engine.Moments {
	if e.d.forwards++; e.d.forwards == e.d.breaks {
		panic(engine.Failure{Err: errors.New("the bus is gone")})
	}
	return e.Evaluator.Forward(x)
}

func (e *onDevice) Close() {
	e.d.open--
	e.Evaluator.Close()
}

// onDeviceOf is a filter for pictures of 60×50, whose evaluators take whole bytes.
func onDeviceOf(t *testing.T, d *device) (f *Filter, whole int64) {
	o := tinyOptions()
	o.MinSize, o.FrameIterations = 0, 3
	f, err := New(o, d, tiny(false), []*Frame{smooth(20, 16, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, d.Reference.Memory(f.network.spec(size{60, 50}.grow(o.Margin), f.network.layers, engine.FP32))
}

func TestPaintInTilesWhereMemoryFails(t *testing.T) {
	d := &device{}
	f, whole := onDeviceOf(t, d)
	d.memory = whole // and none for vectors
	content := smooth(60, 50, 2)
	got, report := paint(t, f, content, Guide{})
	if report.DeviceBudget != whole/2 {
		t.Errorf("left %d bytes, want half of %d", report.DeviceBudget, whole)
	}
	if s := d.specs[len(d.specs)-1]; s.Memory != whole/2 {
		t.Errorf("the last evaluator had %d bytes", s.Memory)
	}
	want, _ := paint(t, newFilter(t, f.o, tiny(false), smooth(20, 16, 1)), content, Guide{})
	if distance(got, want) != 0 {
		t.Error("the picture is another")
	}
	n := len(d.specs)
	if _, report = paint(t, f, content, Guide{Start: got}); report.DeviceBudget != whole/2 || len(d.specs) != n {
		t.Errorf("the next picture: left %d bytes, %d evaluators more", report.DeviceBudget, len(d.specs)-n)
	}
	f.Close()
	if d.open != 0 {
		t.Errorf("%d evaluators are left open", d.open)
	}
}

func TestPaintWithoutMemory(t *testing.T) {
	for _, whole := range []bool{true, false} {
		d := &device{memory: 1 << 40, whole: whole}
		f, _ := onDeviceOf(t, d)
		d.vectors = 4 * 3 * (64 * 54) * 2 // enough to measure, not to paint
		content := smooth(60, 50, 2)
		content.Index = 7
		_, _, err := f.Paint(t.Context(), content, Guide{})
		if !errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), "frame 7") {
			t.Errorf("%v", err)
		}
		large := 0
		for _, s := range d.specs {
			if s.W == 64 {
				large++
			}
		}
		if want := map[bool]int{true: 1, false: attempts}[whole]; large != want {
			t.Errorf("whole %t: begun %d times, want %d", whole, large, want)
		}
		if d.open != 0 {
			t.Errorf("%d evaluators are left open", d.open)
		}
	}
}

func TestPaintAfterTheDeviceFailed(t *testing.T) {
	d := &device{memory: 1 << 40}
	f, _ := onDeviceOf(t, d)
	content := smooth(60, 50, 2)
	content.Index = 3
	paint(t, f, content, Guide{})
	d.breaks = d.forwards + 4
	_, _, err := f.Paint(t.Context(), content, Guide{})
	if err == nil || err.Error() != "frame 3: the bus is gone" {
		t.Errorf("%v", err)
	}
	if d.open != 0 {
		t.Errorf("%d evaluators are left open", d.open)
	}
	paint(t, f, content, Guide{})
}
