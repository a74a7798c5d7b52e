// Operations on vectors and pictures of float32: what an optimiser does beside
// evaluating the network. Vectors of any length and alignment.
#include "common.cuh"
#include "sum.cuh"

// Whether 16 bytes at a time can be read at p.
__device__ __forceinline__ bool aligned(const void *p) { return ((unsigned long)p & 15) == 0; }

// All threads of a launch in x.
__device__ __forceinline__ long thread_count() { return (long)gridDim.x * blockDim.x; }

struct Multiple {
  double by;
  const float *of;
};

// y = Σ by·of of count multiples; y may be one of them. Wide: all are aligned.
KERNEL(vector_combine, (float *y, const Multiple *sum, long count, long wide, long n)) {
  long i = thread_number();
  if (wide) {
    for (; i < n / 4; i += thread_count()) {
      float4 s = make_float4(0, 0, 0, 0);
#pragma unroll 4
      for (long j = 0; j < count; j++) {
        float by = sum[j].by;
        float4 u = ((const float4 *)sum[j].of)[i];
        s = make_float4(fmaf(by, u.x, s.x), fmaf(by, u.y, s.y), fmaf(by, u.z, s.z), fmaf(by, u.w, s.w));
      }
      ((float4 *)y)[i] = s;
    }
    i = n / 4 * 4 + thread_number();
  }
  for (; i < n; i += thread_count()) {
    float s = 0;
    for (long j = 0; j < count; j++) s = fmaf((float)sum[j].by, sum[j].of[i], s);
    y[i] = s;
  }
}

// All threads of a launch in y, and the number of this one, where x of the block is another
// number.
__device__ __forceinline__ long column_count() { return (long)gridDim.y * blockDim.x; }
__device__ __forceinline__ long column_number() { return (long)blockIdx.y * blockDim.x + threadIdx.x; }

struct Pair {
  const float *a, *b;
};

// partial[y·pairs + x] = Σ a·b of the elements that blocks of that y have, of pair x. Blocks
// of one y run at about the same time: what their pairs share is in the L2 cache.
KERNEL(vector_dots, (const Pair *pairs, long n, double *partial)) {
  const float *a = pairs[blockIdx.x].a, *b = pairs[blockIdx.x].b;
  double s = 0;
  long i = column_number();
  if (aligned(a) && aligned(b)) {
    for (; i < n / 4; i += column_count()) {
      float4 u = ((const float4 *)a)[i], v = ((const float4 *)b)[i];
      s = fma((double)u.x, (double)v.x, s);
      s = fma((double)u.y, (double)v.y, s);
      s = fma((double)u.z, (double)v.z, s);
      s = fma((double)u.w, (double)v.w, s);
    }
    i = n / 4 * 4 + column_number();
  }
  for (; i < n; i += column_count()) s = fma((double)a[i], (double)b[i], s);
  sum_block(s, partial);
}

// out[b] = scale · Σ of n partial sums, those of block b, which are as many apart as there
// are blocks.
KERNEL(sum_partials, (const double *partial, long n, double scale, double *out)) {
  double s = 0;
  for (long i = threadIdx.x; i < n; i += blockDim.x) s += partial[i * gridDim.x + blockIdx.x];
  s = sum_threads(s);
  if (threadIdx.x == 0) out[blockIdx.x] = scale * s;
}

// The numbers of one step of Adam; gain is 1 − β, correct 1/(1 − βᵗ).
struct Adam {
  float rate, beta1, gain1, correct1, beta2, gain2, correct2, epsilon, average;
  bool clamp;

  __device__ __forceinline__ void step(float &x, float &m, float &v, float g) const {
    m = fmaf(beta1, m, gain1 * g);
    v = fmaf(beta2, v, gain2 * g * g);
    x -= rate * (m * correct1) / (sqrtf(v * correct2) + epsilon);
    if (clamp) x = fminf(fmaxf(x, 0), 1);
  }

  // With average 0 whatever mean held.
  __device__ __forceinline__ float mean(float mean, float x) const {
    return average == 0 ? x : fmaf(average, mean, (1 - average) * x);
  }
};

// mean may be 0.
KERNEL(vector_adam, (float *x, float *m, float *v, float *mean, const float *dx, long n,
                     double rate, double beta1, double gain1, double correct1,
                     double beta2, double gain2, double correct2,
                     double epsilon, double average, long clamp)) {
  Adam a = {(float)rate,  (float)beta1, (float)gain1,    (float)correct1, (float)beta2,
            (float)gain2, (float)correct2, (float)epsilon, (float)average,  clamp != 0};
  long i = thread_number();
  if (aligned(x) && aligned(m) && aligned(v) && aligned(mean) && aligned(dx)) {
    for (; i < n / 4; i += thread_count()) {
      float4 xi = ((float4 *)x)[i], mi = ((float4 *)m)[i], vi = ((float4 *)v)[i];
      float4 g = ((const float4 *)dx)[i];
      a.step(xi.x, mi.x, vi.x, g.x);
      a.step(xi.y, mi.y, vi.y, g.y);
      a.step(xi.z, mi.z, vi.z, g.z);
      a.step(xi.w, mi.w, vi.w, g.w);
      ((float4 *)x)[i] = xi, ((float4 *)m)[i] = mi, ((float4 *)v)[i] = vi;
      if (mean) {
        float4 u = ((float4 *)mean)[i];
        ((float4 *)mean)[i] = make_float4(a.mean(u.x, xi.x), a.mean(u.y, xi.y),
                                          a.mean(u.z, xi.z), a.mean(u.w, xi.w));
      }
    }
    i = n / 4 * 4 + thread_number();
  }
  for (; i < n; i += thread_count()) {
    a.step(x[i], m[i], v[i], dx[i]);
    if (mean) mean[i] = a.mean(mean[i], x[i]);
  }
}

