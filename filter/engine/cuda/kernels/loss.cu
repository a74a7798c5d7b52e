// The style loss of one tap, Δ = Target − Gram and −MΔM of it, δ = TargetMean − Mean and
// −Mδ of it, without its moments leaving the device (engine.Term).
#include "common.cuh"
#include "sum.cuh"

// delta = target − scale·gram, n×n in rows. gram holds float64 in rows of pitch, of which
// those right of the diagonal count.
KERNEL(style_delta, (float *delta, const float *target, const double *gram, long n, long pitch, double scale)) {
  for (long i = thread_number(); i < n * n; i += (long)gridDim.x * blockDim.x) {
    long row = min(i / n, i % n), column = max(i / n, i % n);
    delta[i] = (float)(target[i] - scale * gram[row * pitch + column]);
  }
}

// grad = scale·(product + productᵀ)/2, the same on both sides of the diagonal to the bit,
// and partial[block] = Σ of its unscaled elements times delta's: tr(MΔM·Δ).
KERNEL(style_gradient, (float *grad, const float *product, const float *delta, long n, double scale,
                        double *partial)) {
  double sum = 0;
  for (long i = thread_number(); i < n * n; i += (long)gridDim.x * blockDim.x) {
    float v = (product[i] + product[i % n * n + i / n]) / 2;
    sum = fma((double)v, (double)delta[i], sum);
    grad[i] = (float)(scale * v);
  }
  sum_block(sum, partial);
}

// grad = −weight·M·δ, δ = target − scale·means, of n channels, and value = δᵀMδ, by one
// block. metric 0: M is the identity.
KERNEL(mean_gradient, (float *grad, const float *target, const float *metric, const double *means, long n,
                       double scale, double weight, double *value)) {
  double sum = 0;
  for (long i = threadIdx.x; i < n; i += blockDim.x) {
    double own = target[i] - scale * means[i], m = own;
    if (metric) {
      m = 0;
      for (long j = 0; j < n; j++) m = fma((double)metric[j * n + i], target[j] - scale * means[j], m);
    }
    grad[i] = (float)(-weight * m);
    sum = fma(own, m, sum);
  }
  sum = sum_threads(sum);
  if (threadIdx.x == 0) *value = sum;
}

// Sides of a block's part of the product, of what it multiplies at a time, and of a
// thread's part.
enum { product_side = 32, product_depth = 32, thread_rows = 4, thread_columns = 2 };

// c = aᵀ·b, all n×n in rows, by blocks of 16×8 threads.
KERNEL(matrix_product, (float *c, const float *a, const float *b, long n)) {
  SHARED(float, as, product_depth * product_side);
  SHARED(float, bs, product_depth * product_side);
  long row = (long)blockIdx.y * product_side, column = (long)blockIdx.x * product_side;
  int x = threadIdx.x, y = threadIdx.y, t = y * blockDim.x + x;
  float sum[thread_rows][thread_columns] = {};
  for (long k = 0; k < n; k += product_depth) {
    for (int i = t; i < product_depth * product_side; i += blockDim.x * blockDim.y) {
      long from = k + i / product_side, r = row + i % product_side, s = column + i % product_side;
      as[i] = from < n && r < n ? a[from * n + r] : 0;
      bs[i] = from < n && s < n ? b[from * n + s] : 0;
    }
    __syncthreads();
    for (int q = 0; q < product_depth; q++)
#pragma unroll
      for (int i = 0; i < thread_rows; i++)
#pragma unroll
        for (int j = 0; j < thread_columns; j++)
          sum[i][j] = fmaf(as[q * product_side + y * thread_rows + i],
                           bs[q * product_side + x * thread_columns + j], sum[i][j]);
    __syncthreads();
  }
  for (int i = 0; i < thread_rows; i++)
    for (int j = 0; j < thread_columns; j++) {
      long r = row + y * thread_rows + i, s = column + x * thread_columns + j;
      if (r < n && s < n) c[r * n + s] = sum[i][j];
    }
}
