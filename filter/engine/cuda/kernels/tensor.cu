// Kernels for tensor cores from sm_80 on, on fields in the format split.
#include "product.cuh"
#include "first_mma.cuh"
#include "gram_mma.cuh"

// warps is how a block's warps share a patch: WM×WN of them, each with 4 rows of 16
// positions and NT·8 channels, whose products lie in its registers.
template <class N, int TAPS, int NT, int WM, int WN> struct warps {
  typedef patch<TAPS, 4 * WM, 8 * NT * WN, 32 * WM * WN> P;
  float d[4][NT][4];
  int row, column, lane; // of the warp's first position and channel

  struct operands { unsigned a[4][4], b[NT][2]; };

  __device__ __forceinline__ warps() {
    int warp = threadIdx.x / 32;
    lane = threadIdx.x % 32, row = warp / WN * 4, column = warp % WN * 8 * NT;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++)
#pragma unroll
        for (int e = 0; e < 4; e++) d[i][k][e] = 0;
  }

  // fetch reads what is multiplied, at so many units from the first position and weight.
  __device__ __forceinline__ void fetch(operands& o, shared_t a, shared_t b, int position, int weight) const {
#pragma unroll
    for (int i = 0; i < 4; i++) load_matrices<false>(o.a[i], a + 16 * (position + i * P::PITCH));
#pragma unroll
    for (int k = 0; k < NT; k += 2) {
      unsigned r[4];
      load_matrices<false>(r, b + 16 * (weight + k * 8));
      o.b[k][0] = r[0], o.b[k][1] = r[1], o.b[k + 1][0] = r[2], o.b[k + 1][1] = r[3];
    }
  }

  template <class M> __device__ __forceinline__ void multiply(const operands& o) {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++) multiply_add<M>(d[i][k], o.a[i], o.b[k]);
  }

  // Where this lane reads of a stage.
  __device__ __forceinline__ shared_t positions(shared_t stage) const {
    int m = lane / 8, r = lane % 8;
    return stage + 16 * (m / 2 * P::PLANE + row * P::PITCH + m % 2 * 8 + r);
  }
  __device__ __forceinline__ shared_t weights(shared_t stage) const {
    int m = lane / 8, r = lane % 8;
    return stage + 16 * (P::POSITION_UNITS + m % 2 * P::BN + column + m / 2 * 8 + r);
  }

  // add multiplies a stage; what the next step needs is read meanwhile.
  __device__ __forceinline__ void add(shared_t stage) {
    shared_t a = positions(stage), b = weights(stage);
    operands o[2];
    fetch(o[0], a, b, P::step_at(0), 0);
#pragma unroll
    for (int s = 0; s < P::STEPS; s++) {
      if (s + 1 < P::STEPS) fetch(o[(s + 1) % 2], a, b, P::step_at(s + 1), (s + 1) * 2 * P::BN);
      multiply<N>(o[s % 2]);
    }
  }

  // plus multiplies a stage of the job's plus.
  __device__ __forceinline__ void plus(shared_t stage) {
    operands o;
    fetch(o, positions(stage), weights(stage), P::step_at(P::CENTRE), 0);
    multiply<Binary>(o);
  }

  __device__ __forceinline__ void scale(float by) {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++)
#pragma unroll
        for (int e = 0; e < 4; e++) d[i][k][e] *= by;
  }
};

// product goes through the slices with some in flight, then hands each position's
// channels to the epilogue.
template <int TAPS, int NT, int WM, int WN, class E>
__device__ __forceinline__ void product(const product_job& j, const E& epilogue, int stages) {
  typedef warps<typename E::Number, TAPS, NT, WM, WN> W;
  typedef typename W::P P;
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  int across = (int)((j.w + P::W - 1) / P::W);
  int x0 = blockIdx.x % across * P::W, y0 = blockIdx.x / across * P::H;
  loader<P, false> load(j, base, stages, x0, y0, blockIdx.y);
  W w;
  const int first = P::slices(j.of), n = first + (E::PLUS ? P::slices(j.plus) : 0);
  auto next = [&](int slice, int stage) __attribute__((always_inline)) {
    if (E::PLUS && slice == first) load.aim(j.plus, P::PLUS_UNITS);
    if (slice < n) load.next(stage);
    copies_commit();
  };
  for (int s = 0; s < stages - 1; s++) next(s, s);
  for (int s = 0, at = 0; s < n; s++) {
    if (stages == 2) copies_wait<0>();
    else copies_wait<1>();
    __syncthreads(); // all have slice s, and none reads the stage before any more
    next(s + stages - 1, at == 0 ? stages - 1 : at - 1);
    if (E::PLUS && s == first) w.scale(epilogue.plus_scale());
    if (!E::PLUS || s < first) w.add(base + at * P::STAGE);
    else w.plus(base + at * P::STAGE);
    if (++at == stages) at = 0;
  }
  int channel = (int)blockIdx.y * P::BN + w.column + w.lane % 4 * 2 * NT;
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float v[2 * NT];
#pragma unroll
      for (int k = 0; k < NT; k++) v[2 * k] = w.d[i][k][2 * half], v[2 * k + 1] = w.d[i][k][2 * half + 1];
      epilogue.template at<NT>(j, x0 + w.lane / 4 + 8 * half, y0 + w.row + i, channel, v);
    }
}

// there_C_R and back_C_R: a 3×3 convolution, C output channels and R rows of 16 positions
// a block.
#define CONV(C, R, NT, WM, WN)                                                                                       \
  KERNEL_BOUNDED(there_##C##_##R, 32 * WM * WN, 8 / (WM * WN), THERE_PARAMETERS) {                                   \
    product<9, NT, WM, WN>(THERE_JOB, THERE_EPILOGUE, (int)stages);                                                  \
  }                                                                                                                  \
  KERNEL_BOUNDED(back_##C##_##R, 32 * WM * WN, 8 / (WM * WN), BACK_PARAMETERS) {                                     \
    product<9, NT, WM, WN>(BACK_JOB, BACK_EPILOGUE, (int)stages);                                                    \
  }

CONV(128, 16, 8, 4, 2)
CONV(128, 8, 8, 2, 2)
CONV(96, 16, 6, 4, 2)
CONV(96, 8, 6, 2, 2)
CONV(64, 16, 8, 4, 1)
CONV(64, 8, 8, 2, 1)
CONV(32, 16, 4, 4, 1)
CONV(32, 8, 4, 2, 1)

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
