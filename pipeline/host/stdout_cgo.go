//go:build unix && cgo

package host

/*
#include <fcntl.h>

static int closed;

// Runs before Go does, which opens /dev/null where stdout is closed.
__attribute__((constructor)) static void look_at_stdout(void) { closed = fcntl(1, F_GETFD) == -1; }

static int stdout_was_closed(void) { return closed; }
*/
import "C"

// CanTellStdout says whether StdoutClosed knows.
const CanTellStdout = true

// StdoutClosed reports whether the program was started without a stdout. What it writes
// there vanishes.
func StdoutClosed() bool { return C.stdout_was_closed() != 0 }
