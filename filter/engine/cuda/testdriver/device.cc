// Devices and contexts.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "state.h"

thread_local CUcontext current;
static bool ready;

long setting(const char *name, long otherwise) {
  const char *v = getenv(name);
  return v && *v ? atol(v) : otherwise;
}

static long devices() { return setting("FAKE_CUDA_DEVICES", 1); }
long compute_capability() { return setting("FAKE_CUDA_CC", 80); }
long memory_size();
void free_memory_of(CUcontext);

CUresult usable() {
  if (!ready) return CUDA_ERROR_NOT_INITIALIZED;
  if (!current) return CUDA_ERROR_INVALID_CONTEXT;
  if (current->launches >= setting("FAKE_CUDA_LOSE_AFTER", INT64_MAX)) current->lost = true;
  return current->lost ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS;
}

extern "C" {

CUresult cuInit(unsigned flags) {
  if (flags) return CUDA_ERROR_INVALID_VALUE;
  if (devices() <= 0) return CUDA_ERROR_NO_DEVICE;
  ready = true;
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
  *version = 12000;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *n) {
  if (!ready) return CUDA_ERROR_NOT_INITIALIZED;
  *n = devices();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int i) {
  if (i < 0 || i >= devices()) return CUDA_ERROR_INVALID_DEVICE;
  *device = i;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int n, CUdevice device) {
  snprintf(name, n, "test driver %d", device);
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
  *bytes = memory_size();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  long cc = compute_capability();
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: *value = 1024; break;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: *value = 64; break;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: *value = INT32_MAX; break;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: *value = 65535; break;
  case CU_DEVICE_ATTRIBUTE_WARP_SIZE: *value = 32; break;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 2; break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = cc / 10; break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = cc % 10; break;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: *value = 48 << 10; break;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    *value = (cc >= 90 ? 227 : cc == 80 ? 163 : cc > 80 ? 99 : cc >= 70 ? 96 : 48) << 10;
    break;
  default: return CUDA_ERROR_NOT_SUPPORTED;
  }
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *context, unsigned, CUdevice device) {
  if (!ready) return CUDA_ERROR_NOT_INITIALIZED;
  if (device < 0 || device >= devices()) return CUDA_ERROR_INVALID_DEVICE;
  *context = current = new CUctx_st{device};
  return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext context) {
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  free_memory_of(context);
  if (current == context) current = nullptr;
  delete context;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  current = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
  *context = current;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  TRY(usable());
  *device = current->device;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) { return usable_outside_capture(); }
}
