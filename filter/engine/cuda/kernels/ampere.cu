// The 3×3 convolution with mma.sync: for GPUs from sm_80 on that have nothing faster.
#include "warps.cuh"

// there_C_R and back_C_R: a 3×3 convolution, C output channels and R rows of 16 positions
// a block.
#define CONV(C, R, NT, WM, WN)                                                                                       \
  KERNEL_BOUNDED(there_##C##_##R, 32 * WM * WN, 8 / (WM * WN), THERE_PARAMETERS) {                                   \
    product<9, NT, WM, WN>(THERE_JOB, THERE_EPILOGUE, (int)stages);                                                  \
  }                                                                                                                  \
  KERNEL_BOUNDED(back_##C##_##R, 32 * WM * WN, 8 / (WM * WN), BACK_PARAMETERS) {                                     \
    product<9, NT, WM, WN>(BACK_JOB, BACK_EPILOGUE, (int)stages);                                                    \
  }

CONV(128, 16, 8, 4, 2)
CONV(128, 8, 8, 2, 2)
CONV(96, 16, 6, 4, 2)
CONV(96, 8, 6, 2, 2)
CONV(64, 16, 8, 4, 1)
CONV(64, 8, 8, 2, 1)
CONV(32, 16, 4, 4, 1)
CONV(32, 8, 4, 2, 1)
