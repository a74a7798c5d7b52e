// Streams, events and graphs. What is put on a stream is done at once, unless the stream
// captures: then it is recorded, and done when the graph is launched.
#include <ctime>
#include <vector>

#include "state.h"

struct CUevent_st {
  timespec time;
};

struct CUgraph_st {
  std::vector<std::function<CUresult()>> operations;
  bool spoilt = false;
};

struct CUgraphExec_st {
  std::vector<std::function<CUresult()>> operations;
};

thread_local CUstream capturing;

CUresult usable_outside_capture() {
  TRY(usable());
  if (!capturing) return CUDA_SUCCESS;
  capturing->capture->spoilt = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult submit(CUstream stream, std::function<CUresult()> operation) {
  if (!stream || !stream->capture) return operation();
  stream->capture->operations.push_back(std::move(operation));
  return CUDA_SUCCESS;
}

extern "C" {

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  TRY(usable_outside_capture());
  *stream = new CUstream_st;
  return CUDA_SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  delete stream;
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream) { return usable_outside_capture(); }
CUresult cuStreamQuery(CUstream) { return usable_outside_capture(); }
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned) { return usable(); }

CUresult cuEventCreate(CUevent *event, unsigned) {
  TRY(usable());
  *event = new CUevent_st{};
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
  delete event;
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
  TRY(usable());
  return submit(stream, [=] {
    clock_gettime(CLOCK_MONOTONIC, &event->time);
    return CUDA_SUCCESS;
  });
}

CUresult cuEventSynchronize(CUevent) { return usable_outside_capture(); }
CUresult cuEventQuery(CUevent) { return usable_outside_capture(); }

CUresult cuEventElapsedTime(float *ms, CUevent from, CUevent to) {
  TRY(usable());
  *ms = (to->time.tv_sec - from->time.tv_sec) * 1e3f + (to->time.tv_nsec - from->time.tv_nsec) * 1e-6f;
  return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode) {
  TRY(usable_outside_capture());
  if (!stream) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  capturing = stream;
  stream->capture = new CUgraph_st;
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  TRY(usable());
  *graph = nullptr;
  if (!stream || !stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
  CUgraph g = stream->capture;
  stream->capture = nullptr;
  capturing = nullptr;
  if (g->spoilt) {
    delete g;
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  }
  *graph = g;
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph graph) {
  delete graph;
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long) {
  TRY(usable());
  *exec = new CUgraphExec_st{graph->operations};
  return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream) {
  TRY(usable());
  for (auto &operation : exec->operations) {
    TRY(usable());
    TRY(operation());
  }
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
  delete exec;
  return CUDA_SUCCESS;
}
}
