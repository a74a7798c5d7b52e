// The 16-lane layout in whatever the processor has, so that tests reach it on
// every machine.
#pragma GCC diagnostic ignored "-Wpsabi"
#define VL 16
#define ROWS 14
#define TABLE nst_wide
#include "kernels.h"
