// 3×3 convolution by Winograd's F(4×4,3×3) (Lavin and Gray 2016, section 4.1) with the
// points 0, ±1, ±2 and ∞: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A over 6×6 of the input for each
// tile of 4×4, the products summed over channels by 36 products of matrices. It multiplies
// a quarter as much as conv.cu, and in turn moves its transforms through memory.
//
// Tiles are counted in rows over the whole field. A call does some of them: its first one
// and how many are parameters, and the transforms, (36, tiles, channels), hold no others.
#include "simt.cuh"

__device__ __forceinline__ void input_1d(const float (&d)[6], float (&o)[6]) { // Bᵀ d
  float a = d[4] - 4.f * d[2], b = d[3] - 4.f * d[1];
  float c = d[4] - d[2], e = d[3] - d[1];
  o[0] = 4.f * d[0] + (d[4] - 5.f * d[2]);
  o[1] = a + b;
  o[2] = a - b;
  o[3] = c + 2.f * e;
  o[4] = c - 2.f * e;
  o[5] = 4.f * d[1] + (d[5] - 5.f * d[3]);
}

__device__ __forceinline__ void output_1d(const float (&m)[6], float (&y)[4]) { // Aᵀ m
  float s1 = m[1] + m[2], d1 = m[1] - m[2];
  float s2 = m[3] + m[4], d2 = m[3] - m[4];
  y[0] = m[0] + s1 + s2;
  y[1] = d1 + 2.f * d2;
  y[2] = s1 + 4.f * s2;
  y[3] = d1 + 8.f * d2 + m[5];
}

__device__ __forceinline__ void weight_1d(double g0, double g1, double g2, double (&o)[6]) { // G g
  o[0] = g0 / 4;
  o[1] = -(g0 + g1 + g2) / 6;
  o[2] = -(g0 - g1 + g2) / 6;
  o[3] = g0 / 24 + g1 / 12 + g2 / 6;
  o[4] = g0 / 24 - g1 / 12 + g2 / 6;
  o[5] = g2;
}

// TileOf is one thread's tile and channel. Neighbours have neighbouring channels.
struct TileOf {
  int tile, channel; // the tile among those of this call
  int y, x;          // its corner in the field
  __device__ __forceinline__ TileOf(int number, int w, int c, int first) {
    tile = number / c;
    channel = number % c;
    int across = (w + 3) / 4;
    y = (first + tile) / across * 4;
    x = (first + tile) % across * 4;
  }
};

// v = Bᵀ d B. A thread for each tile and channel.
KERNEL_BOUNDED(winograd_input, 256, 3, (float *__restrict__ v, const float *__restrict__ src, long height, long width,
               long c, long first, long tiles)) {
  const int number = thread_number(), step = tiles * c, row = width * c, h = height, w = width;
  if (number >= step) return;
  TileOf at(number, w, c, first);
  const float *from = src + ((at.y - 1) * width + at.x - 1) * c + at.channel;
  float t[6][6];
#pragma unroll
  for (int j = 0; j < 6; j++) {
    float d[6], o[6];
    bool across = at.x + j > 0 && at.x + j <= w;
#pragma unroll
    for (int i = 0; i < 6; i++)
      d[i] = across && at.y + i > 0 && at.y + i <= h ? from[i * row + j * (int)c] : 0.f;
    input_1d(d, o);
#pragma unroll
    for (int i = 0; i < 6; i++) t[i][j] = o[i];
  }
  float *to = v + number;
#pragma unroll
  for (int i = 0; i < 6; i++) {
    float o[6];
    input_1d(t[i], o);
#pragma unroll
    for (int j = 0; j < 6; j++) to[(i * 6 + j) * step] = o[j];
  }
}

// m (36, tiles, out) = v (36, tiles, in) · u (36, in, out): one product for each blockIdx.y.
template <int N>
__device__ __forceinline__ void winograd_multiply(float *m, const float *v, const float *u, long tiles, long in,
                                                  long out) {
  Part<N> part(out);
  Place at;
  v += blockIdx.y * tiles * in;
  u += blockIdx.y * in * out;
  m += blockIdx.y * tiles * out;
  Rows<N> a(v + part.row * in, in, tiles - part.row);
  Columns<N> b(u + part.column, out);
  float sum[8][8];
  multiply<N>(sum, at, a, b, in / DEEP);
#pragma unroll
  for (int i = 0; i < 8; i++) {
    int tile = part.row + at.row_of(i);
    if (tile >= tiles) continue;
#pragma unroll
    for (int second = 0; second < 2; second++)
      store_quad(m + tile * out + part.column + at.column + 16 * second, four(sum, i, second));
  }
}

#define WINOGRAD_MULTIPLY(N)                                                                          \
  KERNEL_BOUNDED(winograd_multiply_##N, 2 * N, BLOCKS(N), (float *__restrict__ m,                       \
                 const float *__restrict__ v, const float *__restrict__ u, long tiles, long in, long out)) { \
    winograd_multiply<N>(m, v, u, tiles, in, out);                                                    \
  }
FOR_WIDTHS(WINOGRAD_MULTIPLY)

// dst = Aᵀ m A, then bias and ReLU, or the gate; bias and gate may be 0. A thread for each
// tile and channel.
KERNEL_BOUNDED(winograd_output, 256, 3, (float *__restrict__ dst, const float *__restrict__ m,
               const float *__restrict__ bias, const float *__restrict__ gate, long height, long width, long c,
               long first, long tiles)) {
  const int number = thread_number(), step = tiles * c, row = width * c, h = height, w = width;
  if (number >= step) return;
  TileOf at(number, w, c, first);
  float t[4][6];
#pragma unroll
  for (int j = 0; j < 6; j++) {
    float column[6], y[4];
#pragma unroll
    for (int i = 0; i < 6; i++) column[i] = m[(i * 6 + j) * step + number];
    output_1d(column, y);
#pragma unroll
    for (int i = 0; i < 4; i++) t[i][j] = y[i];
  }
  const long corner = (at.y * width + at.x) * c + at.channel;
  dst += corner;
  if (gate) gate += corner;
  float b = bias ? bias[at.channel] : 0.f;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float o[4];
    output_1d(t[i], o);
    if (at.y + i >= h) continue;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (at.x + j >= w) continue;
      int p = i * row + j * (int)c;
      float y = bias ? fmaxf(o[j] + b, 0.f) : o[j];
      dst[p] = gate && !(gate[p] > 0) ? 0 : y;
    }
  }
}

// u (36, in, out) = G g Gᵀ of a layer's weights (outs, ins, 3, 3), in and out padded. A
// thread for each in and out.
KERNEL(winograd_filter, (float *u, const float *weights, long outs, long ins, long back, long in, long out)) {
  long number = thread_number();
  if (number >= in * out) return;
  int i = number / out, o = number % out;
  double t[6][3];
#pragma unroll
  for (int x = 0; x < 3; x++) {
    double column[6];
    weight_1d(layer_weight(weights, outs, ins, back, o, i, x), layer_weight(weights, outs, ins, back, o, i, 3 + x),
              layer_weight(weights, outs, ins, back, o, i, 6 + x), column);
#pragma unroll
    for (int y = 0; y < 6; y++) t[y][x] = column[y];
  }
#pragma unroll
  for (int y = 0; y < 6; y++) {
    double row[6];
    weight_1d(t[y][0], t[y][1], t[y][2], row);
#pragma unroll
    for (int x = 0; x < 6; x++) u[(y * 6 + x) * in * out + number] = row[x];
  }
}
