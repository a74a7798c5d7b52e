// Sums over a block, in an order that depends on nothing.
#pragma once

#include "common.cuh"

// Most threads of a block that sums.
enum { most_summed = 256 };

// sum_threads adds up one value of each thread of a block; thread 0 gets the sum. All
// threads must call it.
__device__ __forceinline__ double sum_threads(double mine) {
  SHARED(double, all, most_summed);
  unsigned t = threadIdx.y * blockDim.x + threadIdx.x, n = blockDim.x * blockDim.y;
  all[t] = mine;
  __syncthreads();
  double s = 0;
  if (t < warp_size)
    for (unsigned i = t; i < n; i += warp_size) s += all[i];
  __syncthreads();
  if (t < warp_size) all[t] = s;
  __syncthreads();
  if (t == 0)
    for (unsigned i = 1; i < warp_size && i < n; i++) s += all[i];
  return s;
}

// sum_block writes the sum to partial[number of the block].
__device__ __forceinline__ void sum_block(double mine, double *partial) {
  double s = sum_threads(mine);
  if (threadIdx.x == 0 && threadIdx.y == 0)
    partial[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = s;
}
