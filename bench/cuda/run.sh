#!/bin/sh
# Times the CUDA engine beside PyTorch (main.go says how):
#
#     bench/cuda/run.sh [FLAGS OF main.go]
#
# On a machine without Go, $BENCH is a program built elsewhere, and $PYTHON one that
# has PyTorch with CUDA; else both are made here.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
	bench/peers.sh
	PYTHON=.build/peers/bin/python
fi
if [ -z "${BENCH:-}" ]; then
	BENCH=.build/bench-cuda/run
	filter/engine/cuda/env.sh go build -tags cuda -o "$BENCH" ./bench/cuda
fi
PYTHONPATH=$PWD/bench/problem${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$BENCH" -python "$PYTHON" "$@"
