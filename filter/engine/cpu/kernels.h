// The kernels, written once for vectors of VL floats. Each kernels_*.c defines
// VL, ROWS and TABLE and includes this file; ISA_AVX2, ISA_AVX512 and ISA_NEON select
// the few intrinsics that vector extensions cannot say, BF16 makes convolutions
// multiply bfloat16 and sum in float.
//
// Layout nChw{VL}c: an activation of C channels (padded with zeros to a multiple
// of 2·VL) at P positions is [C/VL][P][VL]. A mask has one bit for each of its
// floats, [C/VL][P] words of mask_t.

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "table.h"

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
// INDEPENDENT: no iteration of the loop reads what another writes.
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
#ifdef ISA_WIDE
#define UNROLL
#elif defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float vec __attribute__((vector_size(4 * VL), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * VL), may_alias));

#if VL == 16
typedef uint16_t mask_t;
#else
typedef uint8_t mask_t;
#endif

enum { PAIR = 2 * VL }; // channels are padded to pairs of vectors

#ifdef BF16
enum { HALF = 1 };
typedef uint16_t factor; // what convolutions multiply
#else
enum { HALF = 0 };
typedef float factor;
#endif

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec x) { *(vec *)p = x; }
INLINE int min(int a, int b) { return a < b ? a : b; }
INLINE int clamped(int i, int n) { return i < 0 ? 0 : min(i, n - 1); }

// Lane i holds the bit 1<<i.
static const ivec lanes = {
    1, 2, 4, 8,
#if VL >= 8
    16, 32, 64, 128,
#endif
#if VL >= 16
    256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
#endif
};

// bits packs the signs of a comparison's lanes, 0 or −1, into a mask.
INLINE mask_t bits(ivec m) {
#if defined ISA_AVX512
    return _mm512_movepi32_mask((__m512i)m);
#elif defined ISA_AVX2
    return _mm256_movemask_ps((__m256)m);
#elif defined ISA_NEON
    return vaddvq_s32((int32x4_t)(m & lanes));
#else
    m &= lanes;
    int s = 0;
    for (int i = 0; i < VL; i++) s |= m[i];
    return s;
#endif
}

// gated loads the lanes whose bit is set, zeros elsewhere.
INLINE vec gated(const float *p, mask_t mask) {
#if defined ISA_AVX512
    return (vec)_mm512_maskz_load_ps(mask, p);
#else
    return (vec)(*(const ivec *)p & ((lanes & (int32_t)mask) == lanes));
#endif
}

INLINE vec square_root(vec x) {
#if defined ISA_AVX512
    return (vec)_mm512_sqrt_ps((__m512)x);
#elif defined ISA_AVX2
    return (vec)_mm256_sqrt_ps((__m256)x);
#elif defined ISA_NEON
    return (vec)vsqrtq_f32((float32x4_t)x);
#else
    for (int i = 0; i < VL; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

INLINE vec vmax(vec a, vec b) {
    ivec m = a > b;
    return (vec)(((ivec)a & m) | ((ivec)b & ~m));
}

INLINE vec positive(vec a) { return (vec)((ivec)a & (ivec)(a > 0.f)); }

#include "kernels_gemm.h"
#include "kernels_first.h"
#include "kernels_winograd.h"
#include "kernels_pool.h"
#include "kernels_moments.h"
#include "kernels_vector.h"
#include "kernels_enlarge.h"

const struct kernels TABLE = {
    .vl = VL,
    .rows = ROWS,
    .factor_bytes = sizeof(factor),
    .transform_weights = transform_weights,
    .first_forward = first_forward,
    .first_back = first_back,
    .conv = conv,
    .pool = pool,
    .unpool = unpool,
    .gram = gram,
    .content = content,
    .add_gradient = add_gradient,
    .pack_panels = pack_panels,
    .pack_rows = pack_rows,
    .unpack_rows = unpack_rows,
    .gemm = gemm,
    .peak = peak,
    .dot = dot,
    .combine = combine,
    .adam = adam,
    .tv = tv,
    .tv_masked = tv_masked,
    .gamut = gamut,
    .prior = prior,
    .enlarge = enlarge,
    .enlarge_adjoint = enlarge_adjoint,
};
