// Products of a field with a matrix for each of 9 places, or for one, on tensor cores:
// what tensor.cu and hopper.cu have in common. A block takes a patch of 16×H positions
// and BN of the output's channels, and goes through the input's channels in slices:
//
//   out[p][n] = Σ_slice Σ_step Σ_k a[p + place(step)][k] · w[step][k][n]
//
// Of each slice shared memory holds the patch with its border once for all 9 places, so
// that the weights are most of what is read. It lies there in units of 16 bytes, which
// are 8 channels of a position (or 8 rows of a column of w): units of neighbours are
// side by side, which both ldmatrix and wgmma read without bank conflicts wherever a
// patch begins.
//
// Splits: the hi and lo planes of value and weight make up to three terms, hi·hi, lo·hi
// and hi·lo, which are slices of their own.
#pragma once
#include "bulk.cuh"
#include "mma.cuh"

enum { GATED = 1, INSIDE_ADDS = 2 }; // flags of a job

// product_job is a kernel's parameters.
struct product_job {
  const bf16 *src_hi, *src_lo, *w_hi, *w_lo;
  bf16 *dst_hi, *dst_lo;
  const bf16* gate; // as large as dst: 0 where it is ≤ 0; may be 0
  long h, w, in, out, terms;
};

// patch is what a block has in shared memory: a stage holds a slice's positions and its
// weights. TAPS is 9 or 1, H its rows, BN its output channels.
template <int TAPS, int H_, int BN_, int THREADS_> struct patch {
  enum {
    BORDER = TAPS == 9, W = 16, H = H_, BN = BN_, THREADS = THREADS_,
    PITCH = W + 2 * BORDER, POSITIONS = PITCH * (H + 2 * BORDER),
    STEPS = TAPS == 9 ? 9 : 2, // of 16 channels each
    PLANES = TAPS == 9 ? 2 : 4, // of 8 channels each: a slice
    // The planes of neighbouring threads' copies begin in different banks.
    PLANE = POSITIONS + (8 / PLANES - POSITIONS % 8 + 8) % 8,
    POSITION_UNITS = PLANES * PLANE, WEIGHT_UNITS = STEPS * 2 * BN,
    STAGE = 16 * (POSITION_UNITS + WEIGHT_UNITS), // bytes
    COPIES = (POSITIONS * PLANES + THREADS - 1) / THREADS,
    WEIGHT_COPIES = (WEIGHT_UNITS + THREADS - 1) / THREADS
  };
  // Where step s reads, in units from the first position's.
  static __device__ __forceinline__ int step_at(int s) {
    return TAPS == 9 ? s / 3 * PITCH + s % 3 : 2 * s * PLANE;
  }
};

// loader copies slices into stages, one after the other: the positions by all threads,
// and so the weights, or BULK: these in one piece, by the copy engine (bulk.cuh).
template <class P, bool BULK> struct loader {
  unsigned at[P::COPIES]; // units of 8 channels in the first slice; ~0: outside, zeros
  const product_job& j;
  shared_t stages, arrivals; // where a bulk copy into each stage says that it is there
  const char* weights_hi;
  const char* weights_lo;
  int slice, term;

  __device__ __forceinline__ loader(const product_job& j, shared_t base, int stages, int x0, int y0, int block)
      : j(j), stages(base), arrivals(base + stages * P::STAGE), slice(0), term(0) {
    long slices = j.in / (8 * P::PLANES);
    weights_hi = (const char*)j.w_hi + block * slices * P::WEIGHT_UNITS * 16;
    weights_lo = (const char*)j.w_lo + block * slices * P::WEIGHT_UNITS * 16;
#pragma unroll
    for (int k = 0; k < P::COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS, p = u / P::PLANES;
      int x = x0 + p % P::PITCH - P::BORDER, y = y0 + p / P::PITCH - P::BORDER;
      bool outside = x < 0 || y < 0 || x >= j.w || y >= j.h;
      at[k] = outside ? ~0u : (unsigned)((y * j.w + x) * (j.in / 8)) + u % P::PLANES;
    }
  }

  // next copies the next slice into a stage.
  __device__ __forceinline__ void next(int stage) {
    shared_t to = stages + stage * P::STAGE;
    const char* from = (const char*)(term == 1 ? j.src_lo : j.src_hi) + slice * (16 * P::PLANES);
#pragma unroll
    for (int k = 0; k < P::COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS;
      bool valid = at[k] != ~0u;
      if (u < P::POSITIONS * P::PLANES)
        copy16(to + 16 * (u % P::PLANES * P::PLANE + u / P::PLANES), from + (valid ? (long)at[k] * 16 : 0), valid);
    }
    const char* w = (term == 2 ? weights_lo : weights_hi) + (long)slice * P::WEIGHT_UNITS * 16;
    if (++term == j.terms) term = 0, slice++;
    if (BULK) {
      if (threadIdx.x == 0) bulk_copy(to + 16 * P::POSITION_UNITS, w, P::WEIGHT_UNITS * 16, arrivals + 8 * stage);
      return;
    }
#pragma unroll
    for (int k = 0; k < P::WEIGHT_COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS;
      if (P::WEIGHT_UNITS % P::THREADS == 0 || u < P::WEIGHT_UNITS)
        copy16(to + 16 * (P::POSITION_UNITS + u), w + u * 16, true);
    }
  }
};

