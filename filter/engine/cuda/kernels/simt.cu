// All that multiplies on ordinary cores.
#include "conv.cu"
#include "gram.cu"
#include "tap.cu"
#include "winograd.cu"
