#!/bin/sh
# How fast a film is painted on the GPU, from a pipe into a pipe (film.py):
#
#     bench/cuda/film.sh ./nstfilter [FLAGS OF nstfilter]
#
# Every frame after the first takes 30 steps. $FRAMES, $WIDTH, $HEIGHT, $STYLE are of
# the film; $PYTHON is one that has NumPy.
set -eu
cd "$(dirname "$0")/../.."
program=$1
shift
python=${PYTHON:-python3} here=bench/cuda
"$python" $here/film.py make "${WIDTH:-1280}" "${HEIGHT:-720}" "${FRAMES:-16}" |
	"$program" --style "${STYLE:-examples/styles/night.jpg}" --device cuda --iterations 60 \
		--iterations-per-frame 30 --frame-tolerance 0 --progress none "$@" |
	"$python" $here/film.py time
