// The first convolution, there and back: between the planar picture and the first
// activation, in a window of w×h whose corner is the picture's (x0, y0). These are for
// float32; tensor cores have their own (first_mma.cuh).
#include "eight.cuh"

enum {
  first_width = 32, // of a block's patch
  first_height = 8,
  first_threads = 256,
  // There: each thread does four neighbours and eight of a block's channels.
  first_run = 4,
  first_channels = 64,
  first_pitch = first_width + 4,
  first_rows = first_height + 2,
  // Back: a slice of channels at a time, two for each warp, and a column of the patch for
  // each lane. The pitch keeps what the two halves of a slice write in different banks.
  first_slice = 16,
  first_side = first_width + 2,
  first_places = first_side * first_rows,
  first_plane = first_places + 2,
  first_sums = 3 * first_height,
};

// Weights of the first convolution: u[place][colour][c], place = 3·row + column, then c
// biases, three means and three inverse deviations.
__device__ __forceinline__ const float *first_biases(const float *u, long c) { return u + 27 * c; }
__device__ __forceinline__ const float *first_means(const float *u, long c) { return u + 28 * c; }
__device__ __forceinline__ const float *first_scales(const float *u, long c) { return u + 28 * c + 3; }

__device__ __forceinline__ long within(long i, long n) { return min(max(i, 0L), n - 1); }

// The activation is relu(bias + u * (x − mean)·scale), x (3, height, width) with its border
// replicated. Blocks by patches across and down, and by 64 channels.
KERNEL(first_f32, (const float *x, long width, long height, long x0, long y0, float *act,
                   long w, long h, long c, const float *u)) {
  SHARED(float, picture, 3 * first_rows * first_pitch);
  SHARED(float4, weights, 27 * first_channels / 4);
  const int o0 = blockIdx.z * first_channels, outputs = min(c - o0, (long)first_channels), quads = outputs / 4;
  const long left = (long)blockIdx.x * first_width, top = (long)blockIdx.y * first_height;
  const float *means = first_means(u, c), *scales = first_scales(u, c);
  for (int i = threadIdx.x; i < 3 * first_places; i += first_threads) {
    int column = i % first_side, row = i / first_side % first_rows, colour = i / first_places;
    long px = within(x0 + left + column - 1, width), py = within(y0 + top + row - 1, height);
    picture[(colour * first_rows + row) * first_pitch + column] =
        (x[(colour * height + py) * width + px] - means[colour]) * scales[colour];
  }
  for (int i = threadIdx.x; i < 27 * quads; i += first_threads)
    weights[i / quads * (first_channels / 4) + i % quads] = *(const float4 *)(u + i / quads * c + o0 + i % quads * 4);
  __syncthreads();

  const int groups = outputs / eight, runs = first_width / first_run;
  for (int i = threadIdx.x; i < groups * runs * first_height; i += first_threads) {
    int group = i % groups, px = i / groups % runs * first_run, py = i / groups / runs;
    if (top + py >= h || left + px >= w) continue;
    const float *bias = first_biases(u, c) + o0 + group * eight;
    float8 sum[first_run];
#pragma unroll
    for (int p = 0; p < first_run; p++) sum[p] = make_float8(*(const float4 *)bias, *(const float4 *)(bias + 4));
    for (int row = 0; row < 3; row++)
      for (int colour = 0; colour < 3; colour++) {
        const float *from = picture + (colour * first_rows + py + row) * first_pitch + px;
        float v[first_run + 2];
#pragma unroll
        for (int p = 0; p < first_run + 2; p++) v[p] = from[p];
#pragma unroll
        for (int column = 0; column < 3; column++) {
          const float4 *at = weights + ((row * 3 + column) * 3 + colour) * (first_channels / 4) + group * 2;
          float8 weight = make_float8(at[0], at[1]);
#pragma unroll
          for (int p = 0; p < first_run; p++)
#pragma unroll
            for (int k = 0; k < eight; k++) sum[p].v[k] = fmaf(v[p + column], weight.v[k], sum[p].v[k]);
        }
      }
#pragma unroll
    for (int p = 0; p < first_run; p++) {
      if (left + px + p >= w) break;
#pragma unroll
      for (int k = 0; k < eight; k++) sum[p].v[k] = sum[p].v[k] > 0 ? sum[p].v[k] : 0;
      store8(F32(act, 0), ((top + py) * w + left + px + p) * c + o0 + group * eight, sum[p]);
    }
  }
}