// channel_of says which channel the weights' column n of a warp's N columns stands for:
// such that lane q of each four gets N/4 channels side by side.
__device__ __forceinline__ int channel_of(int n, int N) { return n % 8 / 2 * (N / 4) + n / 8 * 2 + n % 2; }

// pair packs two values as bfloat16, hi planes, and returns what lo planes must hold.
__device__ __forceinline__ unsigned pair(float& a, float& b) {
  bf16 x = to_bf16(a), y = to_bf16(b);
  a -= from_bf16(x), b -= from_bf16(y);
  return x | (unsigned)y << 16;
}

// store writes NT/4 groups of 8 values, or NT/2 of 4, to the planes of dst.
template <int NT> __device__ __forceinline__ void store(bf16* hi, bf16* lo, float (&v)[2 * NT]) {
  enum { WORDS = NT % 4 == 0 ? 4 : 2 };
#pragma unroll
  for (int g = 0; g < NT / WORDS; g++) {
    unsigned a[WORDS], b[WORDS];
#pragma unroll
    for (int i = 0; i < WORDS; i++) {
      float &x = v[2 * (g * WORDS + i)], &y = v[2 * (g * WORDS + i) + 1];
      a[i] = pair(x, y), b[i] = pair(x, y);
    }
    if (WORDS == 4) {
      *(uint4*)(hi + 8 * g) = make_uint4(a[0], a[1], a[WORDS - 2], a[WORDS - 1]);
      if (lo) *(uint4*)(lo + 8 * g) = make_uint4(b[0], b[1], b[WORDS - 2], b[WORDS - 1]);
    } else {
      *(uint2*)(hi + 4 * g) = make_uint2(a[0], a[1]);
      if (lo) *(uint2*)(lo + 4 * g) = make_uint2(b[0], b[1]);
    }
  }
}

// load adds scale times 2·NT neighbours' values to v.
template <int NT> __device__ __forceinline__ void load(const bf16* hi, const bf16* lo, float scale, float (&v)[2 * NT]) {
#pragma unroll
  for (int i = 0; i < NT; i += 2) {
    uint2 a = *(const uint2*)(hi + 2 * i), b = make_uint2(0, 0);
    if (lo) b = *(const uint2*)(lo + 2 * i);
    v[2 * i] += scale * (low_half(a.x) + low_half(b.x));
    v[2 * i + 1] += scale * (high_half(a.x) + high_half(b.x));
    v[2 * i + 2] += scale * (low_half(a.y) + low_half(b.y));
    v[2 * i + 3] += scale * (high_half(a.y) + high_half(b.y));
  }
}

// close_gate makes 0 what an activation does not let through.
template <int NT> __device__ __forceinline__ void close_gate(const bf16* gate, float (&v)[2 * NT]) {
#pragma unroll
  for (int i = 0; i < NT; i += 2) {
    uint2 a = *(const uint2*)(gate + 2 * i);
    if (!(low_half(a.x) > 0)) v[2 * i] = 0;
    if (!(high_half(a.x) > 0)) v[2 * i + 1] = 0;
    if (!(low_half(a.y) > 0)) v[2 * i + 2] = 0;
    if (!(high_half(a.y) > 0)) v[2 * i + 3] = 0;
  }
}

// epilogue of a convolution: bias and ReLU on the way there, a gate on the way back.
struct conv_epilogue {
  const float* bias; // 0: none, and no ReLU
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (x >= j.w || y >= j.h) return;
    long p = (y * j.w + x) * j.out + channel;
    if (bias) {
#pragma unroll
      for (int i = 0; i < 2 * NT; i++) {
        float s = v[i] + bias[channel + i];
        v[i] = s > 0 ? s : 0;
      }
    }
    if (j.gate) close_gate<NT>(j.gate + p, v);
    store<NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};

// epilogue of multiply and addTap: at the positions of the core.
struct core_epilogue {
  const float *shares, *mean; // either may be 0
  const bf16 *delta_hi, *delta_lo;
  long pitch, core_x, core_y, core_w, core_h;
  float mean_scale, weight;
  bool adds; // to dst; else writes it
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (x >= j.w || y >= j.h) return;
    long p = (y * j.w + x) * j.out + channel, cx = x - core_x, cy = y - core_y;
    bool inside = cx >= 0 && cy >= 0 && cx < core_w && cy < core_h;
    if (!adds) {
      if (inside) store<NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
      return;
    }
    if (inside) {
      float m = shares ? shares[cy * pitch + cx] : 1.f;
      if (delta_hi) load<NT>(delta_hi + p, delta_lo ? delta_lo + p : 0, weight, v);
#pragma unroll
      for (int i = 0; i < 2 * NT; i++) v[i] = m * (mean ? v[i] + mean_scale * mean[channel + i] : v[i]);
    } else {
#pragma unroll
      for (int i = 0; i < 2 * NT; i++) v[i] = 0;
    }
    load<NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, 1, v);
    if (j.gate) close_gate<NT>(j.gate + p, v);
    store<NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};
