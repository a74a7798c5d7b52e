#!/bin/sh
# How near pictures come to content and style (run.py says how):
#
#     bench/look/run.sh ./nstfilter [FILE OF PAIRS] [FLAGS OF run.py]
#
# Empty: two photos that examples/fetch.py brings in each of the project's own styles.
# Sheets to look at go into .build/look.
set -eu
cd "$(dirname "$0")/../.."
program=$1 pairs=$2
shift 2
if [ -z "$pairs" ]; then
	python3 examples/fetch.py .build/media >&2
	mkdir -p .build/look
	pairs=.build/look/own.txt
	for photo in coffee.png astronaut.png; do
		for style in examples/styles/*.jpg; do
			echo "../media/$photo ../../$style"
		done
	done >"$pairs"
fi
bench/peers.sh
exec .build/peers/bin/python bench/look/run.py "$program" .build/look --vgg16 weights/vgg16/vgg16.f16.safetensors --pairs "$pairs" "$@"
