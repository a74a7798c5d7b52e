#!/bin/sh
# Times nstfilter's engines beside PyTorch and ONNX Runtime (main.go says how):
#
#     bench/engine/run.sh [FLAGS OF main.go]
set -eu
cd "$(dirname "$0")/../.."
bench/peers.sh
go build -o .build/bench-engine/run ./bench/engine
PYTHONPATH=$PWD/bench/problem${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec .build/bench-engine/run -python .build/peers/bin/python "$@"
