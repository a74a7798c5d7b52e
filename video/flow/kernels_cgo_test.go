//go:build cgo

package flow

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// inC are the kernels in C that this processor can run.
func inC() map[string]kernels {
	ks := map[string]kernels{"plain": plainKernels()}
	if k, ok := avx2Kernels(); ok {
		ks["avx2"] = k
	}
	return ks
}

// TestKernels compares whole flows by C with those by Go. Rounding differs (fused
// multiplication, order of sums): single patches may then end elsewhere, those of
// strips that say nothing of the way along them more than others; the mean stays.
func TestKernels(t *testing.T) {
	for _, s := range append(awkward, [2]int{161, 122}) {
		w, h := s[0], s[1]
		a, b := texture(w, h, still), texture(w, h, turn(0.02, 1.02))
		for i, p := range []Preset{Medium, Fast, Ultrafast, {Finest: 0, Stride: 5, Descent: 4, FixedPoints: 2, Relaxations: 2, Alpha: 20, Delta: 5, Gamma: 10}} {
			e := New(w, h, p, 1)
			e.kernels = goKernels{}
			e.bindSteps()
			want, back := e.Between(a, b)
			for name, k := range inC() {
				e := New(w, h, p, 2)
				e.kernels = k
				e.bindSteps()
				got, here := e.Between(a, b)
				what := fmt.Sprintf("%s, %v, preset %d", name, s, i)
				near(t, what, got, want)
				near(t, what+", back", here, back)
			}
		}
	}
}

func near(t *testing.T, what string, got, want *Field) {
	t.Helper()
	bound := 1e-4
	if min(got.W, got.H) < 64 {
		bound = 0.1
	}
	if e := endPointError(got, want, 0); !(e < bound) {
		t.Errorf("%s: ends differ by %.2g pixels in the mean", what, e)
	}
}

// TestKernelsAlone compares what each does to the same noise, sample by sample.
func TestKernelsAlone(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {3, 17}, {17, 3}, {16, 33}, {47, 21}, {64, 18}} {
		for name, k := range inC() {
			w, h := s[0], s[1]
			want, got := chain(goKernels{}, w, h), chain(k, w, h)
			for i := range want {
				for j, x := range want[i].data {
					if d := abs(x - got[i].data[j]); !(d <= 2e-4*max(1, abs(x))) {
						t.Errorf("%s, %v: plane %d has %v, not %v, at %d", name, s, i, got[i].data[j], x, j)
						break
					}
				}
			}
		}
	}
}

// chain runs a picture and a flow, both noise, through the kernels that give
// continuous results, and returns what each wrote, without margins.
func chain(k kernels, w, h int) (out []plane) {
	keep := func(p *plane) {
		q := plane{w: w, h: h, data: make([]float32, 0, w*h)}
		for y := range p.h {
			q.data = append(q.data, p.row(y)...)
		}
		out = append(out, q)
	}
	var levels [2]level
	for i := range levels {
		l := level{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
		k.luma(&l.luma, noise(uint64(i), 3*w*h), 0, h)
		l.luma.extend()
		k.differentiate(&l, 0, h)
		keep(&l.luma)
		keep(&l.dx)
		keep(&l.dy)
		levels[i] = l
	}
	half := newPlane((w+1)/2, (h+1)/2)
	k.halve(&half, &levels[0].luma, 0, half.h)
	keep(&half)
	u, v := newPlane(w, h), newPlane(w, h)
	k.grow(u.data[u.at(0, 0):], u.stride, w, &half, 0, h)
	keep(&u)
	for i := range w * h {
		x, y := i%w, i/w
		u.row(y)[x] = float32(math.Sin(float64(i)))
		v.row(y)[x] = float32(math.Cos(float64(2 * i)))
	}
	r := newRefining(&u, &v, Medium)
	r.from, r.to = &levels[0], &levels[1]
	k.move(r, 0, h)
	k.linearise1(r, 0, h)
	k.linearise2(r, 0, h)
	k.load(r, 0, h)
	for i := range u.data { // as if one fixed point had been found
		u.data[i] += float32(math.Sin(float64(3*i))) / 8
	}
	k.weigh(r, 0, h)
	k.assemble(r, 0, h)
	for _, p := range []*plane{&r.mean, &r.change, &r.gx, &r.gy, &r.right, &r.below} {
		keep(p)
	}
	for range 3 {
		k.relax(&r.system, 0, 0, h)
		k.relax(&r.system, 1, 0, h)
	}
	k.store(r, 0, h)
	keep(&u)
	keep(&v)
	return out
}

func TestKernelsWarp(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {2, 9}, {3, 1}, {17, 5}, {64, 48}} {
		w, h := s[0], s[1]
		f := NewField(w, h)
		for i := range f.U { // some leave the picture, some are whole, some unknown
			f.U[i], f.V[i] = 4*float32(math.Sin(float64(i))), 3*float32(math.Cos(float64(2*i)))
			switch i % 7 {
			case 3:
				f.U[i], f.V[i] = 1, -2
			case 5:
				f.V[i] = 2 * Unknown
			}
		}
		for planes := 1; planes <= 4; planes++ {
			src := noise(uint64(w), planes*w*h)
			want, got := make([]float32, len(src)), make([]float32, len(src))
			by := func(k kernels, dst []float32, threads int) {
				m := NewWarper(threads)
				m.kernels = k
				m.Warp(dst, src, f, nil)
			}
			by(goKernels{}, want, 1)
			for name, k := range inC() {
				by(k, got, 2)
				for i, v := range want {
					if abs(got[i]-v) > 1e-5 {
						t.Errorf("%s, %v, %d planes: sample %d is %v, not %v", name, s, planes, i, got[i], v)
						break
					}
				}
			}
		}
	}
}

// C rounds as Go does here.
func TestKernelsBox(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {2, 9}, {9, 2}, {17, 5}, {130, 48}} {
		for _, r := range []int{1, 2, 4} {
			src, scratch := noise(uint64(s[0]), 2*s[0]*s[1]), make([]float32, s[0]*s[1])
			want := slices.Clone(src)
			boxMeanBy(goKernels{}, want, want, scratch, s[0], s[1], r, 1)
			for name, k := range inC() {
				got := make([]float32, len(src))
				boxMeanBy(k, got, src, scratch, s[0], s[1], r, 2)
				if !slices.Equal(got, want) {
					t.Errorf("%s, %v, r %d: another mean", name, s, r)
				}
			}
		}
	}
}
