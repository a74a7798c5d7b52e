// The first convolution on tensor cores, there and back, between the planar picture and
// the first activation (first.cu says what it computes): products of 27 places, which are
// the picture's three colours at nine positions, with 32 channels at a time. A warp's lane
// gathers what it multiplies from where it lies, so that there is nothing to transpose:
// there from a patch of the picture in shared memory, back from the gradient's rows.
//
// Places are numbered as the weights (out, 3, 3, 3) are: 9·colour + 3·row + column.
#pragma once
#include "mma.cuh"

enum {
  FIRST_THREADS = 256,
  FIRST_WARPS = FIRST_THREADS / 32,
  FIRST_GROUP = 32,                       // channels that are multiplied together
  FIRST_FRAGMENTS = FIRST_GROUP / 8 * 32, // units of a group's weights, 4 for each lane
  // There: a patch of 32×8, a row of it for each warp. A line is a row of one colour. Its
  // pitch puts four lines' neighbours in different banks.
  FIRST_WIDTH = 32, FIRST_HEIGHT = FIRST_WARPS,
  FIRST_LINES = 3 * (FIRST_HEIGHT + 2), FIRST_PITCH = 40,
  // Back: products of 32×16 positions, two rows for each warp, give the pixels inside. The
  // pitch of places' planes puts what four of them have of a position in different banks.
  FIRST_ACROSS = 32, FIRST_DOWN = 2 * FIRST_WARPS,
  FIRST_INNER_WIDTH = FIRST_ACROSS - 2, FIRST_INNER_HEIGHT = FIRST_DOWN - 2,
  FIRST_PLANE = FIRST_ACROSS * FIRST_DOWN + 8
};

// first_weights is what split_first packs for c padded channels: units of 8 numbers as a
// lane multiplies them, [direction][plane][group][4][lane], then float32s.
struct first_weights {
  uint4* units;
  long c;
  enum { THERE, BACK };
  __device__ __forceinline__ long plane() const { return c / FIRST_GROUP * FIRST_FRAGMENTS; }
  __device__ __forceinline__ uint4* at(int direction, bool lo) const { return units + (2 * direction + lo) * plane(); }
  __device__ __forceinline__ float* biases() const { return (float*)(units + 4 * plane()); }
  __device__ __forceinline__ float* means() const { return biases() + c; }
  __device__ __forceinline__ float* scales() const { return biases() + c + 3; }
  __device__ __forceinline__ float* unscale() const { return biases() + c + 6; } // of the weights there
};

// first_place says which place element i of 8 of lane q of four multiplies there; −1:
// none. Lines l of the 9 that a position needs are shared out by l%4, all but the last,
// whose columns are: what lanes read at once is then in different banks.
static __device__ __forceinline__ int first_place(int q, int i) {
  int line = i < 6 ? i / 3 * 4 + q : 8, column = i < 6 ? i % 3 : q;
  return i < 6 || (i == 6 && q < 3) ? line % 3 * 9 + line / 3 * 3 + column : -1;
}

// split_first packs the weights (out, 3, 3, 3), there times scale, for out channels padded
// to c. One thread for each number of a plane.
KERNEL(split_first, (const float* src, uint4* units, long out, long c, double scale)) {
  long n = thread_number();
  first_weights u = {units, c};
  if (n >= 8 * u.plane()) return;
  int i = n % 8, lane = n / 8 % 32, q = lane % 4, column = n / 256 % 4 * 8 + lane / 4;
  long group = n / (8 * FIRST_FRAGMENTS) * FIRST_GROUP;

  // There a unit is 8 places of a column; lane q of four gets sums of 8 neighbours.
  long o = group + column % 8 / 2 * 8 + column / 8 * 2 + column % 2;
  int place = first_place(q, i);
  float v = place >= 0 && o < out ? src[o * 27 + place] : 0.f;
  Planes<Binary>(u.at(u.THERE, false), u.at(u.THERE, true)).store(n, (float)scale * v);

  // Back a unit is 4 channels of two places, in the order that a gradient's channels have.
  o = group + 8 * q + n / 256 % 2 * 4 + i / 4 * 2 + i % 2;
  place = n / 512 % 2 * 16 + i / 2 % 2 * 8 + lane / 4;
  v = place < 27 && o < out ? src[o * 27 + place] : 0.f;
  Planes<Brain>(u.at(u.BACK, false), u.at(u.BACK, true)).store(n, v);
}

