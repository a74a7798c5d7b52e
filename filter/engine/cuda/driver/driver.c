//go:build cuda

// The driver's functions, as jumps through pointers that are set when the process starts:
// to libcuda.so.1 where there is one, otherwise to a function that says "no device".
// A program linked so starts on any machine.
#define _GNU_SOURCE
#include <cuda.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "driver.h"

#define X(name) __attribute__((visibility("hidden"))) void *to_##name;
#include "symbols.h"
#undef X

#if defined(__x86_64__)
#define JUMP(name) "jmp *to_" name "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP(name) "adrp x16, to_" name "\nldr x16, [x16, :lo12:to_" name "]\nbr x16\n"
#else
#error "no jump for this processor"
#endif
#define X(name) \
  __asm__(".text\n.balign 16\n.globl " #name "\n.type " #name ",@function\n" #name ":\n" JUMP(#name));
#include "symbols.h"
#undef X

static char open_error[512];
static CUresult (*real_init)(unsigned);
static CUresult init_status = CUDA_ERROR_NO_DEVICE;

static CUresult absent(void) { return real_init ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_NO_DEVICE; }

__attribute__((constructor)) static void open_library(void) {
  const char *path = getenv("NSTFILTER_LIBCUDA");
  void *library = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library) *(void **)&real_init = dlsym(library, "cuInit");
  if (!real_init) snprintf(open_error, sizeof open_error, "%s", dlerror());
#define X(name)                                         \
  to_##name = library ? dlsym(library, #name) : 0;      \
  if (!to_##name) to_##name = (void *)absent;
#include "symbols.h"
#undef X
}

static void init(void) {
  if (real_init) init_status = real_init(0);
}

// gorgonia.org/cu calls it before main and ends the process unless it succeeds.
CUresult cuInit(unsigned flags) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)flags;
  pthread_once(&once, init);
  return CUDA_SUCCESS;
}

const char *driver_open_error(void) { return open_error; }

int driver_init_status(void) {
  cuInit(0);
  return init_status;
}

int driver_has_graphs(void) {
  return to_cuStreamBeginCapture_v2 != absent && to_cuStreamEndCapture != absent &&
         to_cuGraphInstantiateWithFlags != absent && to_cuGraphLaunch != absent;
}
