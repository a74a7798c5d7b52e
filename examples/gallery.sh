#!/bin/sh
# Makes the pictures of README.md, docs/tuning.md and docs/keyframes.md anew, from the repository's root:
#
#     examples/gallery.sh ./nstfilter
#
# Photos and film are what examples/fetch.py brings, styles the project's own.
set -eu
program=$1
media=.build/media
made=.build/gallery
styles="night scream mosaic glass watercolour woodcut"

python3 examples/fetch.py "$media" >&2
rm -rf "$made"
mkdir -p "$made"

paint() { # paint RESULT FLAGS… PHOTO
	result=$1
	shift
	echo "$result: $*" >&2
	"$program" -y --progress none --output-size work "$@" "$made/$result.png"
}

# join OUT hstack|vstack HEIGHT PICTURES…: side by side at a height, or one below another
join() {
	out=$1 how=$2 height=$3
	shift 3
	inputs='' chain='' pads='' n=0
	for picture; do
		inputs="$inputs -i $picture"
		if [ "$height" = 0 ]; then
			chain="$chain[$n]null[p$n];"
		else
			chain="$chain[$n]scale=-2:$height:flags=lanczos[p$n];"
		fi
		pads="$pads[p$n]" n=$((n + 1))
	done
	# No name here has a blank.
	ffmpeg -v error -y $inputs -filter_complex "$chain$pads$how=inputs=$n" -q:v 5 -frames:v 1 "$out"
}

# README: a photo, a painting, the photo painted like it; three photos in six styles; a film.
paint first --size 640 --preset fine --style examples/styles/night.jpg "$media/coffee.png"
join examples/readme.jpg hstack 320 "$media/coffee.png" examples/styles/night.jpg "$made/first.png"

rows=''
top=''
for style in $styles; do
	top="$top examples/styles/$style.jpg"
done
ffmpeg -v error -y -f lavfi -i color=white:s=200x200 -frames:v 1 "$made/corner.png"
square() { # square IN OUT: its middle, 200 × 200
	ffmpeg -v error -y -i "$1" -vf "crop='min(iw,ih)':'min(iw,ih)',scale=200:200:flags=lanczos" -frames:v 1 "$2"
}
row="$made/corner.png"
for style in $styles; do
	square "examples/styles/$style.jpg" "$made/top_$style.png"
	row="$row $made/top_$style.png"
done
join "$made/row_top.png" hstack 0 $row
rows="$made/row_top.png"
for photo in coffee.png astronaut.png chelsea.png; do
	name=${photo%.*}
	square "$media/$photo" "$made/left_$name.png"
	row="$made/left_$name.png"
	for style in $styles; do
		paint "${name}_$style" --size 512 --style "examples/styles/$style.jpg" "$media/$photo"
		square "$made/${name}_$style.png" "$made/cell_${name}_$style.png"
		row="$row $made/cell_${name}_$style.png"
	done
	join "$made/row_$name.png" hstack 0 $row
	rows="$rows $made/row_$name.png"
done
join examples/gallery.jpg vstack 0 $rows

"$program" -y --progress none --style examples/styles/scream.jpg "$media/bunny.mp4" "$made/film.mkv"
frames='select=not(mod(n\,12)),tile=4x1'
ffmpeg -v error -y -i "$media/bunny.mp4" -vf "$frames" -frames:v 1 "$made/film_in.png"
ffmpeg -v error -y -i "$made/film.mkv" -vf "$frames" -frames:v 1 "$made/film_out.png"
join examples/film.jpg vstack 0 "$made/film_in.png" "$made/film_out.png"

# docs/tuning.md: less and more of each setting; the middle one is the default
strip() { # strip NAME STYLE FLAGS FLAGS…
	name=$1 style=$2
	shift 2
	row='' n=0
	for flags; do
		n=$((n + 1))
		# Flags are words.
		paint "${name}_$n" --size 384 --style "examples/styles/$style.jpg" $flags "$media/astronaut.png"
		row="$row $made/${name}_$n.png"
	done
	join "docs/look/$name.jpg" hstack 0 $row
}
strip content-weight night '--content-weight 0.04,0.03' '' '--content-weight 1'
strip style-scale night '--style-scale 0.5' '' '--style-scale 2'
strip style-sizes night '--style-sizes 1' '' '--style-sizes 1,4,8'
strip tv-weight scream '--tv-weight 0' '' '--tv-weight 200'
strip layer-reach mosaic '--layer-reach 0.1' '' '--layer-reach 10'
strip style-layers mosaic '--style-layers relu1_1:64,relu2_1:16' '' '--style-layers balanced --layer-reach 10'
strip style-loss night '--style-loss gram' '' '--style-loss shifted'
strip init scream '--init content' '' '--init random'
strip style-colors woodcut '--no-style-colors' ''
strip original-colors night '' '--original-colors' '--original-colors --color-match histogram'
strip color-match scream '--color-match none' '--color-match mean-covariance' '--color-match histogram'
strip preset scream '--preset draft' '' '--preset fine'

# A photo at 1000 and at 4000 px
row=''
for width in 1000 4000; do
	ffmpeg -v error -y -i "$media/coffee.png" -vf "scale=$width:-2:flags=lanczos" -frames:v 1 "$made/in_$width.png"
	paint "size_$width" --style examples/styles/night.jpg "$made/in_$width.png"
	row="$row $made/size_$width.png"
