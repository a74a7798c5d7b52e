// What kernels are written in: CUDA C++ that clang compiles for GPUs without a toolkit
// (device.cuh) and g++ for the test driver (../testdriver/host.h). Both give
//
//   KERNEL(name, (parameters)) { … }   every parameter 8 bytes wide: pointer, long, double
//   threadIdx, blockIdx, blockDim, gridDim, __device__, __forceinline__, __syncthreads
//   SHARED(type, name, n)              type name[n], shared by a block
//   SHARED_DYNAMIC(type, name)         type *name, as large as the launch asks for
//   warp_shuffle(v, lane), warp_xor(v, mask), warp_down(v, n), __syncwarp
//   float2, float4, uint2, uint4       aligned to their size
//   fmaf, sqrtf, rsqrtf, fabsf, floorf, fminf, fmaxf, min, max, fma, sqrt, fabs
//
// and test_target is true where the test driver's kernels are compiled.
#pragma once

#ifdef __CUDA_ARCH__
#include "device.cuh"
#else
#include "../testdriver/host.h"
#endif

// A warp's lanes.
enum { warp_size = 32 };
#define FULL_WARP 0xffffffffu

template <class T> __device__ __forceinline__ T min(T a, T b) { return b < a ? b : a; }
template <class T> __device__ __forceinline__ T max(T a, T b) { return a < b ? b : a; }
template <class T> __device__ __forceinline__ T __ldg(const T *p) { return *p; }

__device__ __forceinline__ float4 make_float4(float x, float y, float z, float w) {
  float4 v;
  v.x = x, v.y = y, v.z = z, v.w = w;
  return v;
}

// CUDA's own names of the warp's exchanges; the mask must name the whole warp.
template <class T> __device__ __forceinline__ T __shfl_sync(unsigned, T v, int lane) {
  return warp_shuffle(v, lane);
}
template <class T> __device__ __forceinline__ T __shfl_xor_sync(unsigned, T v, int mask) {
  return warp_xor(v, mask);
}
template <class T> __device__ __forceinline__ T __shfl_down_sync(unsigned, T v, int n) {
  return warp_down(v, n);
}

// The upper half of a float32: as wide in range, with 8 bits of mantissa.
typedef unsigned short bf16;

__device__ __forceinline__ float from_bf16(bf16 v) { return __uint_as_float((unsigned)v << 16); }

// to_bf16 rounds to the nearest, ties to even; NaN stays NaN.
__device__ __forceinline__ bf16 to_bf16(float v) {
  unsigned u = __float_as_uint(v);
  if ((u & 0x7fffffffu) > 0x7f800000u) return (bf16)(u >> 16 | 0x40);
  return (bf16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

// IEEE 754 binary16: 11 bits of mantissa, up to 65504 and, from 2⁻¹⁴ down, in steps of 2⁻²⁴.
typedef unsigned short fp16;

// to_fp16 rounds to the nearest, ties to even; what is too large becomes the largest.
__device__ __forceinline__ fp16 to_fp16(float v) {
  const float largest = 65504;
  return narrow_fp16(v > largest ? largest : v < -largest ? -largest : v);
}

// The two numbers that planes are made of.
struct Brain {
  static __device__ __forceinline__ float widen(unsigned short v) { return from_bf16(v); }
  static __device__ __forceinline__ unsigned short narrow(float v) { return to_bf16(v); }
};
struct Binary {
  static __device__ __forceinline__ float widen(unsigned short v) { return widen_fp16(v); }
  static __device__ __forceinline__ unsigned short narrow(float v) { return to_fp16(v); }
};

// Two numbers of one word: a in the lower half.
__device__ __forceinline__ unsigned pack_pair(unsigned short a, unsigned short b) { return a | (unsigned)b << 16; }

// Whether a number of either kind is above 0: the gate of a ReLU.
__device__ __forceinline__ bool above_zero(unsigned short v) { return (short)v > 0; }

// An activation or gradient of float32: the plane hi, and no lo.
struct F32 {
  float *v;

  __device__ __forceinline__ F32(const void *hi, const void *) : v((float *)hi) {}

  __device__ __forceinline__ float load(long i) const { return v[i]; }
  __device__ __forceinline__ void store(long i, float x) const { v[i] = x; }

  // Four values; i is a multiple of 4.
  __device__ __forceinline__ float4 load4(long i) const { return *(const float4 *)(v + i); }
  __device__ __forceinline__ void store4(long i, float4 x) const { *(float4 *)(v + i) = x; }

  // Whether the value is above 0: the gate of a ReLU.
  __device__ __forceinline__ bool open(long i) const { return v[i] > 0; }
};

// An activation or gradient of 16-bit numbers: hi, plus lo, what hi leaves of the value,
// unless lo is 0.
template <class N> struct Planes {
  unsigned short *hi, *lo;

  __device__ __forceinline__ Planes(const void *hi, const void *lo)
      : hi((unsigned short *)hi), lo((unsigned short *)lo) {}

  __device__ __forceinline__ float load(long i) const {
    float v = N::widen(hi[i]);
    return lo ? v + N::widen(lo[i]) : v;
  }

  __device__ __forceinline__ void store(long i, float x) const {
    unsigned short h = N::narrow(x);
    hi[i] = h;
    if (lo) lo[i] = N::narrow(x - N::widen(h));
  }

  // hi alone tells: it has the value's sign, and is 0 only where the value is, or nearly.
  __device__ __forceinline__ bool open(long i) const { return above_zero(hi[i]); }

  static __device__ __forceinline__ float4 unpack(uint2 u) {
    return make_float4(N::widen(u.x & 0xffff), N::widen(u.x >> 16), N::widen(u.y & 0xffff), N::widen(u.y >> 16));
  }

  static __device__ __forceinline__ uint2 pack(float4 v) {
    uint2 u;
    u.x = pack_pair(N::narrow(v.x), N::narrow(v.y));
    u.y = pack_pair(N::narrow(v.z), N::narrow(v.w));
    return u;
  }
};

// In the format split activations, whose range is known, are binary16, since they decide
// which ReLUs let through; gradients, which may be tiny, are bfloat16.
typedef Planes<Binary> Activation;
typedef Planes<Brain> Gradient;

// KERNELS defines name_f32 and name_split, which call the template name<F32> and
// name<Of>, Of being Activation or Gradient: KERNELS(relu, Activation, (void *hi, void *lo,
// long n), (hi, lo, n)).
#define KERNELS(name, Of, parameters, arguments)          \
  KERNEL(name##_f32, parameters) { name<F32> arguments; } \
  KERNEL(name##_split, parameters) { name<Of> arguments; }

// This thread's number among all of a launch in x.
__device__ __forceinline__ long thread_number() {
  return (long)blockIdx.x * blockDim.x + threadIdx.x;
}
