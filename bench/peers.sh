#!/bin/sh
# Installs what the benchmarks compare with and judge by (PyTorch, ONNX Runtime, Pillow) into .build/peers, the first time.
set -eu
cd "$(dirname "$0")/.."
peers=.build/peers wants=bench/requirements.txt
cmp -s "$wants" "$peers/requirements.txt" && exit
echo "bench: PyTorch, ONNX Runtime and Pillow go into $peers" >&2
python3 -m venv "$peers"
"$peers/bin/python" -m pip --quiet --disable-pip-version-check install -r "$wants"
cp "$wants" "$peers/requirements.txt"
