// What every processor of the architecture has.
#define ROWS samples_plain
#include "rows.h"
