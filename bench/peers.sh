#!/bin/sh
# Installs the peers (PyTorch, ONNX Runtime) into .build/peers, the first time.
set -eu
cd "$(dirname "$0")/.."
peers=.build/peers wants=bench/engine/requirements.txt
cmp -s "$wants" "$peers/requirements.txt" && exit
echo "bench: PyTorch and ONNX Runtime go into $peers" >&2
python3 -m venv "$peers"
"$peers/bin/python" -m pip --quiet --disable-pip-version-check install -r "$wants"
cp "$wants" "$peers/requirements.txt"