// The weight of sample k of ⌈n/2⌉ in sample i of n (engine.EnlargeTaps), from integers:
// i lies at ((2i+1)·m − n)/2n.
__device__ __forceinline__ float enlarge_weight(long i, long k, long n) {
  long m = (n + 1) / 2, at = (2 * i + 1) * m - n, last = 2 * n * (m - 1);
  if (k < 0 || k >= m) return 0;
  at = at < 0 ? 0 : at > last ? last : at;
  long off = 2 * n * k - at;
  off = off < 0 ? -off : off;
  return off < 2 * n ? (float)(2 * n - off) / (float)(2 * n) : 0;
}

// dst = base + a·E·low, one thread for each sample, z the plane.
KERNEL(picture_enlarge, (float *dst, const float *base, double a, const float *low, long w, long h)) {
  long x = thread_number(), y = (long)blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  long n = (w + 1) / 2, m = (h + 1) / 2;
  low += blockIdx.z * m * n;
  float sum = 0;
  for (long ky = y / 2 - 1; ky <= y / 2 + 1; ky++) {
    float wy = enlarge_weight(y, ky, h);
    if (wy == 0) continue;
    float row = 0;
    for (long kx = x / 2 - 1; kx <= x / 2 + 1; kx++) {
      float wx = enlarge_weight(x, kx, w);
      if (wx != 0) row = fmaf(wx, low[ky * n + kx], row);
    }
    sum = fmaf(wy, row, sum);
  }
  long i = (blockIdx.z * h + y) * w + x;
  dst[i] = fmaf((float)a, sum, base[i]);
}

// dlow = Eᵀ·d, one thread for each sample of dlow, which gathers those it is part of.
KERNEL(picture_enlarge_adjoint, (float *dlow, const float *d, long w, long h)) {
  long n = (w + 1) / 2, m = (h + 1) / 2;
  long kx = thread_number(), ky = (long)blockIdx.y * blockDim.y + threadIdx.y;
  if (kx >= n || ky >= m) return;
  d += blockIdx.z * h * w;
  float wx[6];
  for (int i = 0; i < 6; i++) {
    long x = 2 * kx - 2 + i;
    wx[i] = x < 0 || x >= w ? 0 : enlarge_weight(x, kx, w);
  }
  float sum = 0;
  for (long y = max(2 * ky - 2, 0l); y <= min(2 * ky + 3, h - 1); y++) {
    float wy = enlarge_weight(y, ky, h);
    if (wy == 0) continue;
    float row = 0;
    for (int i = 0; i < 6; i++)
      if (wx[i] != 0) row = fmaf(wx[i], d[y * w + 2 * kx - 2 + i], row);
    sum = fmaf(wy, row, sum);
  }
  dlow[(blockIdx.z * m + ky) * n + kx] = sum;
}

// partial[block] = Σ of squared differences between neighbours, and dx += k times the
// half of its gradient; by pairs of mask unless that is 0. A block has rows·blockDim.y
// rows, z is the plane.
KERNEL(picture_tv, (float *dx, const float *x, const float *mask, long w, long h, long rows,
                    double k, double *partial)) {
  x += blockIdx.z * h * w, dx += blockIdx.z * h * w;
  double sum = 0;
  long j = thread_number(), y = (long)blockIdx.y * rows * blockDim.y + threadIdx.y;
  for (long r = 0; j < w && r < rows && y < h; r++, y += blockDim.y) {
    long i = y * w + j;
    float at = x[i], own = mask ? mask[i] : 1, s = 0, g = 0;
    if (j > 0) g += own * (mask ? mask[i - 1] : 1) * (at - x[i - 1]);
    if (y > 0) g += own * (mask ? mask[i - w] : 1) * (at - x[i - w]);
    if (j + 1 < w) {
      float e = x[i + 1] - at, pair = own * (mask ? mask[i + 1] : 1);
      s += pair * e * e;
      g -= pair * e;
    }
    if (y + 1 < h) {
      float e = x[i + w] - at, pair = own * (mask ? mask[i + w] : 1);
      s += pair * e * e;
      g -= pair * e;
    }
    sum += s;
    dx[i] = fmaf((float)k, g, dx[i]);
  }
  sum_block(sum, partial);
}

// partial[block] = Σ of squared distances from [0,1], and dx += k times the half of its
// gradient.
KERNEL(picture_gamut, (float *dx, const float *x, long n, double k, double *partial)) {
  double sum = 0;
  for (long i = thread_number(); i < n; i += thread_count()) {
    float z = x[i] - fminf(fmaxf(x[i], 0), 1);
    sum = fma((double)z, (double)z, sum);
    dx[i] = fmaf((float)k, z, dx[i]);
  }
  sum_block(sum, partial);
}

// partial[block] = Σ weight·‖x − prior‖², and dx += k times the half of its gradient; p
// pixels of three planes.
KERNEL(picture_prior, (float *dx, const float *x, const float *prior, const float *weight, long p,
                       double k, double *partial)) {
  double sum = 0;
  for (long i = thread_number(); i < p; i += thread_count()) {
    float wi = weight[i], s = 0;
    for (int c = 0; c < 3; c++) {
      long at = c * p + i;
      float d = x[at] - prior[at], wd = wi * d;
      s = fmaf(wd, d, s);
      dx[at] = fmaf((float)k, wd, dx[at]);
    }
    sum += s;
  }
  sum_block(sum, partial);
}
