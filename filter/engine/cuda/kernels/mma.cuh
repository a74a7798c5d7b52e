// Tensor cores of sm_80 and later: mma.sync on 16-bit numbers with float32 sums, ldmatrix and
// cp.async (PTX ISA 7.0, sections 9.7.13.4, 9.7.13.4.15 and 9.7.8.22). On the test
// driver's host the lanes of a warp hand each other what they hold.
#pragma once
#include "common.cuh"

#ifndef __CUDA_ARCH__
typedef char* shared_t; // where something is in shared memory
static inline shared_t shared_address(void* p) { return (char*)p; }
#else
typedef unsigned shared_t;
__device__ __forceinline__ shared_t shared_address(void* p) {
  unsigned a;
  asm("{ .reg .u64 t; cvta.to.shared.u64 t, %1; cvt.u32.u64 %0, t; }" : "=r"(a) : "l"(p));
  return a;
}
#endif

template <class A, class B> constexpr bool same = false;
template <class A> constexpr bool same<A, A> = true;

__device__ __forceinline__ uint2 make_uint2(unsigned x, unsigned y) {
  uint2 v;
  v.x = x, v.y = y;
  return v;
}

__device__ __forceinline__ uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
  uint4 v;
  v.x = x, v.y = y, v.z = z, v.w = w;
  return v;
}

// put16 stores 8 values into shared memory.
__device__ __forceinline__ void put16(shared_t dst, const unsigned short (&v)[8]) {
  unsigned w[4];
#pragma unroll
  for (int i = 0; i < 4; i++) w[i] = pack_pair(v[2 * i], v[2 * i + 1]);
#ifdef __CUDA_ARCH__
  asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(dst), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]) : "memory");
#else
  memcpy(dst, w, 16);
#endif
}

// copy16 begins to copy 16 bytes into shared memory; without valid it writes zeros and
// reads nothing.
__device__ __forceinline__ void copy16(shared_t dst, const void* src, bool valid) {
#ifndef __CUDA_ARCH__
  if (valid) memcpy(dst, src, 16);
  else memset(dst, 0, 16);
#else
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(dst), "l"(src), "r"(bytes) : "memory");
#endif
}

__device__ __forceinline__ void copies_commit() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// copies_wait returns when at most pending of the groups committed are not done.
template <int pending> __device__ __forceinline__ void copies_wait() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

#ifndef __CUDA_ARCH__
struct rows_and_results { char* row; unsigned results[4]; };

template <bool transposed> void read_matrices(rows_and_results (&all)[32]) {
  for (int lane = 0; lane < 32; lane++)
    for (int m = 0; m < 4; m++) {
      unsigned short pair[2];
      for (int e = 0; e < 2; e++) {
        int row = lane / 4, column = lane % 4 * 2 + e;
        if (transposed) row = column, column = lane / 4;
        memcpy(&pair[e], all[8 * m + row].row + 2 * column, 2);
      }
      all[lane].results[m] = pack_pair(pair[0], pair[1]);
    }
}
#endif

// load_matrices reads four 8×8 matrices of 16 bits: lane 8i+r names the 16 bytes of row
// r of matrix i, and gets of each matrix elements 2(lane%4) and +1 of row lane/4.
// transposed: of its transpose.
template <bool transposed> __device__ __forceinline__ void load_matrices(unsigned (&r)[4], shared_t row) {
#ifndef __CUDA_ARCH__
  memcpy(r, warp_together<rows_and_results, read_matrices<transposed>>({row, {}}).results, sizeof r);
#else
  if (transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row) : "memory");
#endif
}

#ifndef __CUDA_ARCH__
struct operands { unsigned a[4], b[2]; float d[4]; };

template <class N> void multiply_matrices(operands (&all)[32]) {
  float a[16][16], b[16][8]; // row, k; k, column
  for (int lane = 0; lane < 32; lane++) {
    const operands& held = all[lane];
    int row = lane / 4, k = lane % 4 * 2;
    for (int i = 0; i < 4; i++)
      for (int e = 0; e < 2; e++) a[row + i % 2 * 8][k + i / 2 * 8 + e] = N::widen(held.a[i] >> 16 * e);
    for (int i = 0; i < 2; i++)
      for (int e = 0; e < 2; e++) b[k + i * 8 + e][row] = N::widen(held.b[i] >> 16 * e);
  }
  for (int row = 0; row < 16; row++) {
    float sum[8] = {};
    for (int k = 0; k < 16; k++)
      for (int n = 0; n < 8; n++) sum[n] += a[row][k] * b[k][n];
    for (int n = 0; n < 8; n++) all[row % 8 * 4 + n / 2].d[row / 8 * 2 + n % 2] += sum[n];
  }
}
#endif

// multiply_add does d += a·b for a 16×16 a, a 16×8 b and a 16×8 d: lane l holds of d
// the columns 2(l%4) and +1 of row l/4, then those of row l/4+8. a and b are of N.
template <class N> __device__ __forceinline__ void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifndef __CUDA_ARCH__
  operands mine;
  memcpy(mine.a, a, sizeof a);
  memcpy(mine.b, b, sizeof b);
  memcpy(mine.d, d, sizeof d);
  memcpy(d, warp_together<operands, multiply_matrices<N>>(mine).d, sizeof d);
#else
#define MMA(type)                                                                                                  \
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type                                              \
               ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                                        \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
  if (same<N, Brain>) MMA("bf16");
  else MMA("f16");
#undef MMA
#endif
}
