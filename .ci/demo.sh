#!/bin/sh
# Paints a photo, a film and a pipe into demo/: demo.sh, from the repository's root.
set -eu

styles=examples/styles
media=.build/media

show() { # says a command, then runs it
	echo
	echo "\$ $*"
	sh -c "$*"
}

python3 examples/fetch.py "$media"
mkdir -p demo
ffmpeg -v error -y -i "$media/coffee.png" -vf scale=480:-2 demo/coffee.png
cp "$media/bunny.mp4" demo

show "./nstfilter -y --style $styles/night.jpg demo/coffee.png demo/coffee_night.png"
show "./nstfilter -y --style $styles/scream.jpg --size 320 --output-size work demo/bunny.mp4 demo/bunny_scream.mp4"
show "ffmpeg -v error -i demo/bunny.mp4 -t 0.5 -vf scale=256:-2 -f yuv4mpegpipe - | ./nstfilter --style $styles/mosaic.jpg --iterations 30 | ffmpeg -v error -y -i - demo/bunny_mosaic.mkv"

# content | style | result
height=320
ffmpeg -v error -y -i demo/coffee.png -i $styles/night.jpg -i demo/coffee_night.png \
	-filter_complex "[0]scale=-2:$height[a];[1]scale=-2:$height[b];[2]scale=-2:$height[c];[a][b][c]hstack=3" demo/photo_sheet.png
ffmpeg -v error -y -ss 1 -i "$media/bunny.mp4" -i $styles/scream.jpg -ss 1 -i demo/bunny_scream.mp4 -frames:v 1 \
	-filter_complex "[0]scale=-2:$height[a];[1]scale=-2:$height[b];[2]scale=-2:$height[c];[a][b][c]hstack=3" demo/film_sheet.png
cat >demo/README.md <<END
# What make demo painted

![content, style, result](photo_sheet.png)
![content, style, result](film_sheet.png)

- coffee_night.png: a photo
- bunny_scream.mp4: a film, with its sound. Big Buck Bunny is © Blender Foundation, CC BY 3.0.
- bunny_mosaic.mkv: a pipe, ffmpeg | nstfilter | ffmpeg
END
echo
echo "The pictures are in $PWD/demo: photo_sheet.png, film_sheet.png, coffee_night.png, bunny_scream.mp4, bunny_mosaic.mkv"
