#!/bin/sh
# How steady painted film is (run.py says how), on sequences made of three photos:
#
#     bench/temporal/run.sh ./nstfilter [STYLE] ['A B C'] [FLAGS OF run.py]
#
# Empty: the project's own scream, and photos that examples/fetch.py brings.
# Strips to look at go into .build/temporal.
set -eu
cd "$(dirname "$0")/../.."
program=$1 style=$2 photos=$3
shift 3
if [ -z "$photos" ]; then
	python3 examples/fetch.py .build/media >&2
	photos=".build/media/coffee.png .build/media/chelsea.png .build/media/rocket.jpg"
fi
bench/peers.sh
# The photos are words: their names hold no blanks.
exec .build/peers/bin/python bench/temporal/run.py "$program" .build/temporal --style "${style:-examples/styles/scream.jpg}" --vgg16 weights/vgg16/vgg16.f16.safetensors --photos $photos "$@"
