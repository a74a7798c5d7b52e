// Gram matrices of fields: Σ_p m_p a_p a_pᵀ and Σ_p m_p a_p over a core's positions. A
// block multiplies T×T channels over a span of positions and leaves its sums, float32, to
// gram_sum, which adds up the spans in double, in one fixed order.
//
// Tiles of T channels pair up as i ≤ j, pair after pair by rows; scratch holds for each
// span the tiles of all pairs, T·T each, and then the c sums of the means.
#include "simt.cuh"

// GramTile is a block's shape: each thread has S×S of T×T, and slices are DEEP positions.
template <int T> struct GramTile {
  enum {
    S = T == 32 ? 4 : 8, // 32×32 would not fill two warps otherwise
    ACROSS = T / S,
    THREADS = ACROSS * ACROSS,
    DEEP = T == 32 ? 16 : 8,
    STEP = 4 * THREADS / T,            // positions that all threads read at once
    COUNT = (DEEP + STEP - 1) / STEP,  // times, for a slice
    AT_ONCE = T == 128 ? 2 : 400 / THREADS,  // blocks, so that registers suffice
  };
};

// Pair is which tiles of channels a block multiplies: numbers i ≤ j.
struct Pair {
  int i, j;
  __device__ __forceinline__ Pair(int number, int tiles) : i(0), j(number) {
    for (; j >= tiles - i; i++) j -= tiles - i;
    j += i;
  }
};

// Span reads a block's positions slice by slice: tile i as it is, tile j times m.
template <int T> struct Span {
  typedef GramTile<T> G;
  const float *from, *share; // this thread's channels of tile i at the core's first position; its m
  int apart;                 // from tile i to tile j
  int w, width, pitch, c;    // of core, field and shares
  int left;                  // positions of the span from this thread's first on
  int at[G::COUNT];          // position in the field, from the core's first
  int m[G::COUNT];           // and in the shares
  int x[G::COUNT];           // and in its row
  quad vi[G::COUNT], vj[G::COUNT];
  float mj[G::COUNT];

  static __device__ __forceinline__ int k(int l) { return threadIdx.x / (T / 4) + l * G::STEP; }

  // first and end count the core's positions.
  __device__ __forceinline__ void start(int first, int end) {
    left = end - first - k(0);
#pragma unroll
    for (int l = 0; l < G::COUNT; l++) {
      int p = first + k(l), y = p / w;
      x[l] = p % w;
      at[l] = y * width + x[l];
      m[l] = y * pitch + x[l];
    }
  }

  __device__ __forceinline__ void fetch() {
#pragma unroll
    for (int l = 0; l < G::COUNT; l++) {
      vi[l] = vj[l] = quad{0, 0, 0, 0};
      mj[l] = 1;
      if (left > l * G::STEP && has(l)) {
        const float *a = from + (long)at[l] * c;
        vi[l] = load_quad(a);
        if (apart) vj[l] = load_quad(a + apart);
        if (share) mj[l] = share[m[l]];
      }
      at[l] += G::DEEP;
      m[l] += G::DEEP;
      for (x[l] += G::DEEP; x[l] >= w; x[l] -= w) {
        at[l] += width - w;
        m[l] += pitch - w;
      }
    }
    left -= G::DEEP;
  }

  static __device__ __forceinline__ bool has(int l) { return (l + 1) * G::STEP <= G::DEEP || k(l) < G::DEEP; }

  // store is the first to touch what fetch has read, and to wait for it.
  __device__ __forceinline__ void store(float *i, float *j) const {
#pragma unroll
    for (int l = 0; l < G::COUNT; l++)
      if (has(l)) {
        int to = threadIdx.x * 4 + l * G::STEP * T;
        store_quad(i + to, vi[l]);
        store_quad(j + to, mj[l] * (apart ? vj[l] : vi[l]));
      }
  }
};

// The slices that a block shares, two of each tile.
template <int T> struct GramSlices {
  __align__(16) float i[2][GramTile<T>::DEEP * T];
  __align__(16) float j[2][GramTile<T>::DEEP * T];
};