// Words are two numbers: of each of two words the lower, or the upper.
static __device__ __forceinline__ unsigned lower_halves(unsigned a, unsigned b) { return (a & 0xffff) | b << 16; }
static __device__ __forceinline__ unsigned upper_halves(unsigned a, unsigned b) { return a >> 16 | (b & 0xffff0000u); }

// pack_binary is pack_pair of two numbers that are in binary16's range.
static __device__ __forceinline__ unsigned pack_binary(float a, float b) {
#ifndef __CUDA_ARCH__
  return pack_pair(to_fp16(a), to_fp16(b));
#else
  unsigned w;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(b), "f"(a));
  return w;
#endif
}

// first_operands reads 16 neighbours' places, hi in the lower half of each word of a
// picture and lo in the upper: from is where the lane's first line has its first position.
static __device__ __forceinline__ void first_operands(unsigned (&hi)[2][4], unsigned (&lo)[2][4], const unsigned* from) {
  const int q = threadIdx.x % 4;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const unsigned* at = from + 8 * half;
    unsigned w[8];
#pragma unroll
    for (int i = 0; i < 6; i++) w[i] = at[i / 3 * 4 * FIRST_PITCH + i % 3];
    w[6] = q < 3 ? at[(8 - q) * FIRST_PITCH + q] : 0;
    w[7] = 0;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      hi[i / 2][i % 2 * 2 + half] = lower_halves(w[2 * i], w[2 * i + 1]);
      lo[i / 2][i % 2 * 2 + half] = upper_halves(w[2 * i], w[2 * i + 1]);
    }
  }
}

// first_multiply does d += a·w, 8 columns of which a lane has as a unit.
template <class N>
static __device__ __forceinline__ void first_multiply(float (&d)[4], const unsigned (&a)[2][4], uint4 w) {
  const unsigned b[2][2] = {{w.x, w.y}, {w.z, w.w}};
#pragma unroll
  for (int step = 0; step < 2; step++) multiply_add<N>(d, a[step], b[step]);
}

// first_store writes 8 channels of a position: relu(bias + scale·sum).
static __device__ __forceinline__ void first_store(unsigned short* hi, unsigned short* lo, float (&v)[8], const float* bias,
                                                   float scale) {
  const float largest = 65504; // of binary16
  unsigned h[4], l[4];
#pragma unroll
  for (int i = 0; i < 8; i++) v[i] = fminf(fmaxf(fmaf(scale, v[i], bias[i]), 0), largest);
#pragma unroll
  for (int i = 0; i < 4; i++) h[i] = pack_binary(v[2 * i], v[2 * i + 1]);
  *(uint4*)hi = make_uint4(h[0], h[1], h[2], h[3]);
  if (!lo) return;
#pragma unroll
  for (int i = 0; i < 4; i++)
    l[i] = pack_binary(v[2 * i] - Binary::widen(h[i] & 0xffff), v[2 * i + 1] - Binary::widen(h[i] >> 16));
  *(uint4*)lo = make_uint4(l[0], l[1], l[2], l[3]);
}

