#!/bin/sh
# Runs a command with what building with -tags cuda needs: env.sh go build -tags cuda ….
# With TESTDRIVER=1 what it builds runs on the test driver, which is built first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CGO_CFLAGS="${CGO_CFLAGS--O2 -g} -I$here/driver/include"
CGO_LDFLAGS="${CGO_LDFLAGS--O2 -g} -L$here/driver/lib"
export CGO_CFLAGS CGO_LDFLAGS
if [ "${TESTDRIVER:-}" = 1 ]; then
	NSTFILTER_LIBCUDA=$("$here/testdriver/build.sh")
	export NSTFILTER_LIBCUDA
fi
exec "$@"
