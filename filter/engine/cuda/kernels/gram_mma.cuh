// Gram matrices on tensor cores: Σ_p m_p a_p a_pᵀ in tiles of 64×64 channels, the
// positions of a core shared out to blocks of fixed parts, whose sums are added up in
// float64 in their order. With both planes hi·hi + hi·lo + lo·hi.
#pragma once
#include "mma.cuh"

enum {
  GRAM_TILE = 64, GRAM_SLICE = 64, // channels, positions in shared memory
  GRAM_PLANE = GRAM_SLICE + 1,     // units of 8 channels: neighbours' copies meet no bank twice
  GRAM_OPERAND = 8 * GRAM_PLANE,   // units
  GRAM_THREADS = 128, GRAM_STAGES = 2
};

struct gram_job {
  const bf16 *hi, *lo;
  const float* shares;
  long pitch, x, y, w, h, width, c, from, to; // this block's positions of the core
};

// gram_copy brings a slice of 64 channels from first on into shared memory; weighed:
// times the shares. Channels and positions beyond the ends are 0.
static __device__ __forceinline__ void gram_copy(const gram_job& j, shared_t hi, shared_t lo, long at, int first, bool weighed) {
#pragma unroll
  for (int k = 0; k < GRAM_SLICE * 8 / GRAM_THREADS; k++) {
    int u = threadIdx.x + k * GRAM_THREADS, plane = u % 8, p = u / 8;
    long q = at + p;
    bool valid = q < j.to && first + 8 * plane < j.c;
    long y = valid ? q / j.w : 0, x = valid ? q % j.w : 0;
    long from = valid ? ((y + j.y) * j.width + x + j.x) * j.c + first + 8 * plane : 0;
    long to = 16 * (plane * GRAM_PLANE + p);
    if (!weighed) {
      copy16(hi + to, j.hi + from, valid);
      if (j.lo) copy16(lo + to, j.lo + from, valid);
      continue;
    }
    float m = valid ? j.shares[y * j.pitch + x] : 0.f;
    bf16 a[8], b[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
      float v = valid ? m * (from_bf16(j.hi[from + i]) + (j.lo ? from_bf16(j.lo[from + i]) : 0.f)) : 0.f;
      a[i] = to_bf16(v), b[i] = to_bf16(v - from_bf16(a[i]));
    }
    put16(hi + to, a);
    if (j.lo) put16(lo + to, b);
  }
}

// gram_operand reads 16 channels × 16 positions, for a (rows are channels) or, pairs
// exchanged, for two of b.
static __device__ __forceinline__ void gram_operand(unsigned (&r)[4], shared_t from, int channel, int position, bool b) {
  int lane = threadIdx.x % 32, m = lane / 8;
  int plane = channel / 8 + (b ? m / 2 : m % 2), p = position + (b ? m % 2 : m / 2) * 8 + lane % 8;
  load_matrices<true>(r, from + 16 * (plane * GRAM_PLANE + p));
}

