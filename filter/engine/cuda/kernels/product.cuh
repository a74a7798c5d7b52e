// Products of a field with a matrix for each of 9 places, or for one, on tensor cores:
// what warps.cuh and hopper.cu have in common. A block takes a patch of 16×H positions
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

typedef const unsigned short* in_plane;
typedef unsigned short* out_plane;

// factors are two fields' planes that are multiplied: a field of so many channels, and
// packed weights. No terms: none.
struct factors {
  in_plane hi, lo, w_hi, w_lo;
  long channels, terms;
};

// product_job is what all products are told. plus has no places but its own, and other
// numbers than of: its sums come on top where those of have been times plus_scale.
struct product_job {
  factors of, plus;
  out_plane dst_hi, dst_lo;
  in_plane gate; // an activation as large as dst: 0 where it is ≤ 0
  long h, w, out;
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
  enum { CENTRE = 4, PLUS_UNITS = 2 * BN }; // of 9 steps; of weights without other places
  static __device__ __forceinline__ int slices(const factors& f) { return (int)(f.channels / (8 * PLANES) * f.terms); }
};

// loader copies slices into stages, one after the other: the positions by all threads,
// and so the weights, or BULK: these in one piece, by the copy engine (bulk.cuh).
template <class P, bool BULK> struct loader {
  const product_job& j;
  const int x0, y0, block;
  shared_t stages, arrivals; // where a bulk copy into each stage says that it is there
  unsigned at[P::COPIES];    // units of 8 channels in the first slice; ~0: outside, zeros
  factors f;
  int weights; // units of a slice's
  int slice, term;

  __device__ __forceinline__ loader(const product_job& j, shared_t base, int stages, int x0, int y0, int block)
      : j(j), x0(x0), y0(y0), block(block), stages(base), arrivals(base + stages * P::STAGE) {
    aim(j.of, P::WEIGHT_UNITS);
  }

  // aim begins with the slices of other factors.
  __device__ __forceinline__ void aim(const factors& next, int units) {
    f = next, weights = units, slice = 0, term = 0;
#pragma unroll
    for (int k = 0; k < P::COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS, p = u / P::PLANES;
      int x = x0 + p % P::PITCH - P::BORDER, y = y0 + p / P::PITCH - P::BORDER;
      bool outside = x < 0 || y < 0 || x >= j.w || y >= j.h;
      at[k] = outside ? ~0u : (unsigned)((y * j.w + x) * (f.channels / 8)) + u % P::PLANES;
    }
  }

  // next copies the next slice into a stage.
  __device__ __forceinline__ void next(int stage) {
    shared_t to = stages + stage * P::STAGE;
    const char* from = (const char*)(term == 1 ? f.lo : f.hi) + slice * (16 * P::PLANES);
#pragma unroll
    for (int k = 0; k < P::COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS;
      bool valid = at[k] != ~0u;
      if (u < P::POSITIONS * P::PLANES)
        copy16(to + 16 * (u % P::PLANES * P::PLANE + u / P::PLANES), from + (valid ? (long)at[k] * 16 : 0), valid);
    }
    long slices = f.channels / (8 * P::PLANES);
    const char* w = (const char*)(term == 2 ? f.w_lo : f.w_hi) + (block * slices + slice) * weights * 16;
    if (++term == f.terms) term = 0, slice++;
    to += 16 * P::POSITION_UNITS;
    if (BULK) {
      if (threadIdx.x == 0) bulk_copy(to, w, weights * 16, arrivals + 8 * stage);
      return;
    }
#pragma unroll
    for (int k = 0; k < P::WEIGHT_COPIES; k++) {
      int u = threadIdx.x + k * P::THREADS;
      if (u < weights) copy16(to + 16 * u, w + u * 16, true);
    }
  }
};

// channel_of says which channel the weights' column n of a warp's N columns stands for:
// such that lane q of each four gets N/4 channels side by side.
__device__ __forceinline__ int channel_of(int n, int N) { return n % 8 / 2 * (N / 4) + n / 8 * 2 + n % 2; }

// pair packs two values as numbers N for a hi plane, and leaves what a lo plane must hold.
template <class N> __device__ __forceinline__ unsigned pair(float& a, float& b) {
  unsigned short x = N::narrow(a), y = N::narrow(b);
  a -= N::widen(x), b -= N::widen(y);
  return pack_pair(x, y);
}

