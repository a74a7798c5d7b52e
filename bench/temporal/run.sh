#!/bin/sh
# How steady painted film is (run.py says how), or how well paintings of single frames
# are carried (keys.py), on sequences made of three photos:
#
#     bench/temporal/run.sh run|keys ./nstfilter [STYLE] ['A B C'] [FLAGS OF run.py or keys.py]
#
# Empty: the project's own scream, and photos that examples/fetch.py brings.
# Strips to look at go into .build/temporal/run or keys.
set -eu
cd "$(dirname "$0")/../.."
what=$1 program=$2 style=$3 photos=$4
shift 4
if [ -z "$photos" ]; then
	python3 examples/fetch.py .build/media >&2
	photos=".build/media/coffee.png .build/media/chelsea.png .build/media/rocket.jpg"
fi
bench/peers.sh
# The photos are words: their names hold no blanks.
exec .build/peers/bin/python "bench/temporal/$what.py" "$program" ".build/temporal/$what" --style "${style:-examples/styles/scream.jpg}" --vgg16 weights/vgg16/vgg16.f16.safetensors --photos $photos "$@"
