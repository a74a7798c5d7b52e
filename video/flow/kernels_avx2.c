//go:build amd64

#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define ISA_AVX2
#define TABLE flow_avx2
#include "kernels.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
