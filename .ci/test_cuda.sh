#!/bin/sh
# Checks and tests the cuda engine, from the repository's root: on the test driver, which
# runs its kernels on the CPU, or with NSTFILTER_GPU=1 on this machine's GPU. There a
# picture of a million pixels takes a moment, here one of a thousand does: -short.
set -eu

TESTDRIVER=1
short=-short
[ "${NSTFILTER_GPU:-}" != 1 ] || {
	TESTDRIVER=0
	short=
}
export TESTDRIVER

cuda() { filter/engine/cuda/env.sh "$@"; }

cuda go vet -tags cuda ./filter/engine/cuda/... ./cmd/nstfilter
cuda go tool staticcheck -tags cuda ./filter/engine/cuda/... ./cmd/nstfilter
[ "$TESTDRIVER" = 0 ] || cuda go test -tags cuda -run 'TestScripts/(cuda|device)' ./cmd/nstfilter
cuda go test -tags cuda -race $short ./filter/engine/cuda/...