// The activation of a window. Blocks by patches across and down.
KERNEL_BOUNDED(first_split, FIRST_THREADS, 2,
               (const float* x, long width, long height, long x0, long y0, unsigned short* act_hi, unsigned short* act_lo,
                long w, long h, long c, uint4* packed)) {
  SHARED(unsigned, picture, FIRST_LINES * FIRST_PITCH);
  const first_weights u = {packed, c};
  const long left = (long)blockIdx.x * FIRST_WIDTH, top = (long)blockIdx.y * FIRST_HEIGHT;
  for (int i = threadIdx.x; i < FIRST_LINES * (FIRST_WIDTH + 2); i += FIRST_THREADS) {
    int column = i % (FIRST_WIDTH + 2), line = i / (FIRST_WIDTH + 2), colour = line % 3;
    long px = min(max(x0 + left + column - 1, 0L), width - 1), py = min(max(y0 + top + line / 3 - 1, 0L), height - 1);
    float v = (x[(colour * height + py) * width + px] - u.means()[colour]) * u.scales()[colour];
    fp16 hi = to_fp16(v);
    picture[line * FIRST_PITCH + column] = pack_pair(hi, to_fp16(v - widen_fp16(hi)));
  }
  __syncthreads();

  const int row = threadIdx.x / 32, lane = threadIdx.x % 32, q = lane % 4;
  if (top + row >= h) return;
  unsigned hi[2][2][4], lo[2][2][4]; // of both halves of a row
#pragma unroll
  for (int m = 0; m < 2; m++) first_operands(hi[m], lo[m], picture + (3 * row + q) * FIRST_PITCH + 16 * m + lane / 4);
  const uint4* weights = u.at(u.THERE, false) + lane;
  const float *biases = u.biases() + 8 * q, scale = *u.unscale();
  long to = ((top + row) * w + left + lane / 4) * c + 8 * q; // of the lane's first position
#pragma nounroll
  for (int groups = (int)c / FIRST_GROUP; groups; groups--) {
    float d[2][4][4] = {};
#pragma unroll
    for (int n = 0; n < 4; n++) {
      uint4 w_hi = weights[32 * n], w_lo = weights[u.plane() + 32 * n];
#pragma unroll
      for (int m = 0; m < 2; m++) {
        first_multiply<Binary>(d[m][n], lo[m], w_hi);
        first_multiply<Binary>(d[m][n], hi[m], w_lo);
        first_multiply<Binary>(d[m][n], hi[m], w_hi);
      }
    }
    float bias[8];
#pragma unroll
    for (int i = 0; i < 8; i++) bias[i] = biases[i];
#pragma unroll
    for (int m = 0; m < 2; m++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int on = 16 * m + 8 * half;
        if (left + on + lane / 4 >= w) continue;
        float v[8];
#pragma unroll
        for (int n = 0; n < 4; n++) v[2 * n] = d[m][n][2 * half], v[2 * n + 1] = d[m][n][2 * half + 1];
        long p = to + on * c;
        first_store(act_hi + p, act_lo ? act_lo + p : 0, v, bias, scale);
      }
    __syncwarp(); // lanes outside the window wait, for all multiply together
    weights += FIRST_FRAGMENTS, biases += FIRST_GROUP, to += FIRST_GROUP;
  }
}

// first_multiply_row does sum += weights·d: 27 places of 32 positions in a row, of which a
// lane has each eighth's unit of 8 channels, its share of two steps of 16.
static __device__ __forceinline__ void first_multiply_row(float (&sum)[4][2][4], const uint4* weights, const uint4 (&d)[4]) {
#pragma unroll
  for (int step = 0; step < 2; step++)
#pragma unroll
    for (int places = 0; places < 2; places++) {
      const uint4 w = weights[32 * (2 * places + step)];
      const unsigned a[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const unsigned b[2] = {step ? d[i].z : d[i].x, step ? d[i].w : d[i].y};
        multiply_add<Brain>(sum[i][places], a, b);
      }
    }
}

