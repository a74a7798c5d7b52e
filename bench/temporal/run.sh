#!/bin/sh
# How steady painted film is (run.py says how), on sequences made of three photos:
#
#     bench/temporal/run.sh ./nstfilter STYLE 'A B C' [FLAGS OF run.py]
#
# Needs VGG-16 (make weights). Strips to look at go into .build/temporal.
set -eu
cd "$(dirname "$0")/../.."
program=$1 style=$2 photos=$3
shift 3
[ -n "$style" ] || {
	echo "bench/temporal: name a style: make bench-temporal STYLE=FILE PHOTOS='A B C'" >&2
	exit 2
}
bench/peers.sh
judge=${XDG_CACHE_HOME:-$HOME/.cache}/nstfilter/vgg16.f16.safetensors
# The photos are words: their names hold no blanks.
exec .build/peers/bin/python bench/temporal/run.py "$program" .build/temporal --style "$style" --vgg16 "$judge" ${photos:+--photos $photos} "$@"
