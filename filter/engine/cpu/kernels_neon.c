//go:build arm64

// 32 registers of 4 floats: 12×2 accumulators.
#include <arm_neon.h>

#define VL 4
#define ROWS 12
#define ISA_NEON
#define TABLE nst_neon
#include "kernels.h"
