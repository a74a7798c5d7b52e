//go:build cgo

package host

/*
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// What Go's runtime and the libraries reserve at least, in bytes. With less they end the
// process with a trace of their own, before any Go code of the program runs.
enum { least = 1200 << 20 };

__attribute__((constructor)) static void check_addresses(void) {
	struct rlimit l;
	if (getrlimit(RLIMIT_AS, &l) != 0 || l.rlim_cur >= least) {
		return;
	}
	static const char text[] = "nstfilter: error: a limit of less than 1.3 GB is set on addresses (ulimit -v), and the program reserves more before it uses any: lift it (ulimit -v unlimited), and bound what is used by --max-memory\n";
	_exit(write(STDERR_FILENO, text, strlen(text)) < 0 ? 2 : 1);
}
*/
import "C"
