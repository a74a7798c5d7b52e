// What content losses ask of an activation, and sums made moments. A core is x, y, its
// corner, and core_w × core_h positions of a window w wide.
#include "eight.cuh"
#include "sum.cuh"

// d = a − target over a core; the target is of the whole layer, target_w wide, in which the
// core begins at (target_x, target_y). A thread does eight channels; blocks across and by rows.
template <class T>
__device__ __forceinline__ void content_delta(void *d_hi, void *d_lo, const void *a_hi, const void *a_lo,
                                              const void *t_hi, const void *t_lo, long w, long c, long x, long y,
                                              long core_w, long target_w, long target_x, long target_y) {
  const unsigned groups = c / eight, i = thread_number(), column = i / groups, row = blockIdx.y;
  if (column >= core_w) return;
  T d(d_hi, d_lo), a(a_hi, a_lo), target(t_hi, t_lo);
  const long at = ((y + row) * w + x + column) * c + i % groups * eight;
  float8 v = load8(a, at);
  const float8 t = load8(target, ((target_y + row) * target_w + target_x + column) * c + i % groups * eight);
#pragma unroll
  for (int k = 0; k < eight; k++) v.v[k] -= t.v[k];
  store8(d, at, v);
}
KERNELS(content_delta, Activation, (void *d_hi, void *d_lo, const void *a_hi, const void *a_lo, const void *t_hi, const void *t_lo,
                        long w, long c, long x, long y, long core_w, long target_w, long target_x, long target_y),
        (d_hi, d_lo, a_hi, a_lo, t_hi, t_lo, w, c, x, y, core_w, target_w, target_x, target_y))

// partial[block] = Σ m·d·md over that block's part of a core; share is m at the core's
// first position, in rows of pitch, or 0 where m is 1.
template <class T>
__device__ __forceinline__ void content_sum(const void *d_hi, const void *d_lo, const void *md_hi, const void *md_lo,
                                            const float *share, long pitch, long w, long c, long x, long y,
                                            long core_w, long core_h, double *partial) {
  T d(d_hi, d_lo), md(md_hi, md_lo);
  const unsigned groups = c / eight, n = groups * core_w * core_h, width = core_w;
  double sum = 0;
  for (unsigned i = thread_number(); i < n; i += gridDim.x * blockDim.x) {
    const unsigned place = i / groups, row = place / width, column = place % width;
    const long at = ((y + row) * w + x + column) * c + i % groups * eight;
    const float8 u = load8(d, at), v = load8(md, at);
    float s = 0;
#pragma unroll
    for (int k = 0; k < eight; k++) s = fmaf(u.v[k], v.v[k], s);
    if (share) s *= share[row * pitch + column];
    sum += s;
  }
  sum_block(sum, partial);
}
KERNELS(content_sum, Activation, (const void *d_hi, const void *d_lo, const void *md_hi, const void *md_lo, const float *share,
                      long pitch, long w, long c, long x, long y, long core_w, long core_h, double *partial),
        (d_hi, d_lo, md_hi, md_lo, share, pitch, w, c, x, y, core_w, core_h, partial))

// sum += Σ partial[0..n), one block.
KERNEL(add_partials, (double *sum, const double *partial, long n)) {
  double s = 0;
  for (long i = threadIdx.x; i < n; i += blockDim.x) s += partial[i];
  s = sum_threads(s);
  if (threadIdx.x == 0) *sum += s;
}

// Rows of n units of 16 bytes; pitches in units too. Blocks across and by rows.
KERNEL(copy_rows, (uint4 *dst, const uint4 *src, long n, long dst_pitch, long src_pitch)) {
  const long i = thread_number(), row = blockIdx.y;
  if (i < n) dst[row * dst_pitch + i] = src[row * src_pitch + i];
}

// Moments of n channels from sums of c padded ones, of which the columns from the diagonal
// on count: gram = sums/p, n×n, and mean = means/p; 0 where p is.
KERNEL(moments, (float *gram, float *mean, const double *sums, const double *means, long n, long c, double p)) {
  for (long i = thread_number(); i < n * n; i += (long)gridDim.x * blockDim.x) {
    const long row = min(i / n, i % n), column = max(i / n, i % n);
    gram[i] = p > 0 ? sums[row * c + column] / p : 0;
    if (i < n) mean[i] = p > 0 ? means[i] / p : 0;
  }
}
