// Kernels for tensor cores from sm_80 on, on fields in the format split.
#include "product.cuh"
#include "gram_mma.cuh"

// warps is how a block's warps share a patch: WM×WN of them, each with 4 rows of 16
// positions and NT·8 channels, whose products lie in its registers.
template <int TAPS, int NT, int WM, int WN> struct warps {
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

  // fetch reads what step s multiplies.
  __device__ __forceinline__ void fetch(operands& o, shared_t a, shared_t b, int s) const {
#pragma unroll
    for (int i = 0; i < 4; i++) load_matrices<false>(o.a[i], a + 16 * (P::step_at(s) + i * P::PITCH));
#pragma unroll
    for (int k = 0; k < NT; k += 2) {
      unsigned r[4];
      load_matrices<false>(r, b + 16 * (s * 2 * P::BN + k * 8));
      o.b[k][0] = r[0], o.b[k][1] = r[1], o.b[k + 1][0] = r[2], o.b[k + 1][1] = r[3];
    }
  }

  // add multiplies a stage; what the next step needs is read meanwhile.
  __device__ __forceinline__ void add(shared_t stage) {
    int m = lane / 8, r = lane % 8;
    shared_t a = stage + 16 * (m / 2 * P::PLANE + row * P::PITCH + m % 2 * 8 + r);
    shared_t b = stage + 16 * (P::POSITION_UNITS + m % 2 * P::BN + column + m / 2 * 8 + r);
    operands o[2];
    fetch(o[0], a, b, 0);
#pragma unroll
    for (int s = 0; s < P::STEPS; s++) {
      if (s + 1 < P::STEPS) fetch(o[(s + 1) % 2], a, b, s + 1);
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int k = 0; k < NT; k++) multiply_add(d[i][k], o[s % 2].a[i], o[s % 2].b[k]);
    }
  }
};

// product goes through the slices with some in flight, then hands each position's
// channels to the epilogue.
template <int TAPS, int NT, int WM, int WN, class E>
__device__ __forceinline__ void product(const product_job& j, const E& epilogue, int stages) {
  typedef warps<TAPS, NT, WM, WN> W;
  typedef typename W::P P;
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  int across = (int)((j.w + P::W - 1) / P::W);
  int x0 = blockIdx.x % across * P::W, y0 = blockIdx.x / across * P::H;
  loader<P, false> load(j, base, stages, x0, y0, blockIdx.y);
  W w;
  int n = (int)(j.in / (8 * P::PLANES) * j.terms);
  for (int s = 0; s < stages - 1; s++) {
    if (s < n) load.next(s);
    copies_commit();
  }
  for (int s = 0, at = 0; s < n; s++) {
    if (stages == 2) copies_wait<0>();
    else copies_wait<1>();
    __syncthreads(); // all have slice s, and none reads the stage before any more
    int ahead = s + stages - 1;
    if (ahead < n) load.next(at == 0 ? stages - 1 : at - 1);
    copies_commit();
    w.add(base + at * P::STAGE);
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

// conv_C_R: a 3×3 convolution, C output channels and R rows of 16 positions a block.
#define CONV(C, R, NT, WM, WN)                                                                                       \
  KERNEL_BOUNDED(conv_##C##_##R, 32 * WM * WN, 8 / (WM * WN), \
              (const bf16* src_hi, const bf16* src_lo, const bf16* w_hi, const bf16* w_lo, const float* bias,        \
               bf16* dst_hi, bf16* dst_lo, const bf16* gate, long h, long w, long in, long out, long terms,          \
               long stages)) {                                                                                       \
    product_job j = {src_hi, src_lo, w_hi, w_lo, dst_hi, dst_lo, gate, h, w, in, out, terms};                        \
    conv_epilogue e = {bias};                                                                                        \
    product<9, NT, WM, WN>(j, e, (int)stages);                                                                       \
  }

CONV(128, 16, 8, 4, 2)
CONV(128, 8, 8, 2, 2)
CONV(96, 16, 6, 4, 2)
CONV(96, 8, 6, 2, 2)
CONV(64, 16, 8, 4, 1)
CONV(64, 8, 8, 2, 1)
CONV(32, 16, 4, 4, 1)
CONV(32, 8, 4, 2, 1)

// at_core_C: a product with one matrix, at the positions of a core (multiply, addTap).
#define AT_CORE(C, NT, WM, WN)                                                                                       \
  KERNEL_BOUNDED(at_core_##C, 32 * WM * WN, 8 / (WM * WN), \
              (const bf16* src_hi, const bf16* src_lo, const bf16* w_hi, const bf16* w_lo, bf16* dst_hi,             \
               bf16* dst_lo, const bf16* gate, const float* shares, const float* mean, const bf16* delta_hi,         \
               const bf16* delta_lo, long pitch, long x, long y, long cw, long ch, double mean_scale, double weight, \
               long adds, long h, long w, long in, long out, long terms, long stages)) {                             \
    product_job j = {src_hi, src_lo, w_hi, w_lo, dst_hi, dst_lo, gate, h, w, in, out, terms};                        \
    core_epilogue e = {shares, mean, delta_hi, delta_lo, pitch, x, y, cw, ch, (float)mean_scale, (float)weight,      \
                       adds != 0};                                                                                   \
    product<1, NT, WM, WN>(j, e, (int)stages);                                                                       \
  }

AT_CORE(128, 8, 4, 2)
AT_CORE(96, 6, 4, 2)
AT_CORE(64, 8, 4, 1)
AT_CORE(32, 4, 4, 1)

// put packs a value for both planes.
static __device__ __forceinline__ void put(bf16* hi, bf16* lo, long at, float v) {
  bf16 h = to_bf16(v);
  hi[at] = h;
  if (lo) lo[at] = to_bf16(v - from_bf16(h));
}

// split_filter lays the weights (out, in, 3, 3) of a layer out for a convolution of
// padded channels: [block of columns][slice of 16][place][half of 8][column][8], a
// column of a warp's N standing for channel_of. back: in and out exchanged, turned round.
KERNEL(split_filter, (const float* src, bf16* hi, bf16* lo, long out, long in, long padded_out, long padded_in,
                          long block, long N, long back)) {
  long i = (long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= 9 * padded_out * padded_in) return;
  long k = i % 8, n = i / 8 % block, half = i / 8 / block % 2, place = i / 16 / block % 9;
  long slice = i / 144 / block % (padded_in / 16), of = i / 144 / block / (padded_in / 16);
  long c = slice * 16 + half * 8 + k, o = of * block + n / N * N + channel_of((int)(n % N), (int)N);
  float v = 0;
  if (back) {
    if (c < out && o < in) v = src[(c * in + o) * 9 + 8 - place];
  } else if (c < in && o < out) {
    v = src[(o * in + c) * 9 + place];
  }
  put(hi, lo, i, v);
}

// split_matrix lays scale times a symmetric n×n matrix out likewise, in slices of 32.
KERNEL(split_matrix, (const float* src, bf16* hi, bf16* lo, long n, long padded, long block, long N, double scale)) {
  long i = (long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= padded * padded) return;
  long k = i % 8, column = i / 8 % block, part = i / 8 / block % 4;
  long slice = i / 32 / block % (padded / 32), of = i / 32 / block / (padded / 32);
  long c = slice * 32 + part * 8 + k, o = of * block + column / N * N + channel_of((int)(column % N), (int)N);
  put(hi, lo, i, c < n && o < n ? (float)(scale * src[c * n + o]) : 0.f);
}
