// Copies of one piece by the copy engine of sm_90, and the barriers in shared memory by
// which it says that they are there (PTX ISA 8.0, sections 9.7.8.24.6 and 9.7.12.15). On
// the test driver's host they are there at once.
#pragma once
#include "mma.cuh"

// arrivals_init makes n barriers of 8 bytes each. One thread calls it, before all meet.
__device__ __forceinline__ void arrivals_init(shared_t at, int n) {
#ifdef __CUDA_ARCH__
  for (int i = 0; i < n; i++) asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(at + 8 * i) : "memory");
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

// bulk_copy begins to copy bytes, a multiple of 16, into shared memory; one thread does
// it for all.
__device__ __forceinline__ void bulk_copy(shared_t dst, const char* src, int bytes, shared_t arrival) {
#ifdef __CUDA_ARCH__
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(arrival), "r"(bytes) : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
               ::"r"(dst), "l"(src), "r"(bytes), "r"(arrival) : "memory");
#else
  memcpy(dst, src, bytes);
#endif
}

// arrival_wait returns when the copy of a turn is there, turn the lowest bit of its
// number.
__device__ __forceinline__ void arrival_wait(shared_t arrival, unsigned turn) {
#ifdef __CUDA_ARCH__
  unsigned there = 0;
  while (!there)
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                 : "=r"(there) : "r"(arrival), "r"(turn) : "memory");
#endif
}
