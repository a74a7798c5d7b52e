// Gram matrices on tensor cores: Σ_p m_p a_p a_pᵀ in tiles of 64×64 channels, the
// positions of a core shared out to blocks of fixed parts, whose sums are added up in
// float64 in their order. With both planes hi·hi + hi·lo + lo·hi.
#pragma once
#include "mma.cuh"

enum {
  GRAM_TILE = 64, GRAM_SLICE = 64, // channels, positions in shared memory
  GRAM_PLANE = GRAM_SLICE + 1,     // units of 8 channels: neighbours' copies meet no bank twice
  GRAM_OPERAND = 8 * GRAM_PLANE,   // units
  GRAM_THREADS = 128
};

struct gram_job {
  const unsigned short *hi, *lo;
  const float* shares;
  long pitch, x, y, w, h, width, c;
  int from, to; // this block's positions of the core
};

// gram_copy brings a slice of 64 channels from first on into shared memory; weighed:
// times the shares. Channels and positions beyond the ends are 0.
static __device__ __forceinline__ void gram_copy(const gram_job& j, shared_t hi, shared_t lo, int at, int first, bool weighed) {
#pragma unroll
  for (int k = 0; k < GRAM_SLICE * 8 / GRAM_THREADS; k++) {
    int u = threadIdx.x + k * GRAM_THREADS, plane = u % 8, p = u / 8, q = at + p;
    bool valid = q < j.to && first + 8 * plane < j.c;
    if (!valid) q = 0;
    int y = 0, x = q; // rows that follow each other are one
    if (j.w != j.width || weighed) y = q / (int)j.w, x = q % (int)j.w;
    long from = valid ? ((j.y + y) * j.width + j.x + x) * j.c + first + 8 * plane : 0;
    int to = 16 * (plane * GRAM_PLANE + p);
    if (!weighed) {
      copy16(hi + to, j.hi + from, valid);
      if (j.lo) copy16(lo + to, j.lo + from, valid);
      continue;
    }
    float m = valid ? j.shares[y * j.pitch + x] : 0.f;
    Activation act(j.hi, j.lo);
    unsigned short a[8], b[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
      float v = valid ? m * act.load(from + i) : 0.f;
      a[i] = Binary::narrow(v), b[i] = Binary::narrow(v - Binary::widen(a[i]));
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

// gram_split: block (tile, part) writes its sums to partial[(part·tiles + tile)·64·64],
// and on the diagonal the sums of values to sums[part·c + channel]. length is of a part,
// in positions. stages 3 or 4 are in shared memory.
KERNEL_BOUNDED(gram_split, GRAM_THREADS, 3,
               (const unsigned short* hi, const unsigned short* lo, const float* shares, long pitch, long x, long y, long w, long h,
                long width, long c, long length, long stages, float* partial, float* sums)) {
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  gram_job j = {hi, lo, shares, pitch, x, y, w, h, width, c, 0, 0};
  j.from = blockIdx.y * (int)length, j.to = min(j.from + (int)length, (int)(w * h));
  int row = 0, column = blockIdx.x, across = (int)((c + GRAM_TILE - 1) / GRAM_TILE);
  while (column >= across - row) column -= across - row, row++;
  column += row;
  bool same = row == column && !shares; // one operand does for both
  int operand = 16 * GRAM_OPERAND * (lo ? 2 : 1), stage = same ? operand : 2 * operand;

  float d[2][4][4] = {}, s[2][4] = {};
  const unsigned ones[2] = {0x3c003c00, 0x3c003c00};
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, top = warp / 2 * 32, left = warp % 2 * 32;
  int slices = (j.to - j.from + GRAM_SLICE - 1) / GRAM_SLICE;
  auto copy = [&](int slice, int at) __attribute__((always_inline)) {
    shared_t to = base + at * stage;
    int from = j.from + slice * GRAM_SLICE;
    gram_copy(j, to, to + 16 * GRAM_OPERAND, from, row * GRAM_TILE, shares != 0);
    if (!same) gram_copy(j, to + operand, to + operand + 16 * GRAM_OPERAND, from, column * GRAM_TILE, false);
  };
  for (int slice = 0; slice < stages - 1; slice++) {
    if (slice < slices) copy(slice, slice);
    copies_commit();
  }
  for (int slice = 0, at = 0; slice < slices; slice++) {
    if (stages == 3) copies_wait<1>();
    else copies_wait<2>();
    __syncthreads();
    int ahead = slice + (int)stages - 1;
    if (ahead < slices) copy(ahead, at == 0 ? (int)stages - 1 : at - 1);
    copies_commit();
    shared_t a = base + at * stage, b = same ? a : a + operand;
    if (++at == stages) at = 0;
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
            multiply_add<Binary>(d[i][k], u[i], pair);
          }
          if (row == column && left == 0 && term < 2) multiply_add<Binary>(s[i], u[i], ones);
        }
      }
    }
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
// A block has 32 sums, each of them added up by 8 threads.
KERNEL(gram_join, (const float* partial, const float* sums, long parts, long c, double* gram, double* means)) {
  SHARED(double, part, 256);
  int across = (int)((c + GRAM_TILE - 1) / GRAM_TILE), tiles = across * (across + 1) / 2;
  int e = blockIdx.x * 32 + threadIdx.x % 32, first = threadIdx.x / 32;
  int all = tiles * GRAM_TILE * GRAM_TILE;
  bool mean = e >= all;
  const float* from = mean ? sums + (e - all) : partial + e;
  long step = mean ? c : all;
  double sum = 0;
  if (!mean || e - all < c) {
#pragma unroll 4
    for (long p = first; p < parts; p += 8) sum += from[p * step];
  }
  part[threadIdx.x] = sum;
  __syncthreads();
  if (first > 0) return;
  for (int k = 1; k < 8; k++) sum += part[threadIdx.x + 32 * k];
  if (mean) {
    if (e - all < c) means[e - all] += sum;
    return;
  }
  int row = 0, column = e / (GRAM_TILE * GRAM_TILE);
  while (column >= across - row) column -= across - row, row++;
  column = (column + row) * GRAM_TILE + e % GRAM_TILE;
  row = row * GRAM_TILE + e / GRAM_TILE % GRAM_TILE;
  if (column >= row && column < c) gram[row * c + column] += sum;
}
