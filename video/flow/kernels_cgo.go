//go:build cgo

package flow

/*
#cgo CFLAGS: -O3 -std=gnu11 -Wno-psabi
#cgo LDFLAGS: -lm
#include "table.h"

// Go cannot call a function pointer: one line for each slot of the table.
typedef const struct kernels *K;

static K flow_table(int avx2) {
#if defined __x86_64__
	if (avx2) return &flow_avx2;
#endif
	return avx2 ? 0 : &flow_plain;
}
static void k_luma(K k, struct plane d, const float *r, const float *g, const float *b, int y0, int y1) { k->luma(d, r, g, b, y0, y1); }
static void k_halve(K k, struct plane d, struct plane s, int y0, int y1) { k->halve(d, s, y0, y1); }
static void k_differentiate(K k, struct level l, int y0, int y1) { k->differentiate(&l, y0, y1); }
static void k_grow(K k, float *d, int stride, int w, struct plane s, int y0, int y1) { k->grow(d, stride, w, s, y0, y1); }
static void k_search(K k, struct search s, int j0, int j1) { k->search(&s, j0, j1); }
static void k_densify(K k, struct search s, int y0, int y1) { k->densify(&s, y0, y1); }
static void k_move(K k, struct refine r, int y0, int y1) { k->move(&r, y0, y1); }
static void k_linearise1(K k, struct refine r, int y0, int y1) { k->linearise1(&r, y0, y1); }
static void k_linearise2(K k, struct refine r, int y0, int y1) { k->linearise2(&r, y0, y1); }
static void k_weigh(K k, struct refine r, int y0, int y1) { k->weigh(&r, y0, y1); }
static void k_assemble(K k, struct refine r, struct system s, int y0, int y1) { k->assemble(&r, &s, y0, y1); }
static void k_load(K k, struct refine r, struct system s, int y0, int y1) { k->load(&r, &s, y0, y1); }
static void k_relax(K k, struct system s, int c, int y0, int y1) { k->relax(&s, c, y0, y1); }
static void k_store(K k, struct refine r, struct system s, int y0, int y1) { k->store(&r, &s, y0, y1); }
static void k_filter_across(K k, struct plane c, float z, const float *start, int y0, int y1) { k->filter_across(c, z, start, y0, y1); }
static void k_filter_down(K k, struct plane c, float z, const float *start, int x0, int x1) { k->filter_down(c, z, start, x0, x1); }
static void k_warp(K k, struct warp m, int y0, int y1) { k->warp(&m, y0, y1); }
static void k_box_across(K k, float *d, const float *s, int w, int h, int r) { k->box_across(d, s, w, h, r); }
static void k_box_down(K k, float *d, const float *s, int w, int h, int r, int n) { k->box_down(d, s, w, h, r, n); }
*/
import "C"

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// cKernels are those of goKernels in C, for one instruction set.
type cKernels struct{ k C.K }

// fastest is the best that the processor has.
func fastest() kernels {
	if k, ok := avx2Kernels(); ok {
		return k
	}
	return plainKernels()
}

func plainKernels() kernels { return cKernels{C.flow_table(0)} }

func avx2Kernels() (k kernels, ok bool) {
	table := C.flow_table(1)
	return cKernels{table}, table != nil && cpu.X86.HasAVX2 && cpu.X86.HasFMA
}

func pointer(p []float32) *C.float { return (*C.float)(unsafe.SliceData(p)) }

func (p *plane) c() C.struct_plane {
	return C.struct_plane{at: pointer(p.data[p.at(0, 0):]), w: C.int(p.w), h: C.int(p.h), stride: C.int(p.stride)}
}

func (l *level) c() C.struct_level {
	return C.struct_level{luma: l.luma.c(), dx: l.dx.c(), dy: l.dy.c()}
}

func (s *searching) c() C.struct_search {
	g := &s.g
	return C.struct_search{from: s.from.c(), to: s.to.c(), u: s.u.c(), v: s.v.c(), gu: pointer(g.u), gv: pointer(g.v),
		cols: C.int(g.cols), rows: C.int(g.rows), stride: C.int(g.stride), iterations: C.int(s.iterations),
		smallest_step: smallestStep, farthest: farthest, flattest: flattest}
}

func (r *refining) c() C.struct_refine {
	c := C.struct_refine{i0: r.from.luma.c(), i1: r.to.luma.c(), u: r.u.c(), v: r.v.c(), u0: r.u0.c(), v0: r.v0.c(),
		mean: r.mean.c(), change: r.change.c(), gx: r.gx.c(), gy: r.gy.c(), right: r.right.c(), below: r.below.c(),
		delta: C.float(r.delta), gamma: C.float(r.gamma), alpha: C.float(r.alpha),
		zeta2: zeta * zeta, epsilon2: epsilon * epsilon, tiny: tiny}
	for i := range r.rows {
		d := &r.rows[i]
		c.rows[i] = C.struct_row3{x: d.x.c(), y: d.y.c(), t: d.t.c()}
	}
	return c
}

