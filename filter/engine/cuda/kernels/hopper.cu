// The 3×3 convolution with wgmma, which only GPUs of compute capability 9.0 have: four
// warps multiply 64 positions × BN channels straight from shared memory (PTX ISA 8.0,
// section 9.7.14), nearly twice as fast as mma.sync does there. Everything else is
// tensor.cu's.
#include "product.cuh"

// descriptor says where a matrix without swizzling begins: its 8×16-byte parts follow
// each other after along bytes in the direction that is summed, across in the other.
__device__ __forceinline__ unsigned long long descriptor(unsigned along, unsigned across) {
  return (unsigned long long)(along / 16) << 16 | (unsigned long long)(across / 16) << 32;
}

// The registers of a product of 64 positions: d[k][e] is channel 8k+2(lane%4)+e%2 of
// position lane/4 + 8(e/2) + 16·warp.
template <int NT> __device__ __forceinline__ void wgmma(float (&d)[NT][4], unsigned long long a, unsigned long long b);

#ifdef __CUDA_ARCH__
#define D4(k) "+f"(d[k][0]), "+f"(d[k][1]), "+f"(d[k][2]), "+f"(d[k][3])
#define D16(k) D4(k), D4(k + 1), D4(k + 2), D4(k + 3)
#define R8(a) "%" #a "0,%" #a "1,%" #a "2,%" #a "3,%" #a "4,%" #a "5,%" #a "6,%" #a "7,"
template <> __device__ __forceinline__ void wgmma<4>(float (&d)[4][4], unsigned long long a, unsigned long long b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
               "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, %16, %17, 1, 1, 1, 0, 0;"
               : D16(0) : "l"(a), "l"(b));
}
template <> __device__ __forceinline__ void wgmma<8>(float (&d)[8][4], unsigned long long a, unsigned long long b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
               "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,"
               "%28,%29,%30,%31}, %32, %33, 1, 1, 1, 0, 0;"
               : D16(0), D16(4) : "l"(a), "l"(b));
}
template <> __device__ __forceinline__ void wgmma<12>(float (&d)[12][4], unsigned long long a, unsigned long long b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 "
               "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,"
               "%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47}, %48, %49, 1, 1, 1, 0, 0;"
               : D16(0), D16(4), D16(8) : "l"(a), "l"(b));
}
template <> __device__ __forceinline__ void wgmma<16>(float (&d)[16][4], unsigned long long a, unsigned long long b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
               "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,"
               "%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,"
               "%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, 1, 1, 1, 0, 0;"
               : D16(0), D16(4), D16(8), D16(12) : "l"(a), "l"(b));
}
__device__ __forceinline__ void wgmma_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int pending> __device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}
// What copies have written becomes visible to wgmma, which reads by another way.
__device__ __forceinline__ void copies_visible() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
// located puts a place in shared memory into a descriptor.
__device__ __forceinline__ unsigned long long located(unsigned long long of, shared_t at) {
  return of | (at & 0x3ffff) >> 4;
}
#else
template <int NT> void wgmma(float (&d)[NT][4], unsigned long long a, unsigned long long b) {
  auto at = [](unsigned long long of, int row, int k) {
    const char* base = block_of_thread->dynamic + (of & 0x3fff) * 16;
    base += row / 8 * ((of >> 32 & 0x3fff) * 16) + k / 8 * ((of >> 16 & 0x3fff) * 16);
    bf16 v;
    memcpy(&v, base + row % 8 * 16 + k % 8 * 2, 2);
    return from_bf16(v);
  };
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
  for (int n = 0; n < NT; n++)
    for (int e = 0; e < 4; e++)
      for (int k = 0; k < 16; k++)
        d[n][e] += at(a, 16 * warp + lane / 4 + e / 2 * 8, k) * at(b, 8 * n + lane % 4 * 2 + e % 2, k);
}
static void wgmma_begin() {}
static void wgmma_commit() {}
template <int pending> static void wgmma_wait() {}
static void copies_visible() {}
static unsigned long long located(unsigned long long of, shared_t at) {
  return of | (unsigned long long)(at - block_of_thread->dynamic) >> 4;
}
#endif

