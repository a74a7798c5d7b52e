#!/bin/bash
# Runs every line of "Among its neighbours" in docs/pipes.md as it stands there, on a small
# film and photo, and looks at what comes out: neighbours.sh PROGRAM PLUGIN, from the
# repository's root. Lines of programs that are not installed are skipped, unless
# NSTFILTER_REQUIRE_NEIGHBOURS is set.
set -eu -o pipefail

program=$(realpath "$1") plugin=$(realpath "$2") page=$(realpath docs/pipes.md) frames=5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp examples/styles/night.jpg "$work"
cd "$work"
mkdir bin mpv
ln -s "$program" bin/nstfilter
ln -s "$plugin" bin/nstfilter.so
export PATH="$work/bin:$PATH" FREI0R_PATH="$work/bin" QT_QPA_PLATFORM=offscreen
# mpv shows the film as pictures in a folder.
printf 'vo=image\nvo-image-format=png\nvo-image-outdir=shown\nao=null\n' >mpv/mpv.conf
export MPV_HOME="$work/mpv"
ffmpeg -v error -f lavfi -i testsrc2=s=64x64:r=25 -frames:v $frames -c:v libvpx -b:v 1M in.mkv
ffmpeg -v error -f lavfi -i testsrc2=s=64x64:r=25 -frames:v 1 in.jpg

fail() {
	echo "neighbours: $*" >&2
	[ ! -s line/log ] || tail -n 20 line/log >&2
	exit 1
}

# look FILE ORIGINAL: FILE has as many frames as ORIGINAL, of its size, and is painted.
look() {
	local got want difference
	want=$(properties "$2")
	got=$(properties "$1") || fail "$1 is not decoded"
	[ "$got" = "$want" ] || fail "$1 has width, height, frames $got, not $want"
	difference=$(ffmpeg -v info -i "$1" -i "$2" -lavfi '[0]format=yuv444p[a];[1]format=yuv444p[b];[a][b]psnr' -f null - 2>&1 |
		sed -n 's/.*average:\([0-9inf]*\).*/\1/p')
	[ "$difference" != inf ] && [ "$difference" -gt 4 ] && [ "$difference" -lt 30 ] || fail "$1 is not in.mkv painted: PSNR $difference dB"
}

properties() { # width,height,frames
	ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=width,height,nb_read_frames -of csv=p=0 "$1"
}

mapfile -t lines < <(sed -n '/^## Among its neighbours/,$p' "$page" | sed -n '/^```sh/,/^```/p' | grep -v '^```')
[ ${#lines[@]} -gt 0 ] || fail "$page has no such lines"
for line in "${lines[@]}"; do
	missing=
	for tool in ffmpeg mpv x264 x265 SvtAv1EncApp gst-launch-1.0 vips melt; do
		if [[ " $line " == *" $tool "* ]] && ! command -v $tool >/dev/null; then
			missing=$tool
		fi
	done
	if [ -n "$missing" ]; then
		[ -z "${NSTFILTER_REQUIRE_NEIGHBOURS:-}" ] || fail "$missing is not installed"
		echo "neighbours: skipped, $missing is not installed: $line"
		continue
	fi
	echo "neighbours: $line"
	mkdir line
	cp in.mkv in.jpg night.jpg line
	(cd line && timeout 300 bash -o pipefail -c "$line" </dev/null >log 2>&1) || fail "exit code $?"
	rm line/in.mkv line/in.jpg line/night.jpg
	mapfile -t results < <(cd line && find . -type f ! -name log ! -name '0*')
	if [ -d line/shown ]; then
		ffmpeg -v error -i line/shown/%08d.png -c:v ffv1 line/shown.mkv
		results+=(shown.mkv)
	fi
	[ ${#results[@]} = 1 ] || fail "${#results[@]} files came out"
	case ${results[0]} in
	*.jpg) look "line/${results[0]}" in.jpg ;;
	*) look "line/${results[0]}" in.mkv ;;
	esac
	rm -r line
done