// gram_tile: block (tile, part) writes its sums to partial[(part·tiles + tile)·64·64],
// and on the diagonal the sums of values to sums[part·c + channel].
KERNEL_BOUNDED(gram_split, GRAM_THREADS, 3,
            (const bf16* hi, const bf16* lo, const float* shares, long pitch, long x, long y, long w, long h, long width,
             long c, long length, float* partial, float* sums)) {
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  gram_job j = {hi, lo, shares, pitch, x, y, w, h, width, c, 0, 0};
  j.from = blockIdx.y * length, j.to = j.from + length < w * h ? j.from + length : w * h;
  int row = 0, column = blockIdx.x, across = (int)((c + GRAM_TILE - 1) / GRAM_TILE);
  while (column >= across - row) column -= across - row, row++;
  column += row;
  bool same = row == column && !shares; // one operand does for both
  int planes = lo ? 2 : 1, operand = 16 * GRAM_OPERAND * planes, stage = same ? operand : 2 * operand;

  float d[2][4][4] = {}, s[2][4] = {};
  const unsigned ones[2] = {0x3f803f80, 0x3f803f80};
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, top = warp / 2 * 32, left = warp % 2 * 32;
  long slices = (j.to - j.from + GRAM_SLICE - 1) / GRAM_SLICE;
  auto copy = [&](long slice) __attribute__((always_inline)) {
    shared_t to = base + (int)(slice % GRAM_STAGES) * stage;
    gram_copy(j, to, to + 16 * GRAM_OPERAND, j.from + slice * GRAM_SLICE, row * GRAM_TILE, shares != 0);
    if (!same) gram_copy(j, to + operand, to + operand + 16 * GRAM_OPERAND, j.from + slice * GRAM_SLICE, column * GRAM_TILE, false);
  };
  if (slices > 0) copy(0);
  copies_commit();
  for (long slice = 0; slice < slices; slice++) {
    copies_wait<0>();
    __syncthreads();
    if (slice + 1 < slices) copy(slice + 1);
    copies_commit();
    shared_t a = base + (int)(slice % GRAM_STAGES) * stage, b = same ? a : a + operand;
#pragma unroll
    for (int position = 0; position < GRAM_SLICE; position += 16) {
      for (int term = 0; term < (lo ? 3 : 1); term++) {
        unsigned u[2][4], v[2][4];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          gram_operand(u[i], term == 1 ? a + 16 * GRAM_OPERAND : a, top + 16 * i, position, false);
          gram_operand(v[i], term == 2 ? b + 16 * GRAM_OPERAND : b, left + 16 * i, position, true);
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
          for (int k = 0; k < 4; k++) {
            const unsigned pair[2] = {v[k / 2][k % 2 * 2], v[k / 2][k % 2 * 2 + 1]};
            multiply_add(d[i][k], u[i], pair);
          }
          if (row == column && left == 0 && term < 2) multiply_add(s[i], u[i], ones);
        }
      }
    }
    __syncthreads();
  }
  long tiles = (long)across * (across + 1) / 2;
  float* out = partial + (blockIdx.y * tiles + blockIdx.x) * GRAM_TILE * GRAM_TILE;
#pragma unroll
  for (int i = 0; i < 2; i++)
#pragma unroll
    for (int e = 0; e < 4; e++) {
      int r = top + 16 * i + lane / 4 + e / 2 * 8;
#pragma unroll
      for (int k = 0; k < 4; k++) out[r * GRAM_TILE + left + 8 * k + lane % 4 * 2 + e % 2] = d[i][k][e];
      long channel = row * GRAM_TILE + r;
      if (row == column && left == 0 && lane % 4 == 0 && e % 2 == 0 && channel < c) sums[blockIdx.y * c + channel] = s[i][e];
    }
}

// gram_join adds the parts to gram (c, c), of which it writes columns ≥ rows, and means.
KERNEL(gram_join, (const float* partial, const float* sums, long parts, long c, double* gram, double* means)) {
  long i = (long)blockIdx.x * blockDim.x + threadIdx.x;
  long across = (c + GRAM_TILE - 1) / GRAM_TILE, tiles = across * (across + 1) / 2;
  if (i < c) {
    double sum = 0;
    for (long p = 0; p < parts; p++) sum += sums[p * c + i];
    means[i] += sum;
  }
  long row = i / c, column = i % c;
  if (i >= c * c || column < row) return;
  long r = row / GRAM_TILE, k = column / GRAM_TILE, tile = r * across - r * (r - 1) / 2 + k - r;
  const float* from = partial + tile * GRAM_TILE * GRAM_TILE + row % GRAM_TILE * GRAM_TILE + column % GRAM_TILE;
  double sum = 0;
  for (long p = 0; p < parts; p++) sum += from[p * tiles * GRAM_TILE * GRAM_TILE];
  gram[i] += sum;
}
