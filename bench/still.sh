#!/bin/sh
# How far two frames of a still scene differ after painting, with each start:
#
#     bench/still.sh ./nstfilter PHOTO STYLE
#
# The scene is a photo at 320 px with the noise of a camera (ffmpeg's noise filter,
# strength 8, another in each frame). PSNR of frame 2 against frame 1, in dB; the
# first line is the input's own, which nothing can be expected to exceed.
set -eu
program=$1 photo=$2 style=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ffmpeg -v error -loop 1 -framerate 25 -i "$photo" -frames:v 4 \
	-vf 'scale=320:-2,noise=alls=8:allf=t' -c:v ffv1 -pix_fmt yuv444p "$work/in.mkv"

steadiness() { # frames 1, 2, 3 against the frame after
	ffmpeg -v info -i "$1" -i "$1" -lavfi '[0]trim=start_frame=1,setpts=N/TB[a];[1]trim=end_frame=3,setpts=N/TB[b];[a][b]psnr' -f null - 2>&1 |
		sed -n 's/.*average:\([0-9.inf]*\).*/\1/p'
}

echo "input: $(steadiness "$work/in.mkv") dB"
for init in previous content; do
	"$program" -y --progress none --init $init --style "$style" "$work/in.mkv" "$work/$init.mkv" 2>"$work/log" || {
		cat "$work/log" >&2
		exit 1
	}
	ffmpeg -v error -y -i "$work/$init.mkv" -c:v ffv1 -pix_fmt yuv444p "$work/out.mkv"
	echo "--init $init: $(steadiness "$work/out.mkv") dB"
done
