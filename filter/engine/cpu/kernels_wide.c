// The 16-lane layout in whatever the processor has, so that tests reach it on
// every machine. Neither unrolled nor optimised much: gcc would take
// 20 seconds.
#ifndef __clang__
#pragma GCC optimize("O1")
#endif
#pragma GCC diagnostic ignored "-Wpsabi"
#define VL 16
#define ROWS 14
#define ISA_WIDE
#define TABLE nst_wide
#include "kernels.h"
