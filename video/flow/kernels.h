// The kernels, written once for vectors of 8 floats: a row of a patch. Each
// kernels_*.c defines TABLE and includes this file; ISA_AVX2 selects the few
// intrinsics that vector extensions cannot say.

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "table.h"

#define INLINE static inline __attribute__((always_inline))
// INDEPENDENT: no iteration of the loop reads what another writes.
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#define UNROLL _Pragma("GCC unroll 8")
#endif

enum { VL = 8 };
typedef float vec __attribute__((vector_size(32)));
typedef int32_t ivec __attribute__((vector_size(32)));
typedef float vec4 __attribute__((vector_size(16)));
typedef float unaligned __attribute__((vector_size(32), aligned(4), may_alias));

INLINE vec load(const float *p) { return *(const unaligned *)p; }
INLINE void store(float *p, vec x) { *(unaligned *)p = x; }
INLINE int min(int a, int b) { return a < b ? a : b; }
INLINE int clamped(int i, int n) { return i < 0 ? 0 : min(i, n - 1); }

INLINE vec larger(vec a, vec b) {
    ivec m = a > b;
    return (vec)(((ivec)a & m) | ((ivec)b & ~m));
}

INLINE vec smaller(vec a, vec b) {
    ivec m = a < b;
    return (vec)(((ivec)a & m) | ((ivec)b & ~m));
}

INLINE vec magnitude(vec a) { return (vec)((ivec)a & 0x7fffffff); }

INLINE vec square_root(vec x) {
#ifdef ISA_AVX2
    return (vec)_mm256_sqrt_ps((__m256)x);
#else
    for (int i = 0; i < VL; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

// The sums of four vectors' elements.
INLINE vec4 sums(vec a, vec b, vec c, vec d) {
#ifdef ISA_AVX2
    __m256 ab = _mm256_hadd_ps((__m256)a, (__m256)b), cd = _mm256_hadd_ps((__m256)c, (__m256)d);
    __m256 all = _mm256_hadd_ps(ab, cd);
    return (vec4)_mm256_castps256_ps128(all) + (vec4)_mm256_extractf128_ps(all, 1);
#else
    vec4 s = {0};
    for (int i = 0; i < VL; i++) s += (vec4){a[i], b[i], c[i], d[i]};
    return s;
#endif
}

INLINE float sum(vec a) { return sums(a, a, a, a)[0]; }

INLINE float *row(const struct plane *p, int y) { return p->at + (long)y * p->stride; }
INLINE float *clamped_row(const struct plane *p, int y) { return row(p, clamped(y, p->h)); }

// extend repeats the ends of a row of n samples.
INLINE void extend(float *row, int n, int by) {
    for (int i = 1; i <= by; i++) row[-i] = row[0], row[n - 1 + i] = row[n - 1];
}

#include "kernels_picture.h"
#include "kernels_search.h"
#include "kernels_refine.h"
#include "kernels_warp.h"
#include "kernels_box.h"

const struct kernels TABLE = {
    .luma = luma,
    .halve = halve,
    .differentiate = differentiate,
    .grow = grow,
    .search = search,
    .densify = densify,
    .move = move,
    .linearise1 = linearise1,
    .linearise2 = linearise2,
    .weigh = weigh,
    .assemble = assemble,
    .load = load_flow,
    .relax = relax,
    .store = store_flow,
    .filter_across = filter_across,
    .filter_down = filter_down,
    .warp = warp,
    .box_across = box_across,
    .box_down = box_down,
};
