// Kernels that test the test driver itself, and a GPU in the same way.
#include "../kernels/common.cuh"

// out[i] = a·x[i] + y, with what a launch is made of.
KERNEL(probe_scale, (float *out, const float *x, double a, double y, long n)) {
  long i = thread_number();
  if (i < n) out[i] = fmaf((float)a, x[i], (float)y);
}

// One sum a block of 256 threads: by shuffles in a warp, by shared memory between warps.
KERNEL(probe_sum, (double *sums, const float *x, long n)) {
  SHARED(double, partial, 8);
  double sum = 0;
  for (long i = thread_number(); i < n; i += (long)gridDim.x * blockDim.x) sum += x[i];
  for (int step = 16; step; step >>= 1) sum += __shfl_xor_sync(FULL_WARP, sum, step);
  if (threadIdx.x % warp_size == 0) partial[threadIdx.x / warp_size] = sum;
  __syncthreads();
  if (threadIdx.x) return;
  for (int i = 1; i < 8; i++) sum += partial[i];
  sums[blockIdx.x] = sum;
}

// Each block turns its part around through dynamic shared memory.
KERNEL(probe_turn, (float *x)) {
  SHARED_DYNAMIC(float, part);
  x += (long)blockIdx.x * blockDim.x;
  part[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = part[blockDim.x - 1 - threadIdx.x];
}

// Only some of a block reach the barrier, or of a warp the exchange.
KERNEL(probe_divergent, (long some)) {
  if (threadIdx.x < some) __syncthreads();
}
KERNEL(probe_divergent_warp, (long some)) {
  if (threadIdx.x < some) __syncwarp();
}
