// What every processor of the architecture has: SSE2 on amd64, 16 registers of 4
// floats.
#define VL 4
#define ROWS 4
#define TABLE nst_plain
#include "kernels.h"
