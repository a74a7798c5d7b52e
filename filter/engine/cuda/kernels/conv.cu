// 3×3 convolution of fields, with zeros outside, as one product of matrices: a row is a
// position, a column an output channel, and k goes through the 9 places of each 8 input
// channels, so that a slice's neighbour is mostly in the cache. Nothing is unfolded in
// memory.
#include "simt.cuh"

// Neighbours is a source of rows: slice by slice 8 channels of the 9 places around 128
// positions of src (h, w, c) from first on.
template <int N> struct Neighbours : Rows<N> {
  typedef Rows<N> R;
  int inside[R::COUNT]; // bit t: place t of the 3×3 is in the picture
  int place, offset;    // of the next slice; from the position itself
  const int w;

  __device__ __forceinline__ Neighbours(const float *src, int first, int h, int w, int c)
      : R(src + (long)first * c, c, ROWS), place(0), offset(-(w + 1) * c), w(w) {
#pragma unroll
    for (int i = 0; i < R::COUNT; i++) {
      int p = first + R::row(i), y = p / w, x = p % w;
      int across = (x > 0) | 2 | (x < w - 1) << 2;
      inside[i] = (y > 0 ? across : 0) | across << 3 | (y < h - 1 ? across << 6 : 0);
      if (y >= h || R::row(i) >= ROWS) inside[i] = 0;
    }
  }

  __device__ __forceinline__ void fetch() {
#pragma unroll
    for (int i = 0; i < R::COUNT; i++)
      R::value[i] = inside[i] >> place & 1 ? load_quad(R::at + offset + i * N * R::c) : quad{0, 0, 0, 0};
    place++;
    offset += place % 3 ? R::c : (w - 2) * R::c;
    if (place < 9) return;
    place = 0;
    offset = -(w + 1) * R::c;
    R::at += DEEP;
  }
};

// dst (h, w, out) from src (h, w, in) and filter, which conv_filter has packed.
template <int N>
__device__ __forceinline__ void convolve(float *dst, const float *src, const float *filter, const float *bias,
                                         const float *gate, long h, long w, long in, long out) {
  Part<N> part(out);
  Place at;
  Neighbours<N> a(src, part.row, h, w, in);
  Columns<N> b(filter + part.column, out);
  float sum[8][8];
  multiply<N>(sum, at, a, b, 9 * in / DEEP);
#pragma unroll
  for (int second = 0; second < 2; second++) {
    int n = part.column + at.column + 16 * second;
    quad bias4 = bias ? load_quad(bias + n) : quad{0, 0, 0, 0};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int p = part.row + at.row_of(i);
      if (p >= h * w) continue;
      long to = p * out + n;
      quad v = four(sum, i, second);
      if (bias) v = relu(v + bias4);
      if (gate) v = passed(load_quad(gate + to), v);
      store_quad(dst + to, v);
    }
  }
}

#define CONV(N)                                                                                                  \
  KERNEL_BOUNDED(conv_##N, 2 * N, BLOCKS(N), (float *__restrict__ dst, const float *__restrict__ src,              \
                 const float *__restrict__ filter, const float *__restrict__ bias,                               \
                 const float *__restrict__ gate, long h, long w, long in, long out)) {                           \
    convolve<N>(dst, src, filter, bias, gate, h, w, in, out);                                                    \
  }
FOR_WIDTHS(CONV)

// layer_weight is what of a layer's weights (Out, In, 3, 3) takes input i to output o at a
// place; back: of the gradient's convolution, where in and out are exchanged and places
// turned round. 0 in the padding.
__device__ __forceinline__ float layer_weight(const float *weights, long outs, long ins, long back, int o, int i,
                                              int place) {
  if (back) {
    int t = o;
    o = i, i = t, place = 8 - place;
  }
  return o < outs && i < ins ? weights[(o * ins + i) * 9 + place] : 0;
}

// conv_filter packs a layer's weights (outs, ins, 3, 3) in the order in which convolve goes
// through them: (in/8, 9, 8, out), in and out padded. A thread for each element.
KERNEL(conv_filter, (float *dst, const float *weights, long outs, long ins, long back, long in, long out)) {
  long e = thread_number();
  if (e >= 9 * in * out) return;
  int o = e % out, i = e / out % 8 + e / out / 72 * 8, place = e / out / 8 % 9;
  dst[e] = layer_weight(weights, outs, ins, back, o, i, place);
}
