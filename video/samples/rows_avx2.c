//go:build amd64

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define ROWS samples_avx2
#include "rows.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
