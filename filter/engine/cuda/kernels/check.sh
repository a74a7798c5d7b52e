#!/bin/bash
# Assembles the PTX for GPUs from Maxwell to Hopper, as their driver would: check.sh [BUILD].
# It takes ptxas from PTXAS or PATH, or where BUILD is given from the Python index into it.
set -euo pipefail
build=${1:+$(mkdir -p "$1" && cd "$1" && pwd)}
cd "$(dirname "$0")"

ptxas=${PTXAS:-$(command -v ptxas || true)}
if [ -z "$ptxas" ] && [ -n "$build" ]; then
	ptxas=$build/ptxas/nvidia/cuda_nvcc/bin/ptxas
	[ -e "$ptxas" ] || python3 -m pip --quiet --disable-pip-version-check install --no-deps \
		--target "$build/ptxas" nvidia-cuda-nvcc-cu12==12.9.86
fi
[ -n "$ptxas" ] || {
	echo "kernels/check.sh: no ptxas: set PTXAS" >&2
	exit 1
}

status=0
assemble() { # PTX GPU…
	ptx=$1
	shift
	for gpu; do
		if gunzip -c "$ptx.gz" | "$ptxas" -arch="$gpu" -o /dev/null -; then
			echo "$ptx: $gpu"
		else
			status=1
		fi
	done
}
assemble base.ptx sm_52 sm_70 sm_80 sm_90
assemble tensor.ptx sm_80 sm_90
assemble hopper.ptx sm_90a
exit $status
