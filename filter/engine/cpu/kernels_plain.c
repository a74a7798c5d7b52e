// What every processor of the architecture has: SSE2 on amd64 (16 registers of
// 4 floats), NEON on arm64 (32).
#define VL 4
#ifdef __aarch64__
#define ROWS 6
#else
#define ROWS 4
#endif
#define TABLE nst_plain
#include "kernels.h"