// store writes 2·NT neighbours' values, 8 or 4 at a time, to planes of N.
template <class N, int NT> __device__ __forceinline__ void store(out_plane hi, out_plane lo, float (&v)[2 * NT]) {
  enum { WORDS = NT % 4 == 0 ? 4 : 2 };
#pragma unroll
  for (int g = 0; g < NT / WORDS; g++) {
    unsigned a[WORDS], b[WORDS];
#pragma unroll
    for (int i = 0; i < WORDS; i++) {
      float &x = v[2 * (g * WORDS + i)], &y = v[2 * (g * WORDS + i) + 1];
      a[i] = pair<N>(x, y), b[i] = pair<N>(x, y);
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
template <class N, int NT>
__device__ __forceinline__ void load(in_plane hi, in_plane lo, float scale, float (&v)[2 * NT]) {
#pragma unroll
  for (int i = 0; i < NT; i += 2) {
    float4 a = Planes<N>::unpack(*(const uint2*)(hi + 2 * i));
    v[2 * i] += scale * a.x, v[2 * i + 1] += scale * a.y, v[2 * i + 2] += scale * a.z, v[2 * i + 3] += scale * a.w;
    if (!lo) continue;
    a = Planes<N>::unpack(*(const uint2*)(lo + 2 * i));
    v[2 * i] += scale * a.x, v[2 * i + 1] += scale * a.y, v[2 * i + 2] += scale * a.z, v[2 * i + 3] += scale * a.w;
  }
}

// close_gate makes 0 what an activation does not let through.
template <int NT> __device__ __forceinline__ void close_gate(in_plane gate, float (&v)[2 * NT]) {
#pragma unroll
  for (int i = 0; i < NT; i += 2) {
    uint2 a = *(const uint2*)(gate + 2 * i);
    if (!above_zero(a.x & 0xffff)) v[2 * i] = 0;
    if (!above_zero(a.x >> 16)) v[2 * i + 1] = 0;
    if (!above_zero(a.y & 0xffff)) v[2 * i + 2] = 0;
    if (!above_zero(a.y >> 16)) v[2 * i + 3] = 0;
  }
}

// What follows the sums of a position's channels. Each names the numbers that are
// multiplied before, and whether the job's plus comes on top.

// there: bias and ReLU.
struct there_epilogue {
  typedef Binary Number;
  enum { PLUS = 0 };
  const float* bias;
  float scale; // of the weights, undone
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (x >= j.w || y >= j.h) return;
    long p = (y * j.w + x) * j.out + channel;
#pragma unroll
    for (int i = 0; i < 2 * NT; i++) {
      float s = fmaf(scale, v[i], bias[channel + i]);
      v[i] = s > 0 ? s : 0;
    }
    store<Binary, NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};

// tap: what comes on top of a gradient at an activation.
struct tap {
  const float *scale, *mean; // of plus, undone; may be 0
  in_plane delta_hi, delta_lo;
  float mean_scale, weight;
  // add does v = scale·v + mean_scale·mean + weight·delta.
  template <int NT> __device__ __forceinline__ void add(long p, int channel, float (&v)[2 * NT]) const {
    float s = scale ? *scale : 1.f;
#pragma unroll
    for (int i = 0; i < 2 * NT; i++) v[i] = mean ? fmaf(s, v[i], mean_scale * mean[channel + i]) : s * v[i];
    if (delta_hi) load<Binary, NT>(delta_hi + p, delta_lo ? delta_lo + p : 0, weight, v);
  }
};

// back: a tap on top of it if it is tapped, and the gate of the activation below.
struct back_epilogue {
  typedef Brain Number;
  enum { PLUS = 1 };
  tap on_top;
  __device__ __forceinline__ float plus_scale() const { return 1 / *on_top.scale; }
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (x >= j.w || y >= j.h) return;
    long p = (y * j.w + x) * j.out + channel;
    on_top.add<NT>(p, channel, v);
    if (j.gate) close_gate<NT>(j.gate + p, v);
    store<Brain, NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};

// core is the positions of a tile that count.
struct core {
  long x, y, w, h;
  __device__ __forceinline__ bool has(long cx, long cy) const { return cx >= x && cy >= y && cx < x + w && cy < y + h; }
};

// multiply: dst = M·src at the positions of a core.
struct multiply_epilogue {
  typedef Binary Number;
  enum { PLUS = 0 };
  core of;
  const float* scale; // of the matrix, undone
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (!of.has(x, y)) return;
    long p = (y * j.w + x) * j.out + channel;
#pragma unroll
    for (int i = 0; i < 2 * NT; i++) v[i] *= *scale;
    store<Binary, NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};

// add_tap: dst += m·tap at the positions of a core, then the gate.
struct tap_epilogue {
  typedef Binary Number;
  enum { PLUS = 0 };
  core of;
  tap on_top;
  const float* shares; // may be 0
  long pitch;
  template <int NT> __device__ __forceinline__ void at(const product_job& j, int x, int y, int channel, float (&v)[2 * NT]) const {
    if (x >= j.w || y >= j.h) return;
    long p = (y * j.w + x) * j.out + channel;
    if (of.has(x, y)) {
      on_top.add<NT>(p, channel, v);
      float m = shares ? shares[(y - of.y) * pitch + x - of.x] : 1.f;
#pragma unroll
      for (int i = 0; i < 2 * NT; i++) v[i] *= m;
    } else {
#pragma unroll
      for (int i = 0; i < 2 * NT; i++) v[i] = 0;
    }
    load<Brain, NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, 1, v);
    close_gate<NT>(j.gate + p, v);
    store<Brain, NT>(j.dst_hi + p, j.dst_lo ? j.dst_lo + p : 0, v);
  }
};

// The convolutions' kernels are told alike.
#define THERE_PARAMETERS                                                                                             \
  (in_plane src_hi, in_plane src_lo, in_plane w_hi, in_plane w_lo, const float* bias, double scale, out_plane dst_hi, \
   out_plane dst_lo, long h, long w, long in, long out, long terms, long stages)
#define THERE_JOB {{src_hi, src_lo, w_hi, w_lo, in, terms}, {}, dst_hi, dst_lo, 0, h, w, out}
#define THERE_EPILOGUE there_epilogue{bias, (float)scale}
#define BACK_PARAMETERS                                                                                              \
  (in_plane src_hi, in_plane src_lo, in_plane w_hi, in_plane w_lo, in_plane gate, out_plane dst_hi, out_plane dst_lo, \
   long h, long w, long in, long out, long terms, long stages, in_plane a_hi, in_plane a_lo, in_plane d_hi,          \
   in_plane d_lo, long d_terms, const float* scale, const float* mean, double mean_scale, in_plane delta_hi,         \
   in_plane delta_lo, double weight)
#define BACK_JOB                                                                                                     \
  {{src_hi, src_lo, w_hi, w_lo, in, terms}, {a_hi, a_lo, d_hi, d_lo, out, d_terms}, dst_hi, dst_lo, gate, h, w, out}
#define BACK_EPILOGUE                                                                                                \
  back_epilogue{{scale, mean, delta_hi, delta_lo, (float)mean_scale, (float)weight}}
