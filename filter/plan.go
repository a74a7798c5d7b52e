package filter

import (
	"fmt"
	"time"

	"nstfilter/filter/engine"
)

// Plan is the size at which a picture will be painted, and what that costs.
type Plan struct {
	W, H    int     // size to paint at
	Memory  int64   // estimated bytes, of the device if it has its own memory
	Host    int64   // estimated bytes of the host if the device has its own memory, else 0
	Seconds float64 // estimate for one picture, coarse to fine
	Later   float64 // seconds, at most, for a frame that starts from the previous result
	Reason  string  // why the size is not the input's; empty if it is

	overhead float64 // Seconds over what they would be without tiles
}

// planKey is what a plan depends on, apart from the options.
type planKey struct {
	size
	film bool
}

// maxPaintTime is the longest that a picture may take; Size auto chooses a smaller size before.
const maxPaintTime = time.Hour

// maxOverhead is the largest overhead of tiles with which Size auto still chooses a larger
// size. Close to the size at which memory ends tiles become so small that a step
// takes thirty times as long: 24 megapixels within 2 GB would take nine times as long at 3080
// pixels as at 2900.
const maxOverhead = 3

// Plan chooses the size at which a w×h picture is painted, after measuring the engine once
// at a small size. It fails for a picture below engine.MinSide. It does not reduce an explicit
// Options.Size: Memory may then exceed MaxMemory.
func (f *Filter) Plan(w, h int) (Plan, error) {
	full := size{w, h}
	key := planKey{full, f.Film}
	if p, ok := f.plans[key]; ok {
		return p, nil
	}
	if min(w, h) < engine.MinSide {
		return Plan{}, fmt.Errorf("the picture is %d×%d pixels: it needs at least %d on each side; enlarge it first", w, h, engine.MinSide)
	}
	s := full
	if f.o.Size > 0 {
		s = full.within(int(f.o.Size))
		if min(s.w, s.h) < engine.MinSide {
			return Plan{}, fmt.Errorf("--size %d makes a %d×%d picture %d×%d: it needs at least %d on each side", f.o.Size, w, h, s.w, s.h, engine.MinSide)
		}
	}
	cost := map[*network]float64{}
	for _, n := range f.networks() {
		var err error
		if cost[n], err = f.measure(n, full); err != nil {
			return Plan{}, err
		}
	}
	p := f.choose(full, s, cost)
	f.plans[key] = p
	return p, nil
}

// choose plans a picture of size full: at size s, or smaller if that takes too much and
// Options.Size is auto. cost is in seconds per iteration and pixel.
func (f *Filter) choose(full, s size, cost map[*network]float64) Plan {
	p := f.planAt(full, s, cost)
	if f.o.Size == 0 {
		for reason := f.tooMuch(p); reason != ""; reason = f.tooMuch(p) {
			s = s.times(0.95)
			if min(s.w, s.h) < engine.MinSide {
				break // no smaller size is possible: try this one
			}
			p = f.planAt(full, s, cost)
			p.Reason = reason
		}
	}
	return p
}

func (f *Filter) tooMuch(p Plan) string {
	switch {
	case f.MaxMemory > 0 && (p.Memory > f.MaxMemory || p.overhead > maxOverhead):
		return fmt.Sprintf("a larger one would need more than %.1f GB of %s", float64(f.MaxMemory)/1e9, f.MemoryName())
	case p.Seconds > maxPaintTime.Seconds():
		return "a larger one would take more than an hour"
	}
	return ""
}

// planAt plans a picture of size full painted at size s.
func (f *Filter) planAt(full, s size, cost map[*network]float64) Plan {
	p := Plan{W: s.w, H: s.h}
	stages, whole := f.stages(s), 0.
	for i, st := range stages {
		last := i+1 == len(stages)
		tiled, untiled := f.stageSeconds(full, st, last, cost[st.network])
		p.Seconds, whole = p.Seconds+tiled, whole+untiled
		if st.size == s {
			memory, host := f.stageMemory(full, st)
			p.Memory, p.Host = max(p.Memory, memory), max(p.Host, host)
		}
	}
	if whole > 0 {
		p.overhead = p.Seconds / whole
	}
	later := f.laterStage(s)
	p.Later, _ = f.stageSeconds(full, later, true, cost[later.network])
	for _, style := range f.styles {
		for _, at := range f.styleSizes(style, s) {
			at = at.grow(f.styleMargin(at))
			reserved := f.styleMemory(full, s, at)
			for _, n := range f.networks() {
				p.Memory = max(p.Memory, f.e.Memory(f.withMemory(n.spec(at, n.layers, f.precision(true)), reserved))+reserved)
			}
		}
	}
	if !f.hasDeviceMemory() {
		p.Host = 0
	}
	return p
}

// stageSeconds estimates a stage, in its tiles and as if there were memory enough to do without;
// perPixel is in seconds per iteration and pixel.
func (f *Filter) stageSeconds(full size, st stage, last bool, perPixel float64) (tiled, whole float64) {
	steps := float64(st.steps)
	if st.lbfgs {
		steps *= 1.1 // evaluations of a line search
	}
	for _, spec := range f.specs(st.network, st.size, f.precision(true), f.reservedMemory(full, st, last)) {
		cost := steps * perPixel * float64(spec.W*spec.H)
		whole += cost
		if t, ok := f.e.(engine.Tiler); ok {
			cost *= t.Overhead(spec)
		}
		tiled += cost
	}
	return tiled, whole
}

// stageMemory estimates the bytes of a stage at the last size, in the engine's memory and in
// the host's.
func (f *Filter) stageMemory(full size, st stage) (memory, host int64) {
	reserved := f.reservedMemory(full, st, true)
	return f.e.Memory(f.specs(st.network, st.size, f.precision(true), reserved)...) + reserved, f.pictureMemory(full, st, true)
}

// measure returns the seconds per iteration and pixel of a network.
func (f *Filter) measure(n *network, full size) (_ float64, err error) {
	defer f.recoverFailure(&err)
	const short = 128
	s := full
	if m := min(full.w, full.h); m > short {
		s = full.times(float64(short) / float64(m))
		s = s.within(4 * short)
		s = size{max(s.w, engine.MinSide), max(s.h, engine.MinSide)}
	}
	f.dropWorkspace() // plans do not count it
	ev, err := f.compile(n.spec(s, n.layers, f.precision(true)))
	if err != nil {
		return 0, err
	}
	defer ev.Close()
	x, dx := ev.NewVector(3*s.pixels()), ev.NewVector(3*s.pixels())
	grads := make([]engine.Gradient, len(n.layers))
	for i, l := range n.layers {
		if l.Style {
			grads[i].Gram = make([]float32, l.c*l.c)
		}
	}
	took := time.Hour
	for range 4 { // the fastest: the first warms up, others may be disturbed
		start := time.Now()
		ev.Forward(x)
		ev.Backward(dx, grads)
		ev.Dots([2]engine.Vector{dx, dx}) // waits for the device
		took = min(took, time.Since(start))
	}
	return took.Seconds() / float64(s.pixels()), nil
}