// groups is how a block's groups of four warps share a patch: each has 8 rows, as two
// squares of 8×8 positions, and all NT·8 channels.
template <int NT, int G, class E>
__device__ __forceinline__ void product(const product_job& j, const E& epilogue, int stages) {
  typedef patch<9, 8 * G, 8 * NT, 128 * G> P;
  SHARED_DYNAMIC(char, memory);
  shared_t base = shared_address(memory);
  int across = (int)((j.w + P::W - 1) / P::W);
  int x0 = blockIdx.x % across * P::W, y0 = blockIdx.x / across * P::H;
  loader<P, true> load(j, base, stages, x0, y0, blockIdx.y);
  if (threadIdx.x == 0) arrivals_init(load.arrivals, stages);
  __syncthreads();
  unsigned turns = 0; // bit i: how often stage i has been filled, its lowest bit
  int group = threadIdx.x / 128, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  float left[NT][4] = {}, right[NT][4] = {};
  int n = (int)(j.in / (8 * P::PLANES) * j.terms);
  // A stage is read by the products of its own turn and, while they are not waited for,
  // the next: it is filled again in the turn after that.
  int distance = stages - 2;
  for (int s = 0; s < distance; s++) {
    if (s < n) load.next(s);
    copies_commit();
  }
  for (int s = 0, at = 0; s < n; s++) {
    if (stages == 3) copies_wait<0>();
    else copies_wait<1>();
    copies_visible();
    __syncthreads();
    if (s + distance < n) load.next((at + distance) % stages);
    copies_commit();
    shared_t a = base + at * P::STAGE + 16 * group * 8 * P::PITCH, b = base + at * P::STAGE + 16 * P::POSITION_UNITS;
    arrival_wait(load.arrivals + 8 * at, turns >> at & 1);
    turns ^= 1u << at;
    wgmma_begin();
#pragma unroll
    for (int step = 0; step < P::STEPS; step++) {
      unsigned long long w = located(descriptor(16 * P::BN, 128), b + 16 * step * 2 * P::BN);
      shared_t square = a + 16 * P::step_at(step);
      wgmma<NT>(left, located(descriptor(16 * P::PLANE, 16 * P::PITCH), square), w);
      wgmma<NT>(right, located(descriptor(16 * P::PLANE, 16 * P::PITCH), square + 16 * 8), w);
    }
    wgmma_commit();
    wgmma_wait<1>();
    if (++at == stages) at = 0;
  }
  wgmma_wait<0>();
  int channel = (int)blockIdx.y * P::BN + lane % 4 * 2 * NT;
#pragma unroll
  for (int half = 0; half < 4; half++) {
    float v[2 * NT];
    int e = half % 2 * 2;
#pragma unroll
    for (int k = 0; k < NT; k++) {
      v[2 * k] = half < 2 ? left[k][e] : right[k][e];
      v[2 * k + 1] = half < 2 ? left[k][e + 1] : right[k][e + 1];
    }
    epilogue.template at<NT>(j, x0 + half / 2 * 8 + lane / 4, y0 + group * 8 + warp * 2 + half % 2, channel, v);
  }
}

// wgmma_C_R: a 3×3 convolution, C output channels and R rows of 16 positions a block.
#define CONV(C, R, BLOCKS)                                                                                            \
  KERNEL_BOUNDED(wgmma_##C##_##R, 16 * R, BLOCKS,                                                                     \
                 (const bf16* src_hi, const bf16* src_lo, const bf16* w_hi, const bf16* w_lo, const float* bias,      \
                  bf16* dst_hi, bf16* dst_lo, const bf16* gate, long h, long w, long in, long out, long terms,        \
                  long stages)) {                                                                                     \
    product_job j = {src_hi, src_lo, w_hi, w_lo, dst_hi, dst_lo, gate, h, w, in, out, terms};                         \
    conv_epilogue e = {bias};                                                                                         \
    product<C / 8, R / 8>(j, e, (int)stages);                                                                         \
  }

CONV(128, 16, 1)
CONV(128, 8, 1)
CONV(96, 16, 1)
CONV(96, 8, 2)
CONV(64, 16, 2)
CONV(64, 8, 2)
CONV(32, 16, 2)
CONV(32, 8, 4)
