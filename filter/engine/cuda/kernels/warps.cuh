// The product of product.cuh by mma.sync, from sm_80 on.
#pragma once
#include "product.cuh"

// warps is how a block's warps share a patch: WM×WN of them, each with 4 rows of 16
// positions and NT·8 channels, whose products lie in its registers.
template <class N, int TAPS, int NT, int WM, int WN> struct warps {
  typedef patch<TAPS, 4 * WM, 8 * NT * WN, 32 * WM * WN> P;
  float d[4][NT][4];
  int row, column, lane; // of the warp's first position and channel

  struct operands { unsigned a[4][4], b[NT][2]; };

  __device__ __forceinline__ warps() {
    int warp = threadIdx.x / 32;
    lane = threadIdx.x % 32, row = warp / WN * 4, column = warp % WN * 8 * NT;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++)
#pragma unroll
        for (int e = 0; e < 4; e++) d[i][k][e] = 0;
  }

  // fetch reads what is multiplied, at so many units from the first position and weight.
  __device__ __forceinline__ void fetch(operands& o, shared_t a, shared_t b, int position, int weight) const {
#pragma unroll
    for (int i = 0; i < 4; i++) load_matrices<false>(o.a[i], a + 16 * (position + i * P::PITCH));
#pragma unroll
    for (int k = 0; k < NT; k += 2) {
      unsigned r[4];
      load_matrices<false>(r, b + 16 * (weight + k * 8));
      o.b[k][0] = r[0], o.b[k][1] = r[1], o.b[k + 1][0] = r[2], o.b[k + 1][1] = r[3];
    }
  }

  template <class M> __device__ __forceinline__ void multiply(const operands& o) {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++) multiply_add<M>(d[i][k], o.a[i], o.b[k]);
  }

  // Where this lane reads of a stage.
  __device__ __forceinline__ shared_t positions(shared_t stage) const {
    int m = lane / 8, r = lane % 8;
    return stage + 16 * (m / 2 * P::PLANE + row * P::PITCH + m % 2 * 8 + r);
  }
  __device__ __forceinline__ shared_t weights(shared_t stage) const {
    int m = lane / 8, r = lane % 8;
    return stage + 16 * (P::POSITION_UNITS + m % 2 * P::BN + column + m / 2 * 8 + r);
  }

  // add multiplies a stage; what the next step needs is read meanwhile.
  __device__ __forceinline__ void add(shared_t stage) {
    shared_t a = positions(stage), b = weights(stage);
    operands o[2];
    fetch(o[0], a, b, P::step_at(0), 0);
#pragma unroll
    for (int s = 0; s < P::STEPS; s++) {
      if (s + 1 < P::STEPS) fetch(o[(s + 1) % 2], a, b, P::step_at(s + 1), (s + 1) * 2 * P::BN);
      multiply<N>(o[s % 2]);
    }
  }

  // plus multiplies a stage of the job's plus.
  __device__ __forceinline__ void plus(shared_t stage) {
    operands o;
    fetch(o, positions(stage), weights(stage), P::step_at(P::CENTRE), 0);
    multiply<Binary>(o);
  }

  __device__ __forceinline__ void scale(float by) {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int k = 0; k < NT; k++)
#pragma unroll
        for (int e = 0; e < 4; e++) d[i][k][e] *= by;
  }
};

// product goes through the slices with some in flight, then hands each position's
// channels to the epilogue.
template <int TAPS, int NT, int WM, int WN, class E>
__device__ __forceinline__ void product(const product_job& j, const E& epilogue, int stages) {
  typedef warps<typename E::Number, TAPS, NT, WM, WN> W;
  typedef typename W::P P;
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  int across = (int)((j.w + P::W - 1) / P::W);
  int x0 = blockIdx.x % across * P::W, y0 = blockIdx.x / across * P::H;
  loader<P, false> load(j, base, stages, x0, y0, blockIdx.y);
  W w;
  const int first = P::slices(j.of), n = first + (E::PLUS ? P::slices(j.plus) : 0);
  auto next = [&](int slice, int stage) __attribute__((always_inline)) {
    if (E::PLUS && slice == first) load.aim(j.plus, P::PLUS_UNITS);
    if (slice < n) load.next(stage);
    copies_commit();
  };
  for (int s = 0; s < stages - 1; s++) next(s, s);
  for (int s = 0, at = 0; s < n; s++) {
    if (stages == 2) copies_wait<0>();
    else copies_wait<1>();
    __syncthreads(); // all have slice s, and none reads the stage before any more
    next(s + stages - 1, at == 0 ? stages - 1 : at - 1);
    if constexpr (E::PLUS != 0)
      if (s == first) w.scale(epilogue.plus_scale());
    if (!E::PLUS || s < first) w.add(base + at * P::STAGE);
    else w.plus(base + at * P::STAGE);
    if (++at == stages) at = 0;
  }
  int channel = (int)blockIdx.y * P::BN + w.column + w.lane % 4 * 2 * NT;
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float v[2 * NT];
#pragma unroll
      for (int k = 0; k < NT; k++) v[2 * k] = w.d[i][k][2 * half], v[2 * k + 1] = w.d[i][k][2 * half + 1];
      epilogue.template at<NT>(j, x0 + w.lane / 4 + 8 * half, y0 + w.row + i, channel, v);
    }
}
