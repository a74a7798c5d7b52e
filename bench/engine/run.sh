#!/bin/sh
# Times nstfilter's engines beside PyTorch and ONNX Runtime (main.go says how):
#
#     bench/engine/run.sh [FLAGS OF main.go]
#
# The peers are installed into .build/peers, the first time.
set -eu
cd "$(dirname "$0")/../.."
peers=.build/peers wants=bench/engine/requirements.txt

if ! cmp -s "$wants" "$peers/requirements.txt"; then
	echo "bench/engine: PyTorch and ONNX Runtime go into $peers" >&2
	python3 -m venv "$peers"
	"$peers/bin/python" -m pip --quiet --disable-pip-version-check install -r "$wants"
	cp "$wants" "$peers/requirements.txt"
fi
go build -o .build/bench-engine/run ./bench/engine
exec .build/bench-engine/run -python "$peers/bin/python" "$@"