done
join docs/look/size.jpg hstack 320 $row

# Maps: what is painted, what is left alone, and three styles in one picture
map() { # map NAME GEQ: an RGB picture of 512 × 512
	ffmpeg -v error -y -f lavfi -i "nullsrc=s=512x512,format=rgb24,geq=$2" -frames:v 1 "$made/map_$1.png"
}
pair() { # pair NAME LEFT FLAGS: the photo painted, beside another picture
	name=$1 left=$2
	shift 2
	paint "$name" --style examples/styles/night.jpg "$@" "$media/astronaut.png"
	join "docs/look/$name.jpg" hstack 240 "$left" "$made/$name.png"
}
oval='255*clip((1-hypot((X-240)/180,(Y-370)/135))*4,0,1)'
map strength "r='$oval':g='$oval':b='$oval'"
head='lt(hypot((X-225)/85,(Y-105)/95),1)'
map mask "r='255*$head':g='200*gt(Y,165+60*gt(abs(X-210),75))*not($head)':b=0"
pair strength "$made/map_strength.png" --strength "$made/map_strength.png"
pair protect "$media/astronaut.png" --protect faces
pair mask "$made/map_mask.png" --style examples/styles/watercolour.jpg --style examples/styles/mosaic.jpg --mask "$made/map_mask.png"

# README: six settings, beside the photo and what comes by default; crops at 1:1.
setting() { # setting NAME FLAGS…
	name=$1
	shift
	paint "setting_$name" --style examples/styles/night.jpg "$@" "$media/astronaut.png"
}
setting content --content-weight 1
setting scale --style-scale 0.5
setting own --original-colors
setting blend --style examples/styles/woodcut.jpg
cells=''
for picture in "$media/astronaut" "$made/astronaut_night" "$made/setting_content" "$made/setting_scale" \
	"$made/setting_own" "$made/protect" "$made/mask" "$made/setting_blend"; do
	cell=$made/crop_${picture##*/}.png
	ffmpeg -v error -y -i "$picture.png" -vf crop=260:260:80:5 -frames:v 1 "$cell"
	cells="$cells $cell"
done
# shellcheck disable=SC2086 # eight names without a blank
set -- $cells
join "$made/settings_top.png" hstack 0 "$1" "$2" "$3" "$4"
join "$made/settings_bottom.png" hstack 0 "$5" "$6" "$7" "$8"
join examples/settings.jpg vstack 0 "$made/settings_top.png" "$made/settings_bottom.png"

# docs/keyframes.md: the film above, and led by the painting of one frame below; a heart on a
# transparent layer, in a pan; docs/tuning.md: the end of that
heart() { # heart X Y R: a formula that is 1 in it
	x="((X-$1)/$3)" y="(($2-Y)/$3)"
	echo "lt(pow($x*$x+$y*$y-1,3)-$x*$x*$y*$y*$y,0)"
}
drawn() { # drawn FORMULA R G B: over a picture
	echo "geq=r='if($1,$2,r(X,Y))':g='if($1,$3,g(X,Y))':b='if($1,$4,b(X,Y))'"
}
three() { # three OUT FILM N N N: frames of it, from 0
	ffmpeg -v error -y -i "$2" -vf "select=eq(n\\,$3)+eq(n\\,$4)+eq(n\\,$5),tile=3x1" -q:v 5 -frames:v 1 "$1"
}
film() { # film NAME FLAGS…
	name=$1
	shift
	"$program" -y --progress none --no-audio "$@" "$made/$name.mkv"
}
ffmpeg -v error -y -i "$media/bunny.mp4" -vf 'select=eq(n\,19)' -frames:v 1 "$made/still.png"
paint still_scream --style examples/styles/scream.jpg "$made/still.png"
ffmpeg -v error -y -i "$made/still_scream.png" -vf "format=rgb24,$(drawn "$(heart 117 82 14)" 220 20 60),$(drawn 'lt(hypot(X-288,Y-24),16)' 255 220 40)" "$made/key.png"
film keyed --key "0.76=$made/key.png" "$media/bunny.mp4"
three "$made/three_in.png" "$media/bunny.mp4" 9 19 49
three "$made/three_key.png" "$made/keyed.mkv" 9 19 49
join docs/look/key.jpg vstack 0 "$made/three_in.png" "$made/three_key.png"

ffmpeg -v error -y -loop 1 -r 25 -i "$media/coffee.png" -frames:v 25 -vf 'scale=480:-2,crop=320:180:n*5:40+n,format=yuv420p' -c:v ffv1 "$made/pan.mkv"
ffmpeg -v error -y -f lavfi -i "nullsrc=s=320x180,format=rgba,geq=r=220:g=20:b=60:a='255*$(heart 180 60 18)'" -frames:v 1 "$made/layer.png"
film pan_layer --style examples/styles/night.jpg --key "0.48=$made/layer.png" "$made/pan.mkv"
three docs/look/key-layer.jpg "$made/pan_layer.mkv" 0 12 24
row=''
for how in "" --anew; do
	film "pan$how" --style examples/styles/mosaic.jpg $how "$made/pan.mkv"
	ffmpeg -v error -y -ss 0.96 -i "$made/pan$how.mkv" -frames:v 1 "$made/pan$how.png"
	row="$row $made/pan$how.png"
done
join docs/look/stride.jpg hstack 0 $row
