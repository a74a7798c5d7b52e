// Modules, functions and launches. A module's PTX is not run: it says which kernels there
// are and what they take, and the kernel of that name is run that g++ made of its source.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "state.h"

struct CUmod_st {
  std::string ptx;
};

struct CUfunc_st {
  Kernel kernel;
  long most_threads;
  unsigned most_dynamic = 48 << 10;
};

// Kernels register themselves as the library is opened.
static std::map<std::string, Kernel> &kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

Registered::Registered(const char *name, int parameters, void (*run)(void **)) {
  if (!kernels().emplace(name, Kernel{name, parameters, run}).second) {
    fprintf(stderr, "test driver: two kernels are named %s\n", name);
    abort();
  }
}

// The number after a word of the PTX, or otherwise.
static long number_after(const std::string &text, const char *word, long otherwise) {
  size_t at = text.find(word);
  return at == std::string::npos ? otherwise : atol(text.c_str() + at + strlen(word));
}

static int count(const std::string &text, const char *word) {
  int n = 0;
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at++) n++;
  return n;
}

extern "C" {

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  TRY(usable_outside_capture());
  std::string ptx = (const char *)image;
  long target = number_after(ptx, ".target sm_", 0);
  if (!target || ptx.find(".entry ") == std::string::npos) return CUDA_ERROR_INVALID_PTX;
  bool exactly = ptx.find(".target sm_" + std::to_string(target) + "a") != std::string::npos;
  if (target > compute_capability() || (exactly && target != compute_capability())) return CUDA_ERROR_NO_BINARY_FOR_GPU;
  *module = new CUmod_st{std::move(ptx)};
  return CUDA_SUCCESS;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, CUjit_option *, void **) {
  return cuModuleLoadData(module, image);
}

CUresult cuModuleUnload(CUmodule module) {
  delete module;
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  TRY(usable());
  size_t at = module->ptx.find(std::string(".entry ") + name + "(");
  auto kernel = kernels().find(name);
  if (at == std::string::npos || kernel == kernels().end()) return CUDA_ERROR_NOT_FOUND;
  std::string head = module->ptx.substr(at, module->ptx.find('{', at) - at);
  if (count(head, ".param ") != kernel->second.parameters) {
    fprintf(stderr, "test driver: %s has %d parameters in the PTX and %d in its source\n", name, count(head, ".param "), kernel->second.parameters);
    return CUDA_ERROR_INVALID_IMAGE;
  }
  *function = new CUfunc_st{kernel->second, number_after(head, ".maxntid ", 1024)};
  return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  TRY(usable());
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_ERROR_NOT_SUPPORTED;
  int most;
  cuDeviceGetAttribute(&most, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, current->device);
  if (value < 0 || value > most) return CUDA_ERROR_INVALID_VALUE;
  function->most_dynamic = value;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                        unsigned bz, unsigned dynamic, CUstream stream, void **parameters, void **extra) {
  TRY(usable());
  unsigned long threads = (unsigned long)bx * by * bz;
  if (!gx || !gy || !gz || !threads || extra || gx > INT32_MAX || gy > 65535 || gz > 65535 || bz > 64 ||
      bx > 1024 || by > 1024 || threads > 1024 || (long)threads > function->most_threads || dynamic > function->most_dynamic)
    return CUDA_ERROR_INVALID_VALUE;
  std::vector<uint64_t> values;
  for (int i = 0; i < function->kernel.parameters; i++) values.push_back(*(uint64_t *)parameters[i]);
  Kernel kernel = function->kernel;
  return submit(stream, [=]() mutable {
    std::vector<void *> pointers;
    for (uint64_t &v : values) pointers.push_back(&v);
    current->launches++;
    run_grid(kernel, {gx, gy, gz}, {bx, by, bz}, dynamic, pointers.data());
    return CUDA_SUCCESS;
  });
}
}
