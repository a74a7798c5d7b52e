#!/bin/bash
# Compiles the kernels into PTX with clang 14 or later, which needs no CUDA for it. The PTX
# is committed, so that only who changes kernels needs clang.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C

clang=${CLANG:-}
for name in clang-14 clang-15 clang-16 clang; do
	[ -n "$clang" ] || ! command -v "$name" >/dev/null || clang=$name
done
[ -n "$clang" ] || {
	echo "kernels/build.sh: no clang: install clang-14, or set CLANG" >&2
	exit 1
}

ptx() { # SOURCE GPU PTX: compiles SOURCE for GPU into PTX of that version
	"$clang" -x cuda --cuda-device-only --cuda-gpu-arch="$2" -nocudainc -nocudalib -S \
		-Xclang -target-feature -Xclang "+ptx$3" -std=c++17 -O3 -fno-strict-aliasing \
		-fdeclspec -ffp-contract=fast -Wall -Wno-unknown-cuda-version -o - "$1" |
		grep -v '^//'
}

# The oldest GPU that each module is for. PTX 6.0 is the first with shfl.sync, 7.0 with mma
# of bfloat16.
ptx base.cu sm_52 60 | gzip -9n >base.ptx.gz
ptx tensor.cu sm_80 70 | gzip -9n >tensor.ptx.gz
# clang 14 does not know sm_90a: whatever is its own is written as inline PTX.
ptx hopper.cu sm_80 70 |
	sed 's/^\.version .*/.version 8.0/; s/^\.target .*/.target sm_90a/' | gzip -9n >hopper.ptx.gz
ptx ../testdriver/probe.cu sm_52 60 >../testdriver/probe.ptx

sha256sum build.sh *.cu *.cuh ../testdriver/probe.cu >sources.sha256
