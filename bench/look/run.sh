#!/bin/sh
# How near pictures come to content and style, how soon, and by what descent:
#
#     bench/look/run.sh run|equal|descent ./nstfilter [FILE OF PAIRS] [FLAGS OF THE SCRIPT]
#
# run.py, equal.py and descent.py say what they do. Without pairs: photos that
# examples/fetch.py brings in the project's own styles, every style for run. What there is
# to look at goes into .build/look.
set -eu
cd "$(dirname "$0")/../.."
script=$1 program=$2 pairs=$3
shift 3
if [ -z "$pairs" ]; then
	python3 examples/fetch.py .build/media >&2
	mkdir -p .build/look
	pairs=.build/look/$script.txt
	case $script in
	run)
		for photo in coffee.png astronaut.png; do
			for style in examples/styles/*.jpg; do
				echo "../media/$photo ../../$style"
			done
		done
		;;
	*)
		echo "../media/coffee.png ../../examples/styles/night.jpg"
		echo "../media/astronaut.png ../../examples/styles/scream.jpg"
		echo "../media/chelsea.png ../../examples/styles/mosaic.jpg"
		;;
	esac >"$pairs"
fi
bench/peers.sh
exec .build/peers/bin/python "bench/look/$script.py" "$program" ".build/look/$script" --vgg16 weights/vgg16/vgg16.f16.safetensors --pairs "$pairs" "$@"
