// What both ways of multiplying need, for any GPU.
#include "content.cu"
#include "first.cu"
#include "loss.cu"
#include "pool.cu"
#include "vectors.cu"
