// Kernels for tensor cores from sm_80 on, on fields in the format split.
#include "first_mma.cuh"
#include "gram_mma.cuh"
#include "warps.cuh"

// multiply_C_split and add_tap_C_split: a product with one matrix.
#define ONE_MATRIX(C, NT, WM, WN)                                                                                    \
  KERNEL_BOUNDED(multiply_##C##_split, 32 * WM * WN, 8 / (WM * WN),                                                  \
                 (in_plane src_hi, in_plane src_lo, in_plane m_hi, in_plane m_lo, const float* scale,                \
                  out_plane dst_hi, out_plane dst_lo, long x, long y, long cw, long ch, long h, long w, long c,      \
                  long terms, long stages)) {                                                                        \
    product<1, NT, WM, WN>({{src_hi, src_lo, m_hi, m_lo, c, terms}, {}, dst_hi, dst_lo, 0, h, w, c},                 \
                           multiply_epilogue{{x, y, cw, ch}, scale}, (int)stages);                                   \
  }                                                                                                                  \
  KERNEL_BOUNDED(add_tap_##C##_split, 32 * WM * WN, 8 / (WM * WN),                                                   \
                 (in_plane a_hi, in_plane a_lo, in_plane d_hi, in_plane d_lo, const float* scale, out_plane da_hi,   \
                  out_plane da_lo, long x, long y, long cw, long ch, const float* shares, long pitch,                \
                  const float* mean, double mean_scale, in_plane delta_hi, in_plane delta_lo, double weight, long h, \
                  long w, long c, long terms, long stages)) {                                                        \
    tap on_top = {scale, mean, delta_hi, delta_lo, (float)mean_scale, (float)weight};                                \
    product<1, NT, WM, WN>({{a_hi, a_lo, d_hi, d_lo, c, terms}, {}, da_hi, da_lo, a_hi, h, w, c},                    \
                           tap_epilogue{{x, y, cw, ch}, on_top, shares, pitch}, (int)stages);                        \
  }

ONE_MATRIX(128, 8, 4, 2)
ONE_MATRIX(96, 6, 4, 2)
ONE_MATRIX(64, 8, 4, 1)
ONE_MATRIX(32, 4, 4, 1)

// put packs a value for both planes.
template <class N> __device__ __forceinline__ void put(out_plane hi, out_plane lo, long at, float v) {
  Planes<N>(hi, lo).store(at, v);
}

// split_filter lays scale times the weights (out, in, 3, 3) of a layer out for a
// convolution of padded channels: [block of columns][slice of 16][place][half of
// 8][column][8], a column of a warp's N standing for channel_of. back: in and out
// exchanged, turned round.
KERNEL(split_filter, (const float* src, out_plane hi, out_plane lo, long out, long in, long padded_out, long padded_in,
                      long block, long N, long back, double scale)) {
  long i = thread_number();
  if (i >= 9 * padded_out * padded_in) return;
  long k = i % 8, n = i / 8 % block, half = i / 8 / block % 2, place = i / 16 / block % 9;
  long slice = i / 144 / block % (padded_in / 16), of = i / 144 / block / (padded_in / 16);
  long c = slice * 16 + half * 8 + k, o = of * block + n / N * N + channel_of((int)(n % N), (int)N);
  float v = 0;
  if (back) {
    if (c < out && o < in) v = src[(c * in + o) * 9 + 8 - place];
    put<Brain>(hi, lo, i, (float)scale * v);
  } else {
    if (c < in && o < out) v = src[(o * in + c) * 9 + place];
    put<Binary>(hi, lo, i, (float)scale * v);
  }
}

enum { LARGEST_BLOCKS = 64, LARGEST_THREADS = 256 };

// matrix_largest: largest[block] is the largest magnitude in that block's part of n values.
KERNEL(matrix_largest, (const float* src, long n, float* largest)) {
  SHARED(float, all, LARGEST_THREADS);
  float m = 0;
  for (long i = thread_number(); i < n; i += LARGEST_BLOCKS * LARGEST_THREADS) m = fmaxf(m, fabsf(src[i]));
  all[threadIdx.x] = m;
  __syncthreads();
  for (unsigned step = LARGEST_THREADS / 2; step; step /= 2) {
    if (threadIdx.x < step) all[threadIdx.x] = fmaxf(all[threadIdx.x], all[threadIdx.x + step]);
    __syncthreads();
  }
  if (threadIdx.x == 0) largest[blockIdx.x] = all[0];
}

// split_matrix lays a symmetric n×n matrix out like a filter, in slices of 32, times the
// power of two that makes its largest value 2¹⁰ or a little less; products must be times
// unscale·scale.
KERNEL(split_matrix, (const float* src, const float* largest, out_plane hi, out_plane lo, float* unscale, long n,
                      long padded, long block, long N, double scale)) {
  float m = 0;
  for (int k = 0; k < LARGEST_BLOCKS; k++) m = fmaxf(m, largest[k]);
  int exponent = 9 - ((int)(__float_as_uint(m) >> 23 & 255) - 127); // 2^exponent·m is from 2⁹ to 2¹⁰
  exponent = m > 0 ? min(max(exponent, -126), 126) : 0;
  long i = thread_number();
  if (i == 0) *unscale = (float)(scale * __uint_as_float((unsigned)(127 - exponent) << 23));
  if (i >= padded * padded) return;
  long k = i % 8, column = i / 8 % block, part = i / 8 / block % 4;
  long slice = i / 32 / block % (padded / 32), of = i / 32 / block / (padded / 32);
  long c = slice * 32 + part * 8 + k, o = of * block + column / N * N + channel_of((int)(column % N), (int)N);
  put<Binary>(hi, lo, i, c < n && o < n ? src[c * n + o] * __uint_as_float((unsigned)(127 + exponent) << 23) : 0.f);
}
