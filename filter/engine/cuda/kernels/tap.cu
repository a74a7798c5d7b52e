// Products of a field with a symmetric matrix of channels: what a tap's moments add to its
// gradient, and M·Δa. A row is a position, k and the columns are channels.
#include "simt.cuh"

// pack_matrix_f32 makes dst (c, c) of scale·src (n, n), c being n padded. A thread for each
// element.
KERNEL(pack_matrix_f32, (float *dst, const float *src, long n, long c, double scale)) {
  long e = thread_number(), i = e / c, j = e % c;
  if (i >= c) return;
  dst[e] = i < n && j < n ? (float)(scale * src[i * n + j]) : 0;
}

// dst_p = M src_p at the positions of a core, x, y, w, h, in fields (…, width, c). The rows
// are the positions from the core's first to its last.
template <int N>
__device__ __forceinline__ void multiply_core(float *dst, const float *src, const float *m, long x, long y, long w,
                                              long h, long width, long c) {
  Part<N> part(c);
  Place at;
  const int first = y * width + x, count = (h - 1) * width + w;
  Rows<N> a(src + (long)(first + part.row) * c, c, count - part.row);
  Columns<N> b(m + part.column, c);
  float sum[8][8];
  multiply<N>(sum, at, a, b, c / DEEP);
#pragma unroll
  for (int i = 0; i < 8; i++) {
    int p = part.row + at.row_of(i);
    if (p >= count || p % (int)width >= w) continue;
    float *to = dst + (long)(first + p) * c + part.column + at.column;
    store_quad(to, four(sum, i, 0));
    store_quad(to + 16, four(sum, i, 1));
  }
}

#define MULTIPLY(N)                                                                                           \
  KERNEL_BOUNDED(multiply_##N, 2 * N, BLOCKS(N), (float *__restrict__ dst, const float *__restrict__ src,       \
                 const float *__restrict__ m, long x, long y, long w, long h, long width, long c)) {          \
    multiply_core<N>(dst, src, m, x, y, w, h, width, c);                                                      \
  }
FOR_WIDTHS(MULTIPLY)

// da_p += m_p (D a_p + mean_scale mean + weight mdelta_p) at the positions of a core, x, y,
// w, h; then da = 0 where a ≤ 0 in the whole fields (height, width, c). Each of d, mean,
// mdelta and share may be 0. Blocks outside of the core's rows have only their gate to do.
template <int N>
__device__ __forceinline__ void add_tap(float *da, const float *act, const float *d, const float *mean,
                                        double mean_scale, const float *mdelta, double weight, const float *share,
                                        long pitch, long x, long y, long w, long h, long height, long width, long c) {
  Part<N> part(c);
  Place at;
  const int positions = height * width;
  Rows<N> a(act + (long)part.row * c, c, positions - part.row);
  Columns<N> b(d + part.column, c);
  bool meets = part.row < (y + h) * width && part.row + ROWS > y * width;
  float sum[8][8];
  multiply<N>(sum, at, a, b, d && meets ? c / DEEP : 0);
#pragma unroll
  for (int second = 0; second < 2; second++) {
    int n = part.column + at.column + 16 * second;
    quad constant = mean ? (float)mean_scale * load_quad(mean + n) : quad{0, 0, 0, 0};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int p = part.row + at.row_of(i);
      if (p >= positions) continue;
      long to = (long)p * c + n;
      quad v = load_quad(da + to);
      int cx = p % (int)width - x, cy = p / (int)width - y;
      if (cx >= 0 && cx < w && cy >= 0 && cy < h) {
        quad g = four(sum, i, second) + constant;
        if (mdelta) g += (float)weight * load_quad(mdelta + to);
        if (share) g *= share[cy * pitch + cx];
        v += g;
      }
      store_quad(da + to, passed(load_quad(act + to), v));
    }
  }
}

#define ADD_TAP(N)                                                                                            \
  KERNEL_BOUNDED(add_tap_##N, 2 * N, BLOCKS(N), (float *__restrict__ da, const float *__restrict__ act,         \
                 const float *__restrict__ d, const float *__restrict__ mean, double mean_scale,              \
                 const float *__restrict__ mdelta, double weight, const float *__restrict__ share, long pitch, \
                 long x, long y, long w, long h, long height, long width, long c)) {                          \
    add_tap<N>(da, act, d, mean, mean_scale, mdelta, weight, share, pitch, x, y, w, h, height, width, c);     \
  }
FOR_WIDTHS(ADD_TAP)
