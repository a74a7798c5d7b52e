// Memory of the devices, and copies. A device's memory is the host's, but every copy must
// lie in one allocation of the current context. New and freed memory is NaN.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "state.h"

struct Allocation {
  size_t bytes;
  CUcontext context;
};

static std::mutex mutex;
static std::map<CUdeviceptr, Allocation> allocations;

// Behind each allocation, to see a kernel that wrote too far.
static constexpr size_t fence = 256;

long memory_size() { return setting("FAKE_CUDA_MEMORY", 4l << 30); }

// With the mutex held.
static size_t used(int device) {
  size_t sum = 0;
  for (auto &[p, a] : allocations)
    if (a.context->device == device) sum += a.bytes;
  return sum;
}

static void release(CUdeviceptr p, size_t bytes) {
  for (size_t i = 0; i < fence; i++)
    if (((unsigned char *)p)[bytes + i] != 0xFE) {
      fprintf(stderr, "test driver: something wrote at byte %zu behind an allocation of %zu\n", i, bytes);
      abort();
    }
  memset((void *)p, 0xFF, bytes);
  free((void *)p);
}

void free_memory_of(CUcontext context) {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto i = allocations.begin(); i != allocations.end();) {
    if (i->second.context != context) {
      ++i;
      continue;
    }
    release(i->first, i->second.bytes);
    i = allocations.erase(i);
  }
}

// Whether bytes at p are of one allocation of the current context.
static CUresult inside(CUdeviceptr p, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  auto i = allocations.upper_bound(p);
  if (i == allocations.begin()) return CUDA_ERROR_INVALID_VALUE;
  --i;
  bool ok = i->second.context == current && p - i->first <= i->second.bytes && bytes <= i->second.bytes - (p - i->first);
  return ok ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult copy(CUstream stream, void *to, const void *from, size_t bytes) {
  return submit(stream, [=] {
    memmove(to, from, bytes);
    return CUDA_SUCCESS;
  });
}

template <class T> static CUresult set(CUstream stream, CUdeviceptr p, T value, size_t n) {
  TRY(inside(p, n * sizeof(T)));
  return submit(stream, [=] {
    for (size_t i = 0; i < n; i++) ((T *)p)[i] = value;
    return CUDA_SUCCESS;
  });
}

extern "C" {

CUresult cuMemGetInfo_v2(size_t *available, size_t *total) {
  TRY(usable());
  std::lock_guard<std::mutex> lock(mutex);
  size_t all = memory_size(), taken = used(current->device);
  *available = taken < all ? all - taken : 0;
  *total = all;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t bytes) {
  TRY(usable_outside_capture());
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard<std::mutex> lock(mutex);
  if (used(current->device) + bytes > (size_t)memory_size()) return CUDA_ERROR_OUT_OF_MEMORY;
  void *memory;
  if (posix_memalign(&memory, 256, bytes + fence)) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(memory, 0xFF, bytes);
  memset((char *)memory + bytes, 0xFE, fence);
  *p = (CUdeviceptr)memory;
  allocations[*p] = {bytes, current};
  return CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr p) {
  TRY(usable_outside_capture());
  std::lock_guard<std::mutex> lock(mutex);
  auto i = allocations.find(p);
  if (i == allocations.end() || i->second.context != current) return CUDA_ERROR_INVALID_VALUE;
  release(p, i->second.bytes);
  allocations.erase(i);
  return CUDA_SUCCESS;
}

CUresult cuMemHostAlloc(void **p, size_t bytes, unsigned) {
  TRY(usable_outside_capture());
  if (!bytes) return CUDA_ERROR_INVALID_VALUE;
  if (posix_memalign(p, 4096, bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(*p, 0xFF, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void *p) {
  TRY(usable_outside_capture());
  free(p);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  TRY(usable());
  TRY(inside(to, bytes));
  return copy(stream, (void *)to, from, bytes);
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  TRY(usable());
  TRY(inside(from, bytes));
  return copy(stream, to, (void *)from, bytes);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  TRY(usable());
  TRY(inside(to, bytes));
  TRY(inside(from, bytes));
  return copy(stream, (void *)to, (void *)from, bytes);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  TRY(usable_outside_capture());
  return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr);
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  TRY(usable_outside_capture());
  return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr);
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  TRY(usable_outside_capture());
  return cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr);
}

CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t n, CUstream stream) {
  TRY(usable());
  return set(stream, p, value, n);
}

CUresult cuMemsetD32Async(CUdeviceptr p, unsigned value, size_t n, CUstream stream) {
  TRY(usable());
  return set(stream, p, value, n);
}

CUresult cuMemsetD8_v2(CUdeviceptr p, unsigned char value, size_t n) {
  TRY(usable_outside_capture());
  return set(nullptr, p, value, n);
}

CUresult cuMemsetD32_v2(CUdeviceptr p, unsigned value, size_t n) {
  TRY(usable_outside_capture());
  return set(nullptr, p, value, n);
}
}
