//go:build cgo

package samples

/*
#cgo CFLAGS: -O3 -std=c11
#include "table.h"

// Go cannot call a function pointer: one line for each slot of the table.
typedef const struct rows *R;

static R samples_table(int avx2) {
#if defined __x86_64__
	if (avx2) return &samples_avx2;
#endif
	return avx2 ? 0 : &samples_plain;
}
static void r_load8(R r, float *dst, const uint8_t *src, float scale, int n) { r->load8(dst, src, scale, n); }
static void r_load16(R r, float *dst, const uint8_t *src, float scale, int n) { r->load16(dst, (const uint16_t *)src, scale, n); }
static void r_mix(R r, float *dst, const float *a, const float *b, float share, int n) { r->mix(dst, a, b, share, n); }
static void r_centred(R r, float *dst, const float *src, int w) { r->centred(dst, src, w); }
static void r_cosited(R r, float *dst, const float *src, int w) { r->cosited(dst, src, w); }
static void r_rgb(R r, float *red, float *g, float *b, const float *u, const float *v, struct from_ycc k, int n) { r->rgb(red, g, b, u, v, k, n); }
static void r_subtract(R r, float *own, const float *f, int n) { r->subtract(own, f, n); }
static void r_luma(R r, float *red, float *g, float *b, struct to_ycc k, int n) { r->luma(red, g, b, k, n); }
static void r_add_centred(R r, float *sum, const float *row, float share, int w) { r->add_centred(sum, row, share, w); }
static void r_add_cosited(R r, float *sum, const float *row, float share, int w) { r->add_cosited(sum, row, share, w); }
static void r_add8(R r, uint8_t *dst, const uint8_t *src, const float *change, float scale, int32_t low, int32_t high, int n) { r->add8(dst, src, change, scale, low, high, n); }
static void r_add16(R r, uint8_t *dst, const uint8_t *src, const float *change, float scale, int32_t low, int32_t high, int n) { r->add16((uint16_t *)dst, (const uint16_t *)src, change, scale, low, high, n); }
static void r_curve(R r, float *row, const float *c, float knots, int n) { r->curve(row, c, knots, n); }
*/
import "C"

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// inC has the loops in C, for one instruction set.
type inC struct{ r C.R }

// Fastest is the best that the processor has.
func Fastest() Rows {
	if r, ok := avx2(); ok {
		return r
	}
	return plain()
}

func plain() Rows { return inC{C.samples_table(0)} }

func avx2() (r Rows, ok bool) {
	table := C.samples_table(1)
	return inC{table}, table != nil && cpu.X86.HasAVX2
}

func floats(s []float32) *C.float { return (*C.float)(unsafe.SliceData(s)) }
func octets(s []byte) *C.uint8_t  { return (*C.uint8_t)(unsafe.SliceData(s)) }

func (i inC) Load8(dst []float32, src []byte, scale float32) {
	C.r_load8(i.r, floats(dst), octets(src[:len(dst)]), C.float(scale), C.int(len(dst)))
}

func (i inC) Load16(dst []float32, src []byte, scale float32) {
	C.r_load16(i.r, floats(dst), octets(src[:2*len(dst)]), C.float(scale), C.int(len(dst)))
}

func (i inC) Mix(dst, a, b []float32, share float32) {
	n := len(dst)
	C.r_mix(i.r, floats(dst), floats(a[:n]), floats(b[:n]), C.float(share), C.int(n))
}

func (i inC) Centred(dst, src []float32) {
	C.r_centred(i.r, floats(dst), floats(src[:(len(dst)+1)/2]), C.int(len(dst)))
}

func (i inC) Cosited(dst, src []float32) {
	C.r_cosited(i.r, floats(dst), floats(src[:(len(dst)+1)/2]), C.int(len(dst)))
}

func (i inC) RGB(r, g, b, u, v []float32, c *FromYCC) {
	n := len(r)
	k := C.struct_from_ycc{y0: C.float(c.Y0), c0: C.float(c.C0), y: C.float(c.Y), rv: C.float(c.RV), gu: C.float(c.GU), gv: C.float(c.GV), bu: C.float(c.BU)}
	C.r_rgb(i.r, floats(r), floats(g[:n]), floats(b[:n]), floats(u[:n]), floats(v[:n]), k, C.int(n))
}

func (i inC) Subtract(own, f []float32) {
	C.r_subtract(i.r, floats(own), floats(f[:len(own)]), C.int(len(own)))
}

func (i inC) Luma(r, g, b []float32, c *ToYCC) {
	n := len(r)
	k := C.struct_to_ycc{r: C.float(c.R), g: C.float(c.G), b: C.float(c.B), to_b: C.float(c.ToB), to_r: C.float(c.ToR)}
	C.r_luma(i.r, floats(r), floats(g[:n]), floats(b[:n]), k, C.int(n))
}

func (i inC) AddCentred(sum, row []float32, share float32) {
	C.r_add_centred(i.r, floats(sum[:(len(row)+1)/2]), floats(row), C.float(share), C.int(len(row)))
}

func (i inC) AddCosited(sum, row []float32, share float32) {
	C.r_add_cosited(i.r, floats(sum[:(len(row)+1)/2]), floats(row), C.float(share), C.int(len(row)))
}

func (i inC) Add8(dst, src []byte, change []float32, scale float32, low, high int32) {
	n := len(dst)
	C.r_add8(i.r, octets(dst), octets(src[:n]), floats(change[:n]), C.float(scale), C.int32_t(low), C.int32_t(high), C.int(n))
}

func (i inC) Add16(dst, src []byte, change []float32, scale float32, low, high int32) {
	n := len(dst) / 2
	C.r_add16(i.r, octets(dst), octets(src[:2*n]), floats(change[:n]), C.float(scale), C.int32_t(low), C.int32_t(high), C.int(n))
}

func (i inC) Curve(row []float32, c *Curve) {
	C.r_curve(i.r, floats(row), floats(c[:]), Knots, C.int(len(row)))
}
