// The functions that the test driver does not have answer that they are not supported.
#define X(name) \
  __attribute__((weak)) int name(void) { return 801; }
#include "../driver/symbols.h"
