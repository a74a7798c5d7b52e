// The kernels' language for the test driver: a kernel is a C++ function, called once for
// each thread of a block. Each call runs on a stack of its own (fiber.h), so that it can
// wait for the rest of its block or warp.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "block.h"

#define __global__
#define __device__
#define __shared__ "use SHARED"
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

constexpr bool test_target = true;

struct __align__(8) float2 { float x, y; };
struct __align__(16) float4 { float x, y, z, w; };
struct __align__(8) uint2 { unsigned x, y; };
struct __align__(16) uint4 { unsigned x, y, z, w; };

#define threadIdx (block_of_thread->thread)
#define blockIdx (block_of_thread->index)
#define blockDim (block_of_thread->size)
#define gridDim (block_of_thread->grid)

static inline unsigned __float_as_uint(float v) {
  unsigned u;
  memcpy(&u, &v, sizeof u);
  return u;
}
static inline float __uint_as_float(unsigned u) {
  float v;
  memcpy(&v, &u, sizeof v);
  return v;
}
static inline float rsqrtf(float v) { return 1 / std::sqrt(v); }

static inline unsigned short narrow_fp16(float v) {
  _Float16 h = (_Float16)v;
  unsigned short u;
  memcpy(&u, &h, sizeof u);
  return u;
}
static inline float widen_fp16(unsigned short u) {
  _Float16 h;
  memcpy(&h, &u, sizeof h);
  return (float)h;
}

static inline void __syncthreads() { block_of_thread->wait_for_block(); }

static inline int lane_number() { return block_of_thread->lane(); }

// warp_together has f change the values of a warp's 32 lanes, once for them all, and
// returns what became of this lane's. All lanes must call it.
template <class T, void (*f)(T (&all)[32])> static inline T warp_together(T mine) {
  static_assert(sizeof(T) <= Block::most_exchanged && std::is_trivially_copyable_v<T>);
  auto *all = (const T *)block_of_thread->exchange(&mine, sizeof mine, [](void *values) { f(*(T(*)[32])values); });
  return all[lane_number()];
}

static inline void __syncwarp(unsigned = ~0u) { block_of_thread->exchange(nullptr, 0); }

template <class T> static inline T warp_shuffle(T v, int lane) {
  static_assert(sizeof(T) <= Block::most_exchanged && std::is_trivially_copyable_v<T>);
  const char *values = block_of_thread->exchange(&v, sizeof v);
  memcpy(&v, values + (lane & 31) * sizeof v, sizeof v);
  return v;
}
template <class T> static inline T warp_xor(T v, int mask) {
  return warp_shuffle(v, lane_number() ^ mask);
}
template <class T> static inline T warp_down(T v, int n) {
  int lane = lane_number();
  return warp_shuffle(v, lane + n < 32 ? lane + n : lane);
}

#define SHARED(type, name, n)  \
  static const char name##_site = 0; \
  type *const name = (type *)block_of_thread->shared(&name##_site, sizeof(type) * (n))
#define SHARED_DYNAMIC(type, name) type *name = (type *)block_of_thread->dynamic

template <class... P> constexpr int count(void (*)(P...)) {
  static_assert(((sizeof(P) == 8) && ...), "every parameter is 8 bytes wide");
  return sizeof...(P);
}

template <class... P, size_t... I>
static inline void call(void (*kernel)(P...), void **values, std::index_sequence<I...>) {
  kernel(*(P *)values[I]...);
}
template <class... P> static inline void call(void (*kernel)(P...), void **values) {
  call(kernel, values, std::index_sequence_for<P...>{});
}

#define KERNEL(name, parameters)                                                      \
  static void name parameters;                                                        \
  static const Registered name##_registered(#name, count(name), [](void **values) { call(name, values); }); \
  static void name parameters
#define KERNEL_BOUNDED(name, threads, blocks, parameters) KERNEL(name, parameters)
