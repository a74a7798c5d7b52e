// The 16-lane layout with products of bfloat16, for tests, as kernels_wide.c.
#ifndef __clang__
#pragma GCC optimize("O1")
#endif
#pragma GCC diagnostic ignored "-Wpsabi"
#define VL 16
#define ROWS 14
#define ISA_WIDE
#define BF16
#define TABLE nst_wide_bf16
#include "kernels.h"
