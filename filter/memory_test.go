package filter

import (
	"strings"
	"testing"
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
