//go:build amd64

// 16 registers of 8 floats: 6×2 accumulators.
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define VL 8
#define ROWS 6
#define ISA_AVX2
#define TABLE nst_avx2
#include "kernels.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
