package filter

import (
	"math"
	"strings"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
)

// What a device holds is planned for there, pictures in the host's memory.
func TestPlanForADevice(t *testing.T) {
	for _, film := range []bool{false, true} {
		d := &device{memory: 1 << 40}
		f, _ := onDeviceOf(t, d)
		host := newFilter(t, f.o, tiny(false), smooth(20, 16, 1))
		f.Film, host.Film = film, film
		on, err := f.Plan(400, 300)
		if err != nil {
			t.Fatal(err)
		}
		off, err := host.Plan(400, 300)
		if err != nil {
			t.Fatal(err)
		}
		s := size{400, 300}
		stages := f.stages(s)
		st := stages[len(stages)-1]
		if want := f.pictureMemory(s, st, true); on.Host != want || off.Host != 0 {
			t.Errorf("film %t: %d bytes of the host's beside a device's, want %d; %d beside its own", film, on.Host, want, off.Host)
		}
		grown := s.grow(f.o.Margin)
		style := f.styleSizes(f.styles[0], s)[0]
		style = style.grow(f.styleMargin(style))
		want := max(d.Reference.Memory(f.network.spec(grown, f.network.layers, f.precision(true)))+f.vectorMemory(st),
			d.Reference.Memory(f.network.spec(style, f.network.layers, f.precision(true)))+4*3*int64(style.pixels()))
		if on.Memory != want || on.Memory >= off.Memory {
			t.Errorf("film %t: %d bytes of the device's, want %d; %d of the host's without", film, on.Memory, want, off.Memory)
		}
	}
	d := &device{memory: 1 << 40, whole: true}
	f, _ := onDeviceOf(t, d)
	f.MaxMemory = 10e6
	p, err := f.Plan(400, 300)
	if err != nil || !strings.Contains(p.Reason, "of the GPU's memory") || p.Memory > f.MaxMemory {
		t.Errorf("%d bytes at %d×%d (%s), %v", p.Memory, p.W, p.H, p.Reason, err)
	}
}

// manyTiles is an engine that always finds room, in ever more tiles.
type manyTiles struct{ enginetest.Reference }

func (e manyTiles) Memory(specs ...engine.Spec) (all int64) {
	for _, s := range specs {
		n := e.Reference.Memory(s)
		if s.Memory > 0 {
			n = min(n, s.Memory)
		}
		all += n
	}
	return all
}

func (e manyTiles) Overhead(s engine.Spec) float64 {
	if s.Memory == 0 {
		return 1
	}
	return max(1, float64(e.Reference.Memory(s))/float64(s.Memory))
}

// Size auto makes a picture smaller before tiles make it slow, though memory would do.
func TestAutoAvoidsSmallTiles(t *testing.T) {
	full := size{1200, 800}
	plan := func(memory int64, set Size) Plan {
		o := tinyOptions()
		o.Size = set
		f, err := New(o, manyTiles{}, tiny(false), []*Frame{smooth(20, 16, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		f.MaxMemory = memory
		s := full
		if set > 0 {
			s = full.within(int(set))
		}
		return f.choose(full, s, map[*network]float64{f.network: 1e-7})
	}
	whole := plan(0, 0)
	limit := whole.Memory / 3
	p := plan(limit, 0)
	if whole.W != full.w || whole.overhead != 1 {
		t.Errorf("with all memory: %+v", whole)
	}
	if p.overhead > maxOverhead || p.Memory > limit || !strings.Contains(p.Reason, "GB of memory") {
		t.Errorf("within %d bytes: %+v", limit, p)
	}
	larger := plan(limit, Size(math.Round(float64(p.W)/0.95)))
	if larger.Memory > limit || larger.overhead <= maxOverhead || larger.Seconds <= p.Seconds {
		t.Errorf("a size larger would have done: %+v beside %+v", larger, p)
	}
}
