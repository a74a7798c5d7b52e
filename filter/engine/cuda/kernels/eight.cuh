// Eight channels of a position, which a thread of an elementwise kernel reads and writes
// together: 16 bytes of a plane of 16-bit numbers, twice 16 of float32.
#pragma once

#include "common.cuh"

enum { eight = 8 };

struct float8 { float v[eight]; };

__device__ __forceinline__ float8 make_float8(float4 a, float4 b) {
  float8 r;
  r.v[0] = a.x, r.v[1] = a.y, r.v[2] = a.z, r.v[3] = a.w;
  r.v[4] = b.x, r.v[5] = b.y, r.v[6] = b.z, r.v[7] = b.w;
  return r;
}

__device__ __forceinline__ float4 lower_half(const float8 &r) { return make_float4(r.v[0], r.v[1], r.v[2], r.v[3]); }
__device__ __forceinline__ float4 upper_half(const float8 &r) { return make_float4(r.v[4], r.v[5], r.v[6], r.v[7]); }

// i is a multiple of 8.
__device__ __forceinline__ float8 load8(const F32 &f, long i) { return make_float8(f.load4(i), f.load4(i + 4)); }
__device__ __forceinline__ void store8(const F32 &f, long i, const float8 &x) {
  f.store4(i, lower_half(x));
  f.store4(i + 4, upper_half(x));
}

template <class N> __device__ __forceinline__ float8 unpack8(uint4 u) {
  uint2 a, b;
  a.x = u.x, a.y = u.y, b.x = u.z, b.y = u.w;
  return make_float8(Planes<N>::unpack(a), Planes<N>::unpack(b));
}
template <class N> __device__ __forceinline__ uint4 pack8(const float8 &x) {
  uint2 a = Planes<N>::pack(lower_half(x)), b = Planes<N>::pack(upper_half(x));
  uint4 u;
  u.x = a.x, u.y = a.y, u.z = b.x, u.w = b.y;
  return u;
}

template <class N> __device__ __forceinline__ float8 load8(const Planes<N> &f, long i) {
  float8 x = unpack8<N>(*(const uint4 *)(f.hi + i));
  if (!f.lo) return x;
  float8 rest = unpack8<N>(*(const uint4 *)(f.lo + i));
#pragma unroll
  for (int k = 0; k < eight; k++) x.v[k] += rest.v[k];
  return x;
}
template <class N> __device__ __forceinline__ void store8(const Planes<N> &f, long i, const float8 &x) {
  uint4 u = pack8<N>(x);
  *(uint4 *)(f.hi + i) = u;
  if (!f.lo) return;
  float8 rest = unpack8<N>(u);
#pragma unroll
  for (int k = 0; k < eight; k++) rest.v[k] = x.v[k] - rest.v[k];
  *(uint4 *)(f.lo + i) = pack8<N>(rest);
}

// gate8 makes x 0 where the eight of an activation at i are not above 0.
__device__ __forceinline__ void gate8(float8 &x, const F32 &a, long i) {
  float8 r = load8(a, i);
#pragma unroll
  for (int k = 0; k < eight; k++) x.v[k] = r.v[k] > 0 ? x.v[k] : 0;
}
// hi alone tells.
__device__ __forceinline__ void gate8(float8 &x, const Activation &a, long i) {
  float8 r = unpack8<Binary>(*(const uint4 *)(a.hi + i));
#pragma unroll
  for (int k = 0; k < eight; k++) x.v[k] = r.v[k] > 0 ? x.v[k] : 0;
}
