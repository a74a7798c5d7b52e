// What the test driver's parts share.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <functional>
#include <string>

#include "block.h"

// A context is one device's; launches, copies and memory are of the current one.
struct CUctx_st {
  int device;
  long launches = 0;
  bool lost = false;
};

struct CUstream_st {
  CUgraph capture = nullptr; // what is put on the stream is recorded here
};

// The value of an environment variable, which tests change as they go.
long setting(const char *name, long otherwise);

extern thread_local CUcontext current;
extern thread_local CUstream capturing; // the stream that this OS thread captures

// Why a call cannot be made now: no cuInit, no context, or a lost device.
CUresult usable();

// The same for calls that wait or allocate, which end a capture.
CUresult usable_outside_capture();

// submit runs an operation, or records it if the stream captures.
CUresult submit(CUstream stream, std::function<CUresult()> operation);

long compute_capability(); // as 10·major + minor

#define TRY(call)                             \
  do {                                        \
    if (CUresult status_ = (call)) return status_; \
  } while (0)
