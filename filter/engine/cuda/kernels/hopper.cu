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

// wgmma adds a product of 64 positions: d[k][e] is channel 8k+2(lane%4)+e%2 of position
// lane/4 + 8(e/2) + 16·warp. a and b are of N.
template <class N, int NT> __device__ __forceinline__ void wgmma(float (&d)[NT][4], unsigned long long a, unsigned long long b);

#ifdef __CUDA_ARCH__
#define D4(k) "+f"(d[k][0]), "+f"(d[k][1]), "+f"(d[k][2]), "+f"(d[k][3])
#define D16(k) D4(k), D4(k + 1), D4(k + 2), D4(k + 3)
#define R10(t) "%" #t "0,%" #t "1,%" #t "2,%" #t "3,%" #t "4,%" #t "5,%" #t "6,%" #t "7,%" #t "8,%" #t "9"
#define R16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define R32 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9," R10(1) "," R10(2) ",%30,%31"
#define R48 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9," R10(1) "," R10(2) "," R10(3) ",%40,%41,%42,%43,%44,%45,%46,%47"
#define R64 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9," R10(1) "," R10(2) "," R10(3) "," R10(4) "," R10(5) ",%60,%61,%62,%63"
#define WGMMA(N, type, columns, registers, a_, b_, ...)                                                          \
  template <> __device__ __forceinline__ void wgmma<N, columns / 8>(float (&d)[columns / 8][4],                  \
                                                                     unsigned long long a, unsigned long long b) { \
    asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {" registers "}, %" #a_   \
                 ", %" #b_ ", 1, 1, 1, 0, 0;"                                                                    \
                 : __VA_ARGS__ : "l"(a), "l"(b));                                                                \
  }
#define WGMMAS(N, type)                                        \
  WGMMA(N, type, 32, R16, 16, 17, D16(0))                      \
  WGMMA(N, type, 64, R32, 32, 33, D16(0), D16(4))              \
  WGMMA(N, type, 96, R48, 48, 49, D16(0), D16(4), D16(8))      \
  WGMMA(N, type, 128, R64, 64, 65, D16(0), D16(4), D16(8), D16(12))
WGMMAS(Binary, "f16")
WGMMAS(Brain, "bf16")
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
template <class N, int NT> void wgmma(float (&d)[NT][4], unsigned long long a, unsigned long long b) {
  auto at = [](unsigned long long of, int row, int k) {
    const char* base = block_of_thread->dynamic + (of & 0x3fff) * 16;
    base += row / 8 * ((of >> 32 & 0x3fff) * 16) + k / 8 * ((of >> 16 & 0x3fff) * 16);
    unsigned short v;
    memcpy(&v, base + row % 8 * 16 + k % 8 * 2, 2);
    return N::widen(v);
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

// squares multiplies two squares of 8×8 positions side by side.
template <class N, class P, int NT>
__device__ __forceinline__ void squares(float (&left)[NT][4], float (&right)[NT][4], shared_t square, shared_t weights) {
  const unsigned long long positions = descriptor(16 * P::PLANE, 16 * P::PITCH);
  const unsigned long long w = located(descriptor(16 * P::BN, 128), weights);
  wgmma<N>(left, located(positions, square), w);
  wgmma<N>(right, located(positions, square + 16 * 8), w);
}

// groups is how a block's groups of four warps share a patch: each has 8 rows, as two
// squares of 8×8 positions, and all NT·8 channels.
template <int NT, int G, class E>
__device__ __forceinline__ void product(const product_job& j, const E& epilogue, int stages) {
  typedef patch<9, 8 * G, 8 * NT, 128 * G> P;
  typedef typename E::Number Number;
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
  const int first = P::slices(j.of), n = first + (E::PLUS ? P::slices(j.plus) : 0);
  // At first all stages are filled. A stage is read by the products of its own turn and,
  // while they are not waited for, the next: it is filled again in the turn after that.
  auto next = [&](int slice, int stage) __attribute__((always_inline)) {
    if (E::PLUS && slice == first) load.aim(j.plus, P::PLUS_UNITS);
    if (slice < n) load.next(stage);
    copies_commit();
  };
  for (int s = 0; s < stages; s++) next(s, s);
  // turn returns stage at, of slice s, when it can be read, and sees to a later one.
  int at = 0;
  auto turn = [&](int s) __attribute__((always_inline)) {
    // Of the copies that may still be under way: those of later stages, or of one turn.
    if (stages == 2 || (stages == 4 && s >= stages)) copies_wait<1>();
    else if (s >= stages) copies_wait<0>();
    else if (stages == 3) copies_wait<2>();
    else copies_wait<3>();
    copies_visible();
    __syncthreads();
    if (s >= 2) next(s + stages - 2, (at + stages - 2) % stages);
    else copies_commit();
    arrival_wait(load.arrivals + 8 * at, turns >> at & 1);
    turns ^= 1u << at;
    shared_t stage = base + at * P::STAGE;
    if (++at == stages) at = 0;
    return stage;
  };
  const int group_at = 16 * group * 8 * P::PITCH, weights_at = 16 * P::POSITION_UNITS;
  for (int s = 0; s < first; s++) {
    shared_t stage = turn(s);
    wgmma_begin();
#pragma unroll
    for (int step = 0; step < P::STEPS; step++)
      squares<Number, P>(left, right, stage + group_at + 16 * P::step_at(step), stage + weights_at + 16 * step * 2 * P::BN);
    wgmma_commit();
    wgmma_wait<1>();
  }
  if constexpr (E::PLUS != 0) if (n > first) {
    wgmma_wait<0>();
    const float by = epilogue.plus_scale();
#pragma unroll
    for (int k = 0; k < NT; k++)
#pragma unroll
      for (int e = 0; e < 4; e++) left[k][e] *= by, right[k][e] *= by;
    for (int s = first; s < n; s++) {
      shared_t stage = turn(s);
      wgmma_begin();
      squares<Binary, P>(left, right, stage + group_at + 16 * P::step_at(P::CENTRE), stage + weights_at);
      wgmma_commit();
      wgmma_wait<1>();
    }
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

// wgmma_there_C_R and wgmma_back_C_R: a 3×3 convolution, C output channels and R rows of
// 16 positions a block.
#define CONV(C, R, BLOCKS)                                                     \
  KERNEL_BOUNDED(wgmma_there_##C##_##R, 16 * R, BLOCKS, THERE_PARAMETERS) {    \
    product<C / 8, R / 8>(THERE_JOB, THERE_EPILOGUE, (int)stages);             \
  }                                                                            \
  KERNEL_BOUNDED(wgmma_back_##C##_##R, 16 * R, BLOCKS, BACK_PARAMETERS) {      \
    product<C / 8, R / 8>(BACK_JOB, BACK_EPILOGUE, (int)stages);               \
  }

CONV(128, 16, 1)
CONV(128, 8, 1)
CONV(96, 16, 1)
CONV(96, 8, 2)
CONV(64, 16, 2)
CONV(64, 8, 2)
CONV(32, 16, 2)
CONV(32, 8, 4)
