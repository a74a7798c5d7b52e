// 2×2 pooling, there and back. A thread does eight channels of a window; blocks across
// and by rows of windows.
#include "eight.cuh"

// dst, w/2 × h/2, is the mean or the maximum of the windows of src, w×h. Odd last rows and
// columns are dropped.
template <class T>
__device__ __forceinline__ void pool(void *dst_hi, void *dst_lo, const void *src_hi, const void *src_lo, long w, long h,
                                     long c, long maximum) {
  const unsigned groups = c / eight, i = thread_number(), group = i % groups, x = i / groups, y = blockIdx.y;
  if (x >= w / 2) return;
  T dst(dst_hi, dst_lo), src(src_hi, src_lo);
  const long at = (2 * y * w + 2 * x) * c + group * eight;
  const float8 p = load8(src, at), q = load8(src, at + c), r = load8(src, at + w * c), s = load8(src, at + (w + 1) * c);
  float8 out;
#pragma unroll
  for (int k = 0; k < eight; k++)
    out.v[k] = maximum ? fmaxf(fmaxf(p.v[k], q.v[k]), fmaxf(r.v[k], s.v[k]))
                       : .25f * ((p.v[k] + q.v[k]) + (r.v[k] + s.v[k]));
  store8(dst, (y * (w / 2) + x) * c + group * eight, out);
}
KERNELS(pool, Activation, (void *dst_hi, void *dst_lo, const void *src_hi, const void *src_lo, long w, long h, long c, long maximum),
        (dst_hi, dst_lo, src_hi, src_lo, w, h, c, maximum))

// da, w×h, is the gradient at the activation a from that at the pooled one, dp; 0 in odd
// last rows and columns, and where a is not above 0 if gate. Of equals the first is the
// maximum. a is read for a maximum or a gate.
template <class T, class A>
__device__ __forceinline__ void unpool(void *da_hi, void *da_lo, const void *dp_hi, const void *dp_lo, const void *a_hi,
                                       const void *a_lo, long w, long h, long c, long maximum, long gate) {
  const unsigned groups = c / eight, i = thread_number(), group = i % groups, x = i / groups, y = blockIdx.y;
  if (x >= (w + 1) / 2) return;
  T da(da_hi, da_lo), dp(dp_hi, dp_lo);
  A a(a_hi, a_lo);
  const bool right = 2 * x + 1 < w, below = 2 * y + 1 < h;
  const long at = (2 * y * w + 2 * x) * c + group * eight;
  const long places[4] = {at, at + c, at + w * c, at + (w + 1) * c};
  float8 g = {};
  float8 out[4];
  if (right && below) g = load8(dp, (y * (w / 2) + x) * c + group * eight);
  if (maximum && right && below) {
    const float8 p = load8(a, places[0]), q = load8(a, places[1]), r = load8(a, places[2]), s = load8(a, places[3]);
#pragma unroll
    for (int k = 0; k < eight; k++) {
      float most = fmaxf(fmaxf(p.v[k], q.v[k]), fmaxf(r.v[k], s.v[k]));
      bool first = p.v[k] == most, second = !first && q.v[k] == most, third = !first && !second && r.v[k] == most;
      out[0].v[k] = first ? g.v[k] : 0;
      out[1].v[k] = second ? g.v[k] : 0;
      out[2].v[k] = third ? g.v[k] : 0;
      out[3].v[k] = first || second || third ? 0 : g.v[k];
    }
  } else {
#pragma unroll
    for (int k = 0; k < eight; k++) out[0].v[k] = out[1].v[k] = out[2].v[k] = out[3].v[k] = .25f * g.v[k];
  }
#pragma unroll
  for (int p = 0; p < 4; p++) {
    if ((p % 2 && !right) || (p / 2 && !below)) continue;
    if (gate) gate8(out[p], a, places[p]);
    store8(da, places[p], out[p]);
  }
}
#define UNPOOL(name, T, A)                                                                                             \
  KERNEL(name, (void *da_hi, void *da_lo, const void *dp_hi, const void *dp_lo, const void *a_hi, const void *a_lo,    \
                long w, long h, long c, long maximum, long gate)) {                                                    \
    unpool<T, A>(da_hi, da_lo, dp_hi, dp_lo, a_hi, a_lo, w, h, c, maximum, gate);                                      \
  }
UNPOOL(unpool_f32, F32, F32)
UNPOOL(unpool_split, Gradient, Activation)
