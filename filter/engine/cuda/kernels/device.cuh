// The kernels' language for GPUs, from clang's builtins alone.
#pragma once

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict

#define KERNEL(name, parameters) extern "C" __global__ void name parameters
#define KERNEL_BOUNDED(name, threads, blocks, parameters) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name parameters
#define SHARED(type, name, n) __shared__ type name[n]

// 1024 bytes are what the tensor memory accelerator's swizzle asks for.
extern __shared__ __align__(1024) char dynamic_shared_memory[];
#define SHARED_DYNAMIC(type, name) type *name = (type *)dynamic_shared_memory

constexpr bool test_target = false;

#define SPECIAL(name, axis) \
  static __device__ unsigned get_##axis() { return __nvvm_read_ptx_sreg_##name##_##axis(); } \
  __declspec(property(get = get_##axis)) unsigned axis
#define SPECIALS(variable, name) \
  struct variable##_t { SPECIAL(name, x); SPECIAL(name, y); SPECIAL(name, z); }; \
  extern const __device__ variable##_t variable
SPECIALS(threadIdx, tid);
SPECIALS(blockIdx, ctaid);
SPECIALS(blockDim, ntid);
SPECIALS(gridDim, nctaid);
#undef SPECIALS
#undef SPECIAL

struct __align__(8) float2 { float x, y; };
struct __align__(16) float4 { float x, y, z, w; };
struct __align__(8) uint2 { unsigned x, y; };
struct __align__(16) uint4 { unsigned x, y, z, w; };

static __device__ __forceinline__ unsigned __float_as_uint(float v) { return __nvvm_bitcast_f2i(v); }
static __device__ __forceinline__ float __uint_as_float(unsigned v) { return __nvvm_bitcast_i2f(v); }
static __device__ __forceinline__ float fmaf(float a, float b, float c) { return __nvvm_fma_rn_f(a, b, c); }
static __device__ __forceinline__ float sqrtf(float v) { return __nvvm_sqrt_rn_f(v); }
static __device__ __forceinline__ float rsqrtf(float v) { return __nvvm_rsqrt_approx_f(v); }
static __device__ __forceinline__ float fabsf(float v) { return __nvvm_fabs_f(v); }
static __device__ __forceinline__ float floorf(float v) { return __nvvm_floor_f(v); }
static __device__ __forceinline__ float fminf(float a, float b) { return __nvvm_fmin_f(a, b); }
static __device__ __forceinline__ float fmaxf(float a, float b) { return __nvvm_fmax_f(a, b); }
static __device__ __forceinline__ double fma(double a, double b, double c) { return __nvvm_fma_rn_d(a, b, c); }
static __device__ __forceinline__ double sqrt(double v) { return __nvvm_sqrt_rn_d(v); }
static __device__ __forceinline__ double fabs(double v) { return __nvvm_fabs_d(v); }

static __device__ __forceinline__ unsigned short narrow_fp16(float v) {
  unsigned short r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(v));
  return r;
}
static __device__ __forceinline__ float widen_fp16(unsigned short v) {
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(v));
  return r;
}

// A value of 4 or 8 bytes is exchanged as one or two words.
template <class T, class Exchange>
static __device__ __forceinline__ T by_words(T v, Exchange exchange) {
  static_assert(sizeof(T) % 4 == 0, "whole words");
  union { T value; int word[sizeof(T) / 4]; } u;
  u.value = v;
#pragma unroll
  for (unsigned i = 0; i < sizeof(T) / 4; i++) u.word[i] = exchange(u.word[i]);
  return u.value;
}
template <class T> static __device__ __forceinline__ T warp_shuffle(T v, int lane) {
  return by_words(v, [=] __attribute__((device)) (int w) { return __nvvm_shfl_sync_idx_i32(~0u, w, lane, 31); });
}
template <class T> static __device__ __forceinline__ T warp_xor(T v, int mask) {
  return by_words(v, [=] __attribute__((device)) (int w) { return __nvvm_shfl_sync_bfly_i32(~0u, w, mask, 31); });
}
template <class T> static __device__ __forceinline__ T warp_down(T v, int n) {
  return by_words(v, [=] __attribute__((device)) (int w) { return __nvvm_shfl_sync_down_i32(~0u, w, n, 31); });
}
static __device__ __forceinline__ void __syncwarp() { __nvvm_bar_warp_sync(~0u); }
