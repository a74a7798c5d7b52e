//go:build amd64

// 32 registers of 16 floats: 14×2 accumulators.
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif

#define VL 16
#define ROWS 14
#define ISA_AVX512
#define TABLE nst_avx512
#include "kernels.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