// dx += scale · (uᵀ * d) in the window, d the gradient before the ReLU, zeros around it.
// The border's copies are left to first_border. Blocks by patches across and down.
KERNEL(first_back_f32, (float *dx, long width, long height, long x0, long y0, float *d,
                        long w, long h, long c, const float *u)) {
  SHARED(float, planes, first_sums * first_threads); // first a slice, [channel][place], then sums
  SHARED(float4, weights, 9 * first_slice);          // [place][channel], three colours
  static_assert(first_slice * first_plane <= first_sums * first_threads, "a slice is the smaller");
  const long left = (long)blockIdx.x * first_width, top = (long)blockIdx.y * first_height;
  const int warp = threadIdx.x / warp_size, lane = threadIdx.x % warp_size;
  float sum[first_height][3];
#pragma unroll
  for (int r = 0; r < first_height; r++) sum[r][0] = sum[r][1] = sum[r][2] = 0;
  for (long o = 0; o < c; o += first_slice) {
    __syncthreads();
    for (int i = threadIdx.x; i < 2 * first_places; i += first_threads) {
      int place = i / 2, half = i % 2 * eight;
      long px = left + place % first_side - 1, py = top + place / first_side - 1;
      float8 v = {};
      if (px >= 0 && px < w && py >= 0 && py < h) v = load8(F32(d, 0), (py * w + px) * c + o + half);
#pragma unroll
      for (int k = 0; k < eight; k++) planes[(half + k) * first_plane + place] = v.v[k];
    }
    for (int i = threadIdx.x; i < 9 * first_slice; i += first_threads) {
      const float *at = u + i / first_slice * 3 * c + o + i % first_slice;
      weights[i] = make_float4(at[0], at[c], at[2 * c], 0);
    }
    __syncthreads();
    for (int channel = 2 * warp; channel < 2 * warp + 2; channel++)
      for (int column = 0; column < 3; column++) {
        const float *from = planes + channel * first_plane + lane + column;
        float v[first_rows];
#pragma unroll
        for (int r = 0; r < first_rows; r++) v[r] = from[r * first_side];
#pragma unroll
        for (int row = 0; row < 3; row++) { // of the filter, turned round
          float4 weight = weights[((2 - row) * 3 + 2 - column) * first_slice + channel];
#pragma unroll
          for (int r = 0; r < first_height; r++) {
            sum[r][0] = fmaf(v[r + row], weight.x, sum[r][0]);
            sum[r][1] = fmaf(v[r + row], weight.y, sum[r][1]);
            sum[r][2] = fmaf(v[r + row], weight.z, sum[r][2]);
          }
        }
      }
  }
  __syncthreads();
#pragma unroll
  for (int r = 0; r < first_height; r++)
#pragma unroll
    for (int colour = 0; colour < 3; colour++)
      planes[((warp * 3 + colour) * first_height + r) * warp_size + lane] = sum[r][colour];
  __syncthreads();
  const float *scales = first_scales(u, c);
  for (int i = threadIdx.x; i < first_sums * warp_size; i += first_threads) {
    int colour = i / (first_height * warp_size);
    long px = left + i % warp_size, py = top + i / warp_size % first_height;
    if (px >= w || py >= h) continue;
    float all = 0;
    for (int k = 0; k < first_threads / warp_size; k++) all += planes[k * first_sums * warp_size + i];
    dx[(colour * height + y0 + py) * width + x0 + px] += scales[colour] * all;
  }
}

// dx += what the copies of the picture's outermost pixels are given, which lie around it.
// A warp for each pixel of the window's border: 2·(w + h) of them.
KERNEL(first_border_f32, (float *dx, long width, long height, long x0, long y0, float *d,
                          long w, long h, long c, const float *u)) {
  const int lane = threadIdx.x % warp_size;
  long i = thread_number() / warp_size, px, py;
  if (i < 2 * w)
    px = i % w, py = i / w * (h - 1);
  else // the corners are done
    px = (i - 2 * w) / h * (w - 1), py = (i - 2 * w) % h;
  if (i >= 2 * (w + h) || (i >= 2 * w && (py == 0 || py == h - 1))) return;
  float sum[3] = {0, 0, 0};
  for (int down = -1; down <= 1; down++)
    for (int across = -1; across <= 1; across++) {
      if (down == 0 && across == 0) continue;
      if (down && y0 + py != (down < 0 ? 0 : height - 1)) continue;
      if (across && x0 + px != (across < 0 ? 0 : width - 1)) continue;
      for (int place = 0; place < 9; place++) {
        long sx = px + across + 1 - place % 3, sy = py + down + 1 - place / 3;
        if (sx < 0 || sx >= w || sy < 0 || sy >= h) continue;
        for (long o = lane; o < c; o += warp_size) {
          float v = d[(sy * w + sx) * c + o];
#pragma unroll
          for (int colour = 0; colour < 3; colour++)
            sum[colour] = fmaf(v, u[(place * 3 + colour) * c + o], sum[colour]);
        }
      }
    }
#pragma unroll
  for (int colour = 0; colour < 3; colour++) {
#pragma unroll
    for (int mask = warp_size / 2; mask; mask /= 2) sum[colour] += warp_xor(sum[colour], mask);
    if (lane == colour)
      dx[(colour * height + y0 + py) * width + x0 + px] += first_scales(u, c)[colour] * sum[colour];
  }
}

// The n pixels of dx whose mask is 0 become 0, in all planes.
KERNEL(clear_masked, (float *dx, const float *mask, long n)) {
  for (long i = thread_number(); i < n; i += (long)gridDim.x * blockDim.x)
    if (mask[i] == 0) dx[i] = dx[i + n] = dx[i + 2 * n] = 0;
}
