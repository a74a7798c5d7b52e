#!/bin/sh
# Tests the plugin in ffmpeg, and in melt where it is installed: test.sh PROGRAM PLUGIN,
# from the repository's root.
set -eu

program=$(realpath "$1") plugin=$(realpath "$2") style=$(realpath examples/styles/night.jpg)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir plugins bin
ln -s "$plugin" plugins/nstfilter.so
ln -s "$style" 'a night.jpg'
export FREI0R_PATH="$work/plugins" NSTFILTER="$program"

fail() {
	echo "frei0r: $*" >&2
	[ ! -s log ] || cat log >&2
	exit 1
}

# host SIZE FRAMES PARAMETERS FILE: a film with alpha through the plugin, as RGBA.
host() {
	ffmpeg -v error -nostdin -y -f lavfi -i "testsrc2=s=$1:r=25:alpha=100,format=rgba" -frames:v "$2" \
		-vf "frei0r=nstfilter:$3" -pix_fmt rgba -f rawvideo "$4" 2>log
}

# unpainted SIZE FRAMES FILE: the same film without the plugin.
unpainted() {
	ffmpeg -v error -nostdin -y -f lavfi -i "testsrc2=s=$1:r=25:alpha=100,format=rgba" -frames:v "$2" -pix_fmt rgba -f rawvideo "$3"
}

# told TIMES WORDS: the log says so.
told() {
	[ "$(grep -c "$2" log)" = "$1" ] || fail "\"$2\" is not said $1 times"
}

# gone FILE: the process whose number is in FILE ends soon.
gone() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 "$(cat "$1")" 2>/dev/null || return 0
		sleep 0.5
	done
	fail "the program has outlived its host"
}

# wrapper NAME BODY: a program that leaves its number in the file pid.
wrapper() {
	printf '#!/bin/sh\necho $$ >"%s/pid"\n%s\n' "$work" "$2" >"bin/$1"
	chmod 755 "bin/$1"
}

echo "frei0r: every byte comes back without iterations, in frames larger than a pipe holds"
for size in 64x48 1280x720; do
	unpainted $size 3 in.rgba
	host $size 3 "$style|--iterations 0" out.rgba || fail "ffmpeg at $size"
	cmp in.rgba out.rgba || fail "$size differs"
done

echo "frei0r: the same picture as from the pipe, alpha as it was"
some='--iterations 3 --iterations-per-frame 2 --threads 1'
unpainted 64x48 4 in.rgba
raw='-f rawvideo -pix_fmt rgba -s 64x48 -r 25'
# shellcheck disable=SC2086 # lists of words
ffmpeg -v error $raw -i in.rgba -pix_fmt gbrp -c:v rawvideo -f nut - |
	"$program" --progress none $some --style "$style" >pipe.nut
host 64x48 4 "a night.jpg|$some --style-weight '2' --style-weight \"1\"" out.rgba || fail ffmpeg
[ ! -s log ] || fail "it is not silent"
# shellcheck disable=SC2086
ffmpeg -v error $raw -i out.rgba -pix_fmt gbrp -c:v rawvideo -f nut - | ffmpeg -v error -i - -f framemd5 out.md5
ffmpeg -v error -i - -pix_fmt gbrp -f framemd5 pipe.md5 <pipe.nut
cmp out.md5 pipe.md5 || fail "the pipe paints otherwise"
for film in in out; do
	# shellcheck disable=SC2086
	ffmpeg -v error $raw -i $film.rgba -vf alphaextract -f rawvideo $film.alpha
done
cmp in.alpha out.alpha || fail "alpha has changed"

echo "frei0r: two in one graph"
host 64x48 3 "$style|--iterations 0,frei0r=nstfilter:$style|--iterations 0" out.rgba || fail ffmpeg
unpainted 64x48 3 in.rgba
cmp in.rgba out.rgba || fail "frames differ"

echo "frei0r: what fails is said once, and frames pass unpainted"
host 64x48 3 none.jpg out.rgba || fail ffmpeg
told 1 'none.jpg: no such file'
told 1 'exit code 1; frames pass through unpainted'
cmp in.rgba out.rgba || fail "frames differ"
host 64x48 3 "$style||nowhere" out.rgba || fail ffmpeg
told 1 'nowhere does not start'
cmp in.rgba out.rgba || fail "frames differ"
host 64x48 3 "$style|--size 32 --output-size work --iterations 1" out.rgba || fail ffmpeg
told 1 'another size'
cmp in.rgba out.rgba || fail "frames differ"
host 64x48 3 "$style||/usr/bin/yes" out.rgba || fail ffmpeg
told 1 'frames pass through unpainted'
cmp in.rgba out.rgba || fail "frames differ"
# shellcheck disable=SC2016
wrapper dies 'stdbuf -o0 head -c 24000 | "$NSTFILTER" "$@"' # amid the third frame
host 64x48 3 "$style|--iterations 0|bin/dies" out.rgba || fail ffmpeg
told 1 'frame 2: bin/dies has ended'
cmp in.rgba out.rgba || fail "frames differ"
wrapper killed 'kill -9 $$'
host 64x48 3 "$style||bin/killed" out.rgba || fail ffmpeg
told 1 'has ended by signal 9'

echo "frei0r: the program ends with its host"
# shellcheck disable=SC2016
wrapper alive 'exec "$NSTFILTER" "$@"'
for signal in INT KILL; do
	rm -f pid
	ffmpeg -v error -nostdin -re -f lavfi -i testsrc2=s=64x48:r=25 -vf "frei0r=nstfilter:$style|--iterations 0|bin/alive" -f null - 2>log &
	host=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ ! -s pid ] || break
		sleep 0.5
	done
	[ -s pid ] || fail "the program was not started"
	sleep 0.5
	kill -0 "$(cat pid)" || fail "the program has ended before its host"
	kill -$signal $host
	{ wait $host || true; } 2>log
	gone pid
done

if command -v melt >/dev/null; then
	echo "frei0r: melt"
	ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=25:d=0.4 -c:v ffv1 in.mkv
	for options in '--iterations 0' "$some"; do
		QT_QPA_PLATFORM=offscreen timeout 120 melt in.mkv -filter frei0r.nstfilter style="$style" options="$options" \
			-consumer avformat:out.mkv vcodec=ffv1 an=1 real_time=-1 >log 2>&1 || fail melt
		frames=$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 out.mkv)
		[ "$frames" = 10 ] || fail "melt wrote $frames of 10 frames"
		! grep 'frei0r nstfilter' log || fail "unpainted"
		mv out.mkv "melt${options%% *}$(echo "$options" | tr -dc 0-9).mkv"
	done
	psnr=$(ffmpeg -v info -i in.mkv -i melt--iterations0.mkv -lavfi psnr -f null - 2>&1 | sed -n 's/.*average:\([0-9inf]*\).*/\1/p')
	[ "$psnr" = inf ] || [ "$psnr" -ge 35 ] || fail "melt without iterations: PSNR $psnr dB" # YUV to RGB and back
	psnr=$(ffmpeg -v info -i in.mkv -i melt--iterations321.mkv -lavfi psnr -f null - 2>&1 | sed -n 's/.*average:\([0-9inf]*\).*/\1/p')
	[ "$psnr" != inf ] && [ "$psnr" -lt 30 ] || fail "melt with iterations: PSNR $psnr dB, not painted"
else
	echo "frei0r: melt is not installed and not tested"
fi
