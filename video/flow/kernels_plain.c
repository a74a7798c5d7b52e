// What every processor of the architecture has.
#define TABLE flow_plain
#include "kernels.h"
