#!/bin/sh
# Builds the test driver, a libcuda.so.1 that runs the kernels on the CPU, into
# .build/cuda, and prints its path. Only what is out of date is made.
set -eu
cd "$(dirname "$0")"
build=$(cd ../../../.. && pwd)/.build/cuda
mkdir -p "$build"

# One build at a time; the others wait, then find it done.
exec 9>"$build/lock"
flock 9

flags="-O3 -g1 -march=native -fPIC -fvisibility=hidden -Wall -Wextra -I../driver/include"
objects=
stale() { # OBJECT SOURCE: whether it must be made, by the dependencies that gcc wrote
	[ -e "$1.o" ] && [ -e "$1.d" ] || return 0
	for file in $(sed 's/^[^:]*://; s/\\$//' "$1.d") build.sh; do
		[ "$file" -ot "$1.o" ] || return 0
	done
	return 1
}
made=
for source in *.cc missing.c probe.cu ../kernels/base.cu ../kernels/tensor.cu ../kernels/hopper.cu; do
	[ -e "$source" ] || continue
	object=$build/$(basename "$source")
	objects="$objects $object.o"
	stale "$object" "$source" || continue
	made=1
	case $source in
	*.c) cc $flags -fvisibility=default -MD -MF "$object.d" -c -o "$object.o" "$source" ;;
	*.cc) c++ -std=c++17 $flags -fvisibility=default -MD -MF "$object.d" -c -o "$object.o" "$source" ;;
	*.cu) c++ -std=c++17 -x c++ $flags -fno-strict-aliasing -Wno-unused-parameter -Wno-unknown-pragmas \
		-Wno-unused-function -MD -MF "$object.d" -c -o "$object.o" "$source" ;;
	esac >&2
done
library=$build/libcuda.so.1
if [ -n "$made" ] || [ ! -e "$library" ]; then
	c++ -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -o "$library.new" $objects -lpthread >&2
	mv "$library.new" "$library"
fi
echo "$library"