func (s *system) c() C.struct_system {
	colours := func(p *[2][]float32) [2]*C.float {
		at := s.at(0, 0)
		return [2]*C.float{pointer(p[0][at:]), pointer(p[1][at:])}
	}
	return C.struct_system{u: colours(&s.u), v: colours(&s.v), d11: colours(&s.d11), d22: colours(&s.d22),
		a12: colours(&s.a12), b1: colours(&s.b1), b2: colours(&s.b2), right: colours(&s.right), below: colours(&s.below),
		w: C.int(s.w), h: C.int(s.h), stride: C.int(s.stride), relaxation: relaxation}
}

func (k cKernels) luma(dst *plane, pix []float32, y0, y1 int) {
	n := dst.w * dst.h
	C.k_luma(k.k, dst.c(), pointer(pix), pointer(pix[n:]), pointer(pix[2*n:]), C.int(y0), C.int(y1))
}

func (k cKernels) halve(dst, src *plane, y0, y1 int) {
	C.k_halve(k.k, dst.c(), src.c(), C.int(y0), C.int(y1))
}

func (k cKernels) differentiate(l *level, y0, y1 int) {
	C.k_differentiate(k.k, l.c(), C.int(y0), C.int(y1))
}

func (k cKernels) grow(dst []float32, stride, w int, src *plane, y0, y1 int) {
	C.k_grow(k.k, pointer(dst), C.int(stride), C.int(w), src.c(), C.int(y0), C.int(y1))
}

func (k cKernels) search(s *searching, stripe int) {
	j0, j1 := s.g.stripe(stripe)
	C.k_search(k.k, s.c(), C.int(j0), C.int(j1))
}

func (k cKernels) densify(d *densifying, y0, y1 int) {
	s := d.s.c()
	s.u, s.v, s.sum = d.u.c(), d.v.c(), d.sum.c()
	C.k_densify(k.k, s, C.int(y0), C.int(y1))
}

func (k cKernels) move(r *refining, y0, y1 int) { C.k_move(k.k, r.c(), C.int(y0), C.int(y1)) }

func (k cKernels) linearise1(r *refining, y0, y1 int) {
	C.k_linearise1(k.k, r.c(), C.int(y0), C.int(y1))
}

func (k cKernels) linearise2(r *refining, y0, y1 int) {
	C.k_linearise2(k.k, r.c(), C.int(y0), C.int(y1))
}

func (k cKernels) weigh(r *refining, y0, y1 int) { C.k_weigh(k.k, r.c(), C.int(y0), C.int(y1)) }

func (k cKernels) assemble(r *refining, y0, y1 int) {
	C.k_assemble(k.k, r.c(), r.system.c(), C.int(y0), C.int(y1))
}

func (k cKernels) load(r *refining, y0, y1 int) {
	C.k_load(k.k, r.c(), r.system.c(), C.int(y0), C.int(y1))
}

func (k cKernels) relax(s *system, c, y0, y1 int) {
	C.k_relax(k.k, s.c(), C.int(c), C.int(y0), C.int(y1))
}

func (k cKernels) store(r *refining, y0, y1 int) {
	C.k_store(k.k, r.c(), r.system.c(), C.int(y0), C.int(y1))
}

func (k cKernels) filterAcross(c *plane, p *pole, y0, y1 int) {
	C.k_filter_across(k.k, c.c(), C.float(p.z), pointer(p.across[:]), C.int(y0), C.int(y1))
}

func (k cKernels) filterDown(c *plane, p *pole, x0, x1 int) {
	C.k_filter_down(k.k, c.c(), C.float(p.z), pointer(p.down[:]), C.int(x0), C.int(x1))
}

func (k cKernels) warp(m *warping, y0, y1 int) {
	var pinned runtime.Pinner // C reads planes through a Go array
	defer pinned.Unpin()
	splines := make([]C.struct_plane, len(m.splines))
	for i := range splines {
		pinned.Pin(unsafe.SliceData(m.splines[i].data))
		splines[i] = m.splines[i].c()
	}
	pinned.Pin(unsafe.SliceData(splines))
	c := C.struct_warp{dst: pointer(m.dst), src: pointer(m.src), u: pointer(m.f.U), v: pointer(m.f.V), where: pointer(m.where),
		splines: unsafe.SliceData(splines), planes: C.int(len(splines)), unknown: Unknown}
	for tap, powers := range quintic {
		for i, v := range powers {
			c.quintic[i][tap] = C.float(v)
		}
	}
	C.k_warp(k.k, c, C.int(y0), C.int(y1))
}

func (k cKernels) boxAcross(dst, src []float32, w, r int) {
	C.k_box_across(k.k, pointer(dst), pointer(src), C.int(w), C.int(len(src)/w), C.int(r))
}

func (k cKernels) boxDown(dst, src []float32, w, r, x0, x1 int) {
	C.k_box_down(k.k, pointer(dst[x0:]), pointer(src[x0:]), C.int(w), C.int(len(src)/w), C.int(r), C.int(x1-x0))
}