// dx += scale · (uᵀ * d) in the window, d the gradient before the ReLU, zeros around it;
// the picture's outermost pixels have what their copies around it are given, too. Blocks
// by the insides of patches across and down. Shared memory is 27 planes of products, then
// stages of the gradient, 2 or 3, in which a thread reads nothing but what it copied.
KERNEL_BOUNDED(first_back_split, FIRST_THREADS, 2,
               (float* dx, long width, long height, long x0, long y0, const unsigned short* d_hi, const unsigned short* d_lo,
                long w, long h, long c, uint4* packed, long stages)) {
  SHARED_DYNAMIC(float, products);
  uint4* staged = (uint4*)(products + 27 * FIRST_PLANE) + threadIdx.x;
  const shared_t to_copy = shared_address(staged);
  const first_weights u = {packed, c};
  const long left = (long)blockIdx.x * FIRST_INNER_WIDTH, top = (long)blockIdx.y * FIRST_INNER_HEIGHT;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, q = lane % 4;
  // A step is a plane of 32 channels of a row.
  const int planes = d_lo ? 2 : 1, in_row = (int)c / FIRST_GROUP * planes, steps = FIRST_DOWN / FIRST_WARPS * in_row;
  const unsigned short* even = d_lo ? d_lo : d_hi;
  auto copy = [&](int step, int stage) __attribute__((always_inline)) {
    const int part = step % in_row;
    const long px = left - 1 + lane / 4, py = top - 1 + warp + step / in_row * FIRST_WARPS; // of the lane's first position
    const unsigned short* from = (part % planes ? d_hi : even) + (py * w + px) * c + part / planes * FIRST_GROUP + 8 * q;
    if (step < steps) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool inside = px + 8 * i >= 0 && px + 8 * i < w && py >= 0 && py < h;
        copy16(to_copy + 16 * FIRST_THREADS * (4 * stage + i), inside ? from + 8 * i * c : d_hi, inside);
      }
    }
    copies_commit();
  };
  for (int s = 0; s < stages - 1; s++) copy(s, s);
  float sum[4][2][4] = {};
#pragma nounroll
  for (int s = 0, at = 0, part = 0; s < steps; s++) {
    if (stages == 2) copies_wait<0>();
    else copies_wait<1>();
    copy(s + (int)stages - 1, at == 0 ? (int)stages - 1 : at - 1);
    const uint4* weights = u.at(u.BACK, false) + part / planes * FIRST_FRAGMENTS + lane;
    uint4 d[4];
#pragma unroll
    for (int i = 0; i < 4; i++) d[i] = staged[(4 * at + i) * FIRST_THREADS];
    first_multiply_row(sum, weights, d);
    if (part % planes) first_multiply_row(sum, weights + u.plane(), d);
    if (++at == stages) at = 0;
    if (++part < in_row) continue;
    part = 0;
    float* to = products + lane / 4 * FIRST_PLANE + (warp + s / in_row * FIRST_WARPS) * FIRST_ACROSS + 2 * q;
#pragma unroll
    for (int places = 0; places < 4; places++) // 8 of them
#pragma unroll
      for (int i = 0; i < 4; i++) {
        float* v = sum[i][places / 2] + places % 2 * 2;
        float2 two;
        two.x = v[0], two.y = v[1];
        if (8 * places + lane / 4 < 27) *(float2*)(to + 8 * places * FIRST_PLANE + 8 * i) = two;
        v[0] = v[1] = 0;
      }
    __syncwarp(); // all multiply together
  }
  __syncthreads();

  for (int i = threadIdx.x; i < 3 * FIRST_INNER_WIDTH * FIRST_INNER_HEIGHT; i += FIRST_THREADS) {
    const int column = i % FIRST_INNER_WIDTH, line = i / FIRST_INNER_WIDTH % FIRST_INNER_HEIGHT;
    const int colour = i / (FIRST_INNER_WIDTH * FIRST_INNER_HEIGHT);
    if (left + column >= w || top + line >= h) continue;
    const long tx = x0 + left + column, ty = y0 + top + line;
    const float* at = products + colour * 9 * FIRST_PLANE + (line + 1) * FIRST_ACROSS + column + 1;
    // A position gives its place r to the row r − 1 below it. At the picture's ends what
    // goes to a row outside comes back.
    float all = 0;
    auto across = [&](int r, int down) __attribute__((always_inline)) {
      const float* from = at + 3 * r * FIRST_PLANE + down * FIRST_ACROSS;
      all += from[1] + from[FIRST_PLANE] + from[2 * FIRST_PLANE - 1];
      if (tx == 0) all += from[0];
      if (tx == width - 1) all += from[2 * FIRST_PLANE];
    };
    across(0, 1), across(1, 0), across(2, -1);
    if (ty == 0) across(0, 0);
    if (ty == height - 1) across(2, 0);
    dx[(colour * height + ty) * width + tx] += u.scales()[colour] * all;
  }
}
