package filter

import (
	"fmt"
	"time"

	"nstfilter/filter/engine"
)

// Plan is how a picture will be worked on.
type Plan struct {
	W, H    int     // worked at
	Memory  int64   // bytes, about
	Seconds float64 // for one picture, coarse to fine; about
	Reason  string  // why the size is not the input's; empty if it is
}

// longest is how long a picture may take before auto works at a smaller size.
const longest = time.Hour

// Plan chooses the size to work at for a w×h picture. With auto it measures the
// engine once at a small size. It fails for a picture below engine.MinSide.
func (f *Filter) Plan(w, h int) (Plan, error) {
	full := size{w, h}
	if p, ok := f.plans[full]; ok {
		return p, nil
	}
	if min(w, h) < engine.MinSide {
		return Plan{}, fmt.Errorf("the picture is %d×%d pixels: it needs at least %d on each side; enlarge it first", w, h, engine.MinSide)
	}
	perPixel, err := f.measure(full)
	if err != nil {
		return Plan{}, err
	}
	p := f.planAt(full, perPixel)
	if f.o.Size > 0 {
		s := full.within(int(f.o.Size))
		if min(s.w, s.h) < engine.MinSide {
			return Plan{}, fmt.Errorf("--size %d makes a %d×%d picture %d×%d: it needs at least %d on each side", f.o.Size, w, h, s.w, s.h, engine.MinSide)
		}
		p = f.planAt(s, perPixel)
	} else {
		for reason := f.tooMuch(p); reason != ""; reason = f.tooMuch(p) {
			s := size{p.W, p.H}.times(0.95)
			if min(s.w, s.h) < engine.MinSide {
				break // nothing smaller can be done; try
			}
			p = f.planAt(s, perPixel)
			p.Reason = reason
		}
	}
	f.plans[full] = p
	return p, nil
}

func (f *Filter) tooMuch(p Plan) string {
	switch {
	case f.MaxMemory > 0 && p.Memory > f.MaxMemory:
		return fmt.Sprintf("a larger one would need more than %.1f GB of memory", float64(f.MaxMemory)/1e9)
	case p.Seconds > longest.Seconds():
		return "a larger one would take more than an hour"
	}
	return ""
}

func (f *Filter) planAt(s size, perPixel float64) Plan {
	pixels := 0
	for _, s := range scales(s, f.o.MinSize) {
		pixels += s.grow(f.o.Margin).pixels()
	}
	vectors := 8 // x, dx, m, v, mean, and pictures on this side
	steps := float64(f.o.Iterations)
	if f.o.Optimizer == "lbfgs" {
		vectors += 2*lbfgsHistory + 3
		steps *= 1.25 // what its line search takes
	}
	return Plan{W: s.w, H: s.h,
		Memory:  f.e.Memory(f.spec(s.grow(f.o.Margin), f.layers, f.precision(true))) + int64(vectors*3*4*s.grow(f.o.Margin).pixels()),
		Seconds: perPixel * float64(pixels) * steps}
}

// measure returns the seconds that one iteration takes for one pixel.
func (f *Filter) measure(full size) (float64, error) {
	const short = 128
	s := full
	if m := min(full.w, full.h); m > short {
		s = full.times(float64(short) / float64(m))
		s = s.within(4 * short)
		s = size{max(s.w, engine.MinSide), max(s.h, engine.MinSide)}
	}
	ev, err := f.e.Compile(f.spec(s, f.layers, f.precision(true)))
	if err != nil {
		return 0, err
	}
	defer ev.Close()
	x, dx := ev.NewVector(3*s.pixels()), ev.NewVector(3*s.pixels())
	grads := make([]engine.Gradient, len(f.layers))
	for i, l := range f.layers {
		if l.Style {
			grads[i].Gram = make([]float32, l.c*l.c)
		}
	}
	var took time.Duration
	for range 2 { // the first one warms up
		start := time.Now()
		ev.Forward(x)
		ev.Backward(dx, grads)
		took = time.Since(start)
	}
	return took.Seconds() / float64(s.pixels()), nil
}
