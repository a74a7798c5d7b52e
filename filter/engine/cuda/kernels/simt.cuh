// Products of float32 matrices on ordinary cores. A block of 2·N threads multiplies a tile
// of 128 rows and N columns, each thread 8×8 of it:
//
//   tile[r][n] = Σ_k a[r][k] · b[k][n]
//
// Both factors come in slices of 8 k through shared memory, which holds two slices: while
// one is multiplied the next is on its way from global memory to registers. What hands out
// slices is a source, with fetch, which begins to read the next slice, and store, which
// puts it down.
//
// A sum takes its terms one after the other whatever the tile, so that a result's bits
// depend neither on N nor on where in a tile it falls.
#pragma once
#include "common.cuh"

enum {
  ROWS = 128,
  DEEP = 8,
  // The 4 values that a thread of a source of rows puts down fall in different rows, and
  // with this in other banks than its neighbours'. Rows keep beginning at 16 bytes.
  PITCH = ROWS + 4,
};

// How many blocks are to run at once: as many as leave a thread the registers it needs.
#define BLOCKS(N) (N == 32 ? 6 : N == 64 ? 3 : 2)

// Four neighbours, which are read and written together; elements by [].
typedef float quad __attribute__((vector_size(16)));

__device__ __forceinline__ quad load_quad(const float *p) { return *(const quad *)p; }
__device__ __forceinline__ void store_quad(float *p, quad v) { *(quad *)p = v; }

// Tile is what a block shares: two slices of each factor.
template <int N> struct Tile {
  __align__(16) float a[2][DEEP * PITCH];
  __align__(16) float b[2][DEEP * N];
};

// Place is a thread's part of the tile: two by two squares of 4×4, rows row and row+32 on,
// columns column and column+16 on. A warp has 64×32 of the tile: what it reads of a slice
// is together, and what it writes of a row whole sectors.
struct Place {
  int row, column;
  __device__ __forceinline__ Place() {
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    row = warp % 2 * 64 + lane / 4 * 4;
    column = warp / 2 * 32 + lane % 4 * 4;
  }
  __device__ __forceinline__ int row_of(int i) const { return row + i / 4 * 32 + i % 4; }
};

// outer adds the products of one k: S values of a's, in fours that are ROW_STEP apart, with
// S of b's, in fours that are COLUMN_STEP apart.
template <int ROW_STEP, int COLUMN_STEP, int S>
__device__ __forceinline__ void outer(float (&sum)[S][S], const float *a, const float *b) {
  quad x[S / 4], y[S / 4];
#pragma unroll
  for (int i = 0; i < S / 4; i++) {
    x[i] = load_quad(a + i * ROW_STEP);
    y[i] = load_quad(b + i * COLUMN_STEP);
  }
#pragma unroll
  for (int i = 0; i < S; i++)
#pragma unroll
    for (int j = 0; j < S; j++) sum[i][j] = fmaf(x[i / 4][i % 4], y[j / 4][j % 4], sum[i][j]);
}

// clear makes all sums 0.
template <int S> __device__ __forceinline__ void clear(float (&sum)[S][S]) {
#pragma unroll
  for (int i = 0; i < S; i++)
#pragma unroll
    for (int j = 0; j < S; j++) sum[i][j] = 0;
}

// four are the sums of row i and columns 4·j on.
template <int S> __device__ __forceinline__ quad four(const float (&sum)[S][S], int i, int j) {
  const float *s = sum[i] + 4 * j;
  return quad{s[0], s[1], s[2], s[3]};
}

// multiply makes the sums of this thread's place over so many slices.
template <int N, class A, class B>
__device__ __forceinline__ void multiply(float (&sum)[8][8], Place at, A &a, B &b, int slices) {
  SHARED(Tile<N>, tile, 1);
  clear(sum);
  if (slices == 0) return;
  a.fetch();
  b.fetch();
  a.store(tile->a[0]);
  b.store(tile->b[0]);
  __syncthreads();
#pragma unroll 1
  for (int i = 0; i < slices; i++) {
    bool more = i + 1 < slices;
    if (more) {
      a.fetch();
      b.fetch();
    }
    const float *x = tile->a[i % 2] + at.row, *y = tile->b[i % 2] + at.column;
#pragma unroll
    for (int k = 0; k < DEEP; k++) outer<32, 16>(sum, x + k * PITCH, y + k * N);
    if (more) {
      a.store(tile->a[(i + 1) % 2]);
      b.store(tile->b[(i + 1) % 2]);
    }
    __syncthreads();
  }
}

// Rows is a source of a: 128 rows of a matrix, c floats apart, of which the first so many
// are there. A thread takes 4 neighbours of COUNT rows.
template <int N> struct Rows {
  enum { QUADS = ROWS * DEEP / 4, COUNT = (QUADS + 2 * N - 1) / (2 * N) };
  const float *at; // what the thread reads of its first row
  const int c, count;
  quad value[COUNT];

  __device__ __forceinline__ Rows(const float *from, int c, long count)
      : at(from + (long)row(0) * c + column()), c(c), count(min(count, (long)ROWS)) {}

  static __device__ __forceinline__ int row(int i) { return threadIdx.x / 2 + i * N; }
  static __device__ __forceinline__ int column() { return threadIdx.x % 2 * 4; }

  __device__ __forceinline__ void fetch() {
#pragma unroll
    for (int i = 0; i < COUNT; i++) value[i] = row(i) < count ? load_quad(at + i * N * c) : quad{0, 0, 0, 0};
    at += DEEP;
  }
  __device__ __forceinline__ void store(float *slice) const {
#pragma unroll
    for (int i = 0; i < COUNT; i++)
      if ((i + 1) * N <= ROWS || row(i) < ROWS)
#pragma unroll
        for (int e = 0; e < 4; e++) slice[(column() + e) * PITCH + row(i)] = value[i][e];
  }
};

// Columns is a source of b: N columns of a matrix, pitch floats from row to row.
template <int N> struct Columns {
  const float *at;
  long step;
  quad value;

  __device__ __forceinline__ Columns(const float *from, long pitch)
      : at(from + threadIdx.x / (N / 4) * pitch + threadIdx.x % (N / 4) * 4), step(DEEP * pitch) {}
  __device__ __forceinline__ void fetch() {
    value = load_quad(at);
    at += step;
  }
  __device__ __forceinline__ void store(float *slice) const { store_quad(slice + threadIdx.x * 4, value); }
};

// Part says which of the tiles of a matrix of so many columns this block has. Tiles that
// share rows are neighbours.
template <int N> struct Part {
  int row, column;
  __device__ __forceinline__ explicit Part(long columns) {
    int across = columns / N;
    row = blockIdx.x / across * ROWS;
    column = blockIdx.x % across * N;
  }
};

// relu is what is above 0, and passed what a gate that is above 0 lets through.
__device__ __forceinline__ quad relu(quad v) {
  return quad{fmaxf(v[0], 0.f), fmaxf(v[1], 0.f), fmaxf(v[2], 0.f), fmaxf(v[3], 0.f)};
}
__device__ __forceinline__ quad passed(quad gate, quad v) {
#pragma unroll
  for (int e = 0; e < 4; e++)
    if (!(gate[e] > 0)) v[e] = 0;
  return v;
}

// FOR_WIDTHS makes something for each width of tiles; widths of fields are multiples of
// one of them.
#define FOR_WIDTHS(make) make(32) make(64) make(96) make(128)