template <int T>
__device__ __forceinline__ void gram(float *sums, const float *a, const float *share, long pitch, long x, long y,
                                     long w, long h, long width, long c, long span) {
  typedef GramTile<T> G;
  const int tiles = c / T, pairs = gridDim.y;
  Pair pair(blockIdx.y, tiles);
  Span<T> source;
  source.from = a + (y * width + x) * c + pair.i * T + threadIdx.x % (T / 4) * 4;
  source.share = share;
  source.apart = (pair.j - pair.i) * T;
  source.w = w, source.width = width, source.pitch = pitch, source.c = c;
  const int first = blockIdx.x * span, end = min(first + span, w * h);
  source.start(first, end);

  SHARED(GramSlices<T>, slices, 1);
  const int t = threadIdx.x, row = t / G::ACROSS * 4, column = t % G::ACROSS * 4;
  float sum[G::S][G::S], mean = 0;
  clear(sum);
  source.fetch();
  source.store(slices->i[0], slices->j[0]);
  __syncthreads();
#pragma unroll 1
  for (int p = first, now = 0; p < end; p += G::DEEP, now ^= 1) {
    bool more = p + G::DEEP < end;
    if (more) source.fetch();
    const float *ti = slices->i[now], *tj = slices->j[now];
#pragma unroll
    for (int k = 0; k < G::DEEP; k++) outer<T / 2, T / 2>(sum, ti + k * T + row, tj + k * T + column);
    if (pair.i == pair.j && t < T)
#pragma unroll
      for (int k = 0; k < G::DEEP; k++) mean += tj[k * T + t];
    if (more) source.store(slices->i[now ^ 1], slices->j[now ^ 1]);
    __syncthreads();
  }

  sums += blockIdx.x * (pairs * T * T + c);
  if (pair.i == pair.j && t < T) sums[pairs * T * T + pair.j * T + t] = mean;
  sums += blockIdx.y * T * T;
#pragma unroll
  for (int i = 0; i < G::S; i++)
#pragma unroll
    for (int j = 0; j < G::S / 4; j++)
      store_quad(sums + (row + i / 4 * (T / 2) + i % 4) * T + column + j * (T / 2), four(sum, i, j));
}

#define GRAM(T)                                                                                                \
  KERNEL_BOUNDED(gram_##T, GramTile<T>::THREADS, GramTile<T>::AT_ONCE, (float *__restrict__ sums,               \
                 const float *__restrict__ a, const float *__restrict__ share, long pitch, long x, long y,     \
                 long w, long h, long width, long c, long span)) {                                             \
    gram<T>(sums, a, share, pitch, x, y, w, h, width, c, span);                                                \
  }
FOR_WIDTHS(GRAM)

// gram_sum adds the sums of all spans to gram (c, c), where row ≤ column, and to means (c).
// A block has 32 sums; each of its 8 warps adds up every eighth span.
KERNEL(gram_sum, (double *gram, double *means, const float *sums, long spans, long c, long T)) {
  const int tiles = c / T, pairs = tiles * (tiles + 1) / 2;
  const long squares = pairs * T * T, all = squares + c;
  const int lane = threadIdx.x % 32, part = threadIdx.x / 32;
  const long n = blockIdx.x * 32l + lane;
  SHARED(double, parts, 8 * 32);
  double sum = 0;
#pragma unroll 4
  for (long s = part; s < spans; s += 8) sum += sums[s * all + n];
  parts[part * 32 + lane] = sum;
  __syncthreads();
  if (part > 0) return;
  for (int i = 1; i < 8; i++) sum += parts[i * 32 + lane];
  if (n >= squares) {
    means[n - squares] += sum;
    return;
  }
  Pair pair(n / (T * T), tiles);
  long row = pair.i * T + n / T % T, column = pair.j * T + n % T;
  if (row <= column) gram[row * c + column] += sum;
}
