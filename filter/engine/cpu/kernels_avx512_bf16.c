//go:build amd64

// The same with products of bfloat16.
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512bf16"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,avx512bf16,prefer-vector-width=512")
#endif

#define VL 16
#define ROWS 14
#define ISA_AVX512
#define BF16
#define TABLE nst_avx512_bf16
#include "kernels.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
