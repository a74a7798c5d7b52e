package video

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nstfilter/video/outfile"
)

// What the rows of the matrix are made of: 8 frames, sound, and names.
const (
	picture8 = "-f lavfi -i testsrc2=s=64x48:r=25:d=0.32 "
	sound8   = "-f lavfi -i sine=d=0.32 "
	named    = " -metadata title=Titel -metadata:s:v:0 language=deu -metadata:s:a:0 language=fra "
	x264     = "-c:v libx264 -preset ultrafast "
	vfr      = "-vf select='not(eq(mod(n\\,5)\\,2))' -fps_mode passthrough "
	b10      = "-pix_fmt yuv420p10le -color_range tv -colorspace bt2020nc -color_primaries bt2020 -chroma_sample_location topleft "
	fading   = "-vf format=rgba,geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=4*X " // transparent on the left
	mastered = "log-level=error:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)

// lossless are encoders' options by which decoded frames stay the same.
var lossless = map[string]string{"libx264": "qp=0:preset=ultrafast", "libx265": `preset=ultrafast:x265-params=lossless=1`}

// A row is a film that is carried through unpainted.
type row struct {
	name    string
	in, out string
	make    []string // ffmpeg's words for each step, blank-separated; DIR is the folder
	set     string   // options as name=value, blank-separated

	shift float64 // how much earlier the result begins, seconds; NaN: where it likes
	lossy float64 // how far the result's container moves times, seconds
	drop  string  // kinds of streams that the result lacks: "data subtitle"
	loose string  // tags that may differ: "pix_fmt width"
	psnr  float64 // 0: frames are equal, bit by bit; below 0: not compared
	note  string  // what Notes say; empty: nothing
}

func films() []row {
	anywhere := math.NaN()
	return []row{
		{name: "CFR mp4", in: "a.mp4", out: "b.mp4", make: []string{picture8 + sound8 + x264 + "-c:a aac" + named}},
		{name: "CFR mkv with all that may be in one", in: "a.mkv", out: "b.mkv",
			make: []string{picture8 + sound8 + "-i DIR/words.srt -i DIR/chapters.txt -attach DIR/cover.png -metadata:s:3 mimetype=image/png -metadata:s:3 filename=cover.png -attach DIR/font.ttf -metadata:s:4 mimetype=font/ttf -map 0 -map 1 -map 2 -map_metadata 3 " + x264 + "-c:a libvorbis -c:s srt -metadata:s:s:0 language=spa" + named}},
		{name: "29.97 with B-frames", in: "a.mp4", out: "b.mp4", make: []string{"-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=0.4 " + sound8 + "-c:v libx264 -preset veryfast -bf 3 -c:a aac" + named}},
		{name: "default and original mkv", in: "a.mkv", out: "b.mkv", make: []string{picture8 + sound8 + x264 + "-c:a flac -disposition:v:0 default+original -disposition:a:0 0" + named}},
		{name: "VFR mp4", in: "a.mp4", out: "b.mp4", make: []string{picture8 + sound8 + vfr + x264 + "-c:a aac" + named}},
		{name: "VFR mkv", in: "a.mkv", out: "b.mkv", make: []string{picture8 + sound8 + vfr + x264 + "-c:a flac" + named}},
		{name: "VFR mkv to mp4 with subtitles", in: "a.mkv", out: "b.mp4", loose: "subtitle",
			make: []string{picture8 + sound8 + "-i DIR/words.srt -map 0 -map 1 -map 2 " + vfr + x264 + "-c:a aac -c:s srt" + named}},
		{name: "mov with an edit list", in: "a.mov", out: "b.mov",
			make: []string{"-f lavfi -i testsrc2=s=64x48:r=25:d=0.6 -f lavfi -i sine=d=0.6 -c:v libx264 -preset veryfast -bf 2 -c:a aac" + named + "DIR/whole.mov", "-ss 0.2 -i DIR/whole.mov -c copy"}},
		{name: "mp4 that begins late", in: "a.mp4", out: "b.mp4", make: []string{picture8 + sound8 + x264 + "-c:a aac -output_ts_offset 1.44" + named}},
		{name: "TS from 1.4 s to mp4", in: "a.ts", out: "b.mp4", shift: 1, lossy: 0.00002, make: []string{picture8 + sound8 + x264 + "-c:a mp2" + named}},
		{name: "TS from 1.4 s to mkv", in: "a.ts", out: "b.mkv", shift: 1, lossy: 0.0011, make: []string{picture8 + sound8 + x264 + "-c:a mp2" + named}},
		{name: "TS from 1.4 s to TS", in: "a.ts", out: "b.ts", make: []string{picture8 + sound8 + x264 + "-c:a mp2" + named}},
		{name: "HDR10 mp4", in: "a.mp4", out: "b.mp4", make: []string{picture8 + sound8 + "-c:v libx265 -preset ultrafast -x265-params " + mastered + " -tag:v hvc1 " + b10 + "-color_trc smpte2084 -c:a aac" + named}},
		{name: "HLG mkv", in: "a.mkv", out: "b.mkv", make: []string{picture8 + sound8 + "-c:v libx265 -preset ultrafast -x265-params log-level=error " + b10 + "-color_trc arib-std-b67 -c:a flac" + named}},
		{name: "10 bits", in: "a.mp4", out: "b.mp4", make: []string{picture8 + x264 + "-pix_fmt yuv420p10le -colorspace bt709 -color_primaries bt709 -color_trc bt709"}},
		{name: "full range", in: "a.mp4", out: "b.mp4", loose: "pix_fmt", make: []string{picture8 + x264 + "-pix_fmt yuvj420p -colorspace bt709"}},
		{name: "full range, 10 bits", in: "a.mkv", out: "b.mkv", make: []string{picture8 + x264 + "-pix_fmt yuv420p10le -color_range pc -colorspace bt470bg"}},
		{name: "4:2:2", in: "a.mkv", out: "b.mkv", make: []string{picture8 + x264 + "-pix_fmt yuv422p"}},
		{name: "odd size", in: "a.mkv", out: "b.mkv", psnr: 45, loose: "pix_fmt", note: "odd size", make: []string{picture8 + "-vf scale=63:47 -c:v ffv1 -pix_fmt yuv420p"}},
		{name: "odd size to ffv1", in: "a.mkv", out: "b.mkv", set: "encoder=ffv1", make: []string{picture8 + "-vf scale=63:47 -c:v ffv1 -pix_fmt yuv420p"}},
		{name: "pixels not square", in: "a.mp4", out: "b.mp4", make: []string{picture8 + x264 + "-vf setsar=64/45"}},
		{name: "telephone's film, turned", in: "a.mov", out: "b.mov", loose: "width height sample_aspect_ratio",
			make: []string{picture8 + sound8 + x264 + "-c:a aac" + named + "DIR/flat.mov", "-i DIR/flat.mov -c copy -metadata com.apple.quicktime.make=Maker -metadata:s:v:0 rotate=90 -movflags use_metadata_tags"}},
		{name: "interlaced mp4", in: "a.mp4", out: "b.mp4", note: "interlaced", loose: "field_order", make: []string{picture8 + sound8 + "-c:v libx264 -preset ultrafast -flags +ildct+ilme -x264-params tff=1 -vf setfield=tff -c:a aac" + named}},
		{name: "interlaced MPEG-2 TS", in: "a.ts", out: "b.mp4", shift: 1, lossy: 0.00002, note: "interlaced", loose: "field_order", make: []string{picture8 + sound8 + "-c:v mpeg2video -q:v 2 -flags +ildct+ilme -vf setfield=tff -c:a mp2" + named}},
		{name: "only marked interlaced", in: "a.mp4", out: "b.mp4", set: "no-deinterlace=true", loose: "field_order", make: []string{picture8 + "-c:v libx264 -preset ultrafast -flags +ildct+ilme -x264-params tff=1 -vf setfield=tff"}},
		{name: "GIF", in: "a.gif", out: "b.gif", psnr: 45, make: []string{picture8}},
		{name: "GIF of uneven times to mp4", in: "a.gif", out: "b.mp4", psnr: 30, loose: "pix_fmt color_range", note: "RGB becomes", make: []string{picture8 + vfr}},
		{name: "APNG", in: "a.apng", out: "b.apng", make: []string{picture8 + "-pix_fmt rgb24"}},
		{name: "APNG to mov", in: "a.apng", out: "b.mov", psnr: 30, loose: "pix_fmt color_range", note: "RGB becomes", make: []string{picture8 + "-pix_fmt rgb24"}},
		{name: "MPEG-2", in: "a.mpg", out: "b.mpg", psnr: 35, make: []string{picture8 + sound8 + "-c:v mpeg2video -q:v 2 -c:a mp2"}},
		{name: "MPEG-2 to mkv", in: "a.mpg", out: "b.mkv", shift: 1, lossy: 0.0011, make: []string{picture8 + sound8 + "-c:v mpeg2video -q:v 2 -c:a mp2"}},
		{name: "TS from 1.4 s to GIF", in: "a.ts", out: "b.gif", psnr: 20, shift: 1, lossy: 0.0101, loose: "pix_fmt chroma_location field_order", make: []string{picture8 + x264}},
		{name: "AVI", in: "a.avi", out: "b.avi", psnr: 35, make: []string{picture8 + sound8 + "-c:v mpeg4 -q:v 2 -c:a mp3"}},
		{name: "ffv1 of 16 bits", in: "a.mkv", out: "b.mkv", set: "encoder=ffv1", make: []string{picture8 + "-c:v ffv1 -pix_fmt yuv444p16le"}},
		{name: "ffv1 of 16 bits of RGB", in: "a.mkv", out: "b.nut", loose: "color_range color_space field_order", make: []string{picture8 + "-c:v ffv1 -pix_fmt gbrp16le"}},
		{name: "RGB", in: "a.mkv", out: "b.mkv", set: "encoder=ffv1", make: []string{picture8 + "-c:v ffv1 -pix_fmt bgr0"}},
		{name: "gray", in: "a.mkv", out: "b.mkv", loose: "pix_fmt", make: []string{picture8 + "-c:v ffv1 -pix_fmt gray"}},
		{name: "without sound", in: "a.mp4", out: "b.mp4", set: "no-audio=true", drop: "audio", make: []string{picture8 + sound8 + x264 + "-c:a aac" + named}},
		{name: "two video streams", in: "a.mkv", out: "b.mkv", drop: "video", note: "video stream 1 (h264) is left out", make: []string{picture8 + "-f lavfi -i smptebars=s=32x32:d=0.32 " + sound8 + "-map 0 -map 1 -map 2 " + x264 + "-c:a aac" + named}},
		{name: "cover in mp4", in: "a.mp4", out: "b.mp4", make: []string{picture8 + sound8 + "-i DIR/cover.png -map 2 -map 0 -map 1 -c:v:0 copy -disposition:v:0 attached_pic -c:v:1 libx264 -preset:v:1 ultrafast -c:a aac" + named}},
		{name: "VFR mp4 to mpg", in: "a.mp4", out: "b.mpg", psnr: 35, shift: anywhere, lossy: 0.0201, make: []string{picture8 + sound8 + vfr + x264 + "-c:a mp2"}},
		{name: "TS from 1.4 s to AVI", in: "a.ts", out: "b.avi", psnr: 35, loose: "field_order", shift: anywhere, lossy: 0.0201, make: []string{picture8 + sound8 + x264 + "-c:a mp2"}},
		{name: "mp4 to webm", in: "a.mp4", out: "b.webm", psnr: 35, lossy: 0.0011, shift: anywhere, loose: "audio", note: "becomes Opus", make: []string{picture8 + sound8 + x264 + "-c:a aac" + named}},
		{name: "mp4 to gif", in: "a.mp4", out: "b.gif", psnr: 20, lossy: 0.0101, drop: "audio", loose: "pix_fmt chroma_location field_order", note: "left out", make: []string{picture8 + sound8 + x264 + "-c:a aac"}},
		{name: "mp4 to mkv", in: "a.mp4", out: "b.mkv", shift: anywhere, lossy: 0.0011, make: []string{picture8 + sound8 + x264 + "-c:a aac" + named}}, // mkv has no times below 0, where AAC begins
		{name: "qtrle", in: "a.mov", out: "b.mov", make: []string{picture8 + sound8 + fading + "-c:v qtrle -pix_fmt argb -c:a aac" + named}},
		{name: "ProRes 4444", in: "a.mov", out: "b.mov", psnr: 40, note: "12 bits per sample become 10", loose: "pix_fmt", make: []string{picture8 + sound8 + fading + "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le -c:a aac" + named}},
		{name: "VP9 with alpha", in: "a.webm", out: "b.webm", psnr: 33, lossy: 0.0075, make: []string{picture8 + sound8 + fading + "-c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0 -b:v 0 -crf 10 -metadata:s:v:0 alpha_mode=1 -c:a libopus" + named}}, // copying Opus, ffmpeg moves all on by its run-in
		{name: "VP9 with alpha to mkv", in: "a.webm", out: "b.mkv", make: []string{picture8 + fading + "-c:v libvpx-vp9 -pix_fmt yuva420p -auto-alt-ref 0 -b:v 0 -crf 10 -metadata:s:v:0 alpha_mode=1"}, loose: "pix_fmt"},
		{name: "APNG with alpha", in: "a.apng", out: "b.apng", make: []string{picture8 + fading + "-pix_fmt rgba"}},
		{name: "APNG with alpha to ProRes", in: "a.apng", out: "b.mov", set: "encoder=prores", psnr: 33, loose: "pix_fmt color_range", note: "RGB becomes", make: []string{picture8 + fading + "-pix_fmt rgba"}},
		{name: "alpha to mp4", in: "a.mov", out: "b.mp4", psnr: 33, loose: "pix_fmt color_range alpha", note: "transparency", make: []string{picture8 + fading + "-c:v qtrle -pix_fmt argb"}},
		{name: "PQ to webm", in: "a.mp4", out: "b.webm", psnr: 35, lossy: 0.0011, shift: anywhere, loose: "audio mastering field_order", note: "mastered", make: []string{picture8 + sound8 + "-c:v libx265 -preset ultrafast -x265-params " + mastered + " " + b10 + "-color_trc smpte2084 -c:a aac"}},
		{name: "mp4 to ProRes", in: "a.mp4", out: "b.mov", set: "encoder=prores", psnr: 34, loose: "pix_fmt chroma_location", make: []string{picture8 + sound8 + x264 + "-colorspace bt709 -c:a aac" + named}},
		{name: "mkv to AV1", in: "a.mkv", out: "b.mkv", set: "encoder=av1", psnr: 33, loose: "field_order", make: []string{picture8 + sound8 + x264 + "-c:a flac" + named}},
	}
}

func TestMatrix(t *testing.T) {
	needFFmpeg(t)
	if testing.Short() {
		t.Skip("its rows are ffmpeg's work for the most part")
	}
	for _, r := range films() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if strings.Contains(strings.Join(r.make, " "), "-i DIR/") {
				ingredients(t, dir)
			}
			in, out := filepath.Join(dir, r.in), filepath.Join(dir, r.out)
			for i, step := range r.make {
				if i == len(r.make)-1 {
					step += " DIR/" + r.in
				}
				ffmpeg(t, strings.ReplaceAll(step, "DIR", dir))
			}
			film := repaint(t, in, out, r.options(t), nil)
			if notes := strings.Join(film.Notes, "; "); !strings.Contains(notes, r.note) || r.note == "" && notes != "" {
				t.Errorf("notes are %q, want %q", notes, r.note)
			}
			r.compare(t, inspect(t, in), inspect(t, out), film.Begin)
			r.compareContents(t, film, in, out)
		})
	}
}

// A part of a film begins at 0, keeps its frames, and its sound begins within a
// packet of it.
func TestMatrixOfParts(t *testing.T) {
	needFFmpeg(t)
	const second = "-f lavfi -i testsrc2=s=64x48:r=25:d=1.2 -f lavfi -i sine=d=1.2 "
	const words = "-i DIR/words.srt -i DIR/chapters.txt -i DIR/cover.png "
	for _, r := range []struct {
		name, in, out, make, set string
		from, to                 float64
		covers                   int
	}{
		{"mp4 with all", "a.mp4", "b.mp4", second + words + "-map 0 -map 1 -map 2 -map 4 -map_metadata 3 -c:v:0 libx264 -preset:v:0 ultrafast -g 10 -bf 2 -c:v:1 copy -disposition:v:1 attached_pic -c:a aac -c:s mov_text", "start=0.1 duration=0.6", 0.1, 0.7, 1},
		{"mkv with all", "a.mkv", "b.mkv", second + words + "-attach DIR/cover.png -metadata:s:3 mimetype=image/png -map 0 -map 1 -map 2 -map_metadata 3 " + x264 + "-g 10 -c:a flac -c:s srt", "start=0:0.1 duration=0.6", 0.1, 0.7, 1},
		{"start alone", "a.mp4", "b.mkv", second + x264 + "-c:a aac", "start=00:00:00.72", 0.72, 9, 0},
		{"duration alone", "a.mp4", "b.mp4", second + x264 + "-c:a aac", "duration=0.3", 0, 0.3, 0},
		{"VFR", "a.mkv", "b.mkv", second + vfr + x264 + "-c:a flac", "start=0.5 duration=0.5", 0.5, 1, 0},
		{"TS to mp4", "a.ts", "b.mp4", second + x264 + "-g 10 -c:a mp2", "start=0.5 duration=0.5", 0.5, 1, 0},
		{"GIF", "a.gif", "b.mp4", second, "start=0.5 duration=0.5", 0.5, 1, 0},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ingredients(t, dir)
			in, out := filepath.Join(dir, r.in), filepath.Join(dir, r.out)
			ffmpeg(t, strings.ReplaceAll(r.make+" DIR/"+r.in, "DIR", dir))
			asked := row{set: r.set, out: r.out}
			film := repaint(t, in, out, asked.options(t), nil)
			a, b := inspect(t, in), inspect(t, out)
			var want []float64
			for _, at := range a.times {
				if at -= film.Begin; at >= r.from-1e-6 && at < r.to-1e-6 {
					want = append(want, at-r.from)
				}
			}
			asked.lossy = 0.0011
			asked.compareTimes(t, want, b.times, 0)
			if r.name != "VFR" && film.Count < int64(len(want)) || film.Count > int64(len(want))+8 {
				t.Errorf("%d frames were expected, %d came", film.Count, len(want))
			}
			covered := 0
			for _, s := range b.Streams {
				if covers(s) {
					covered++
				}
			}
			if covered != r.covers {
				t.Errorf("%d covers", covered)
			}
			if film.HasAudio {
				first, last := b.sound[0], b.sound[len(b.sound)-1]
				length := min(r.to, 1.2) - r.from
				if first < -0.03 || first > 0.11 || last > length || last < length-0.15 {
					t.Errorf("sound from %v to %v s, of %v s", first, last, length)
				}
			}
			if strings.Contains(r.make, "words.srt") { // at 0.08 s of the film, which is cut off, and 0.24; a chapter at 0.16
				if b.captions == 0 {
					t.Error("no subtitle")
				}
				if len(b.Chapters) != 2 || b.Chapters[1].Start != "0.060000" {
					t.Errorf("chapters %v", b.Chapters)
				}
			}
		})
	}
}

// What cannot be a film is a clear error, and nothing is left behind.
func TestMatrixOfErrors(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	ffmpeg(t, picture8+sound8+x264+"-c:a aac -movflags +faststart "+dir+"/good.mp4")
	ffmpeg(t, sound8+dir+"/sound.m4a")
	ffmpeg(t, picture8+x264+"-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8 "+dir+"/locked.mp4")
	good, err := os.ReadFile(dir + "/good.mp4")
	if err != nil {
		t.Fatal(err)
	}
	ffmpeg(t, picture8+"-c:v mpeg2video "+dir+"/mpeg2.mkv")
	mpeg2, err := os.ReadFile(dir + "/mpeg2.mkv")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty.mp4": nil, "text.mp4": []byte("No film.\n"), "headless.mp4": good[:200],
		"avs3.mkv": bytes.Replace(mpeg2, []byte("V_MPEG2"), []byte("V_AVS3\x00"), 1),
		"snow.mkv": bytes.Replace(mpeg2, []byte("V_MPEG2"), []byte("V_SNOW\x00"), 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct{ name, in, out, set, err string }{
		{"sound only", "sound.m4a", "b.mp4", "", "sound.m4a: no video stream, sound only"},
		{"zero bytes", "empty.mp4", "b.mp4", "", "empty.mp4: the file is empty"},
		{"text", "text.mp4", "b.mp4", "", "text.mp4: not a film"},
		{"headless", "headless.mp4", "b.mp4", "", "headless.mp4: no video stream"},
		{"encrypted", "locked.mp4", "b.mp4", "", "locked.mp4: is encrypted: decrypt it first"},
		{"no such encoder", "good.mp4", "b.mp4", "encoder=libx999", "b.mp4: this ffmpeg has no encoder libx999: choose one that `ffmpeg -encoders` lists"},
		{"encoder of sound", "good.mp4", "b.mp4", "encoder=aac", "aac is for sound"},
		{"encoder that the container refuses", "good.mp4", "b.webm", "encoder=ffv1", "choose another --encoder, or another extension"},
		{"unknown option", "good.mp4", "b.mp4", "encoder-options=haste=9", "b.mp4: ffmpeg: Unrecognized option 'haste"},
		{"option of another encoder", "good.mp4", "b.mkv", "encoder=ffv1 encoder-options=crf=20", "has no option crf; look at --encoder-options: `ffmpeg -h encoder=ffv1`"},
		{"option without sense", "good.mp4", "b.mp4", "encoder-options=preset=sideways", "sideways"},
		{"no such device", "good.mp4", "b.mp4", "hwaccel=abacus", "--hwaccel abacus: this ffmpeg has auto"},
		{"device that is not there", "good.mp4", "b.mp4", "hwaccel=vdpau", "without --hwaccel the processor decodes"},
		{"behind the end", "good.mp4", "b.mp4", "start=1:30", "good.mp4: --start 90 is behind its end: it is 0.3"},
		{"between frames", "good.mp4", "b.mp4", "start=0.01 duration=0.01", "--duration ends before the first frame, which comes at 0.040 s"},
		{"behind the last frame", "good.mp4", "b.mp4", "start=0.31", "good.mp4: no frame could be decoded"},
		{"no decoder", "avs3.mkv", "b.mp4", "", "this ffmpeg cannot decode video stream 0 (avs3): install a newer one"},
		{"no picture", "snow.mkv", "b.mp4", "", "video stream 0 (snow) has no picture that ffmpeg can decode"},
		{"unknown container", "good.mp4", "b.xyz", "", "b.xyz"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if r.set == "hwaccel=vdpau" {
				t.Setenv("DISPLAY", "") // where it would be
				if err := hasHWAccel(t.Context(), "vdpau"); err != nil {
					t.Skip(err)
				}
			}
			asked := row{set: r.set, out: r.out}
			err := asked.carry(t, filepath.Join(dir, r.in), filepath.Join(dir, r.out))
			if err == nil || !strings.Contains(err.Error(), r.err) {
				t.Errorf("error %v, want %q", err, r.err)
			}
			for _, pattern := range []string{".*", "b.*"} {
				if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

// carry is repaint that returns the error.
func (r *row) carry(t *testing.T, in, out string) error {
	o := r.options(t)
	film, err := OpenFilm(t.Context(), in, o)
	if err != nil {
		return err
	}
	file, err := outfile.Reserve(out, outfile.Replace)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := CreateFilm(t.Context(), film, file, o)
	if err != nil {
		return err
	}
	defer sink.Abort()
	for f, err := range film.Frames(t.Context()) {
		if err != nil {
			return err
		}
		if err := sink.WriteFrame(f); err != nil {
			return err
		}
	}
	return sink.Close()
}

// ingredients are files that films are made with.
func ingredients(t *testing.T, dir string) {
	for name, text := range map[string]string{
		"words.srt":    "1\n00:00:00,080 --> 00:00:00,200\nWorte\n\n2\n00:00:00,240 --> 00:00:00,300\nWeitere\n",
		"chapters.txt": ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=160\ntitle=Eins\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=160\nEND=320\ntitle=Zwei\n",
		"font.ttf":     "no font, but it is carried",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ffmpeg(t, "-f lavfi -i color=red:s=16x16 -frames:v 1 "+dir+"/cover.png")
}

// options are lossless, so that frames can be compared, but for what r sets.
func (r *row) options(t *testing.T) Options {
	t.Helper()
	o := DefaultOptions()
	for _, s := range strings.Fields(r.set) {
		key, value, _ := strings.Cut(s, "=")
		var err error
		switch key {
		case "encoder":
			o.Encoder = value
		case "start":
			err = o.Start.UnmarshalText([]byte(value))
		case "duration":
			err = o.Duration.UnmarshalText([]byte(value))
		case "hwaccel":
			o.HWAccel = value
		case "encoder-options":
			err = o.EncoderOptions.UnmarshalText([]byte(value))
		case "no-audio":
			o.NoAudio = true
		case "no-deinterlace":
			o.NoDeinterlace = true
		default:
			t.Fatalf("option %s", s)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	encoder := usualEncoders[strings.TrimPrefix(filepath.Ext(r.out), ".")]
	if strings.HasPrefix(r.name, "HDR") || strings.HasPrefix(r.name, "HLG") {
		encoder = "libx265"
	}
	if strings.Contains(r.name, "qtrle") || strings.Contains(r.name, "4444") {
		encoder = "" // as it is
	}
	if o.Encoder == "auto" && o.EncoderOptions == nil && lossless[encoder] != "" {
		if err := o.EncoderOptions.UnmarshalText([]byte(lossless[encoder])); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// seen is what ffprobe says of a file.
type seen struct {
	Streams []map[string]any
	Format  struct{ Tags map[string]string }
	// Chapters are compared as they are.
	Chapters []struct {
		Start string `json:"start_time"`
		End   string `json:"end_time"`
		Tags  map[string]string
	}
	Items []struct {
		Type   string // packet or frame
		Stream int    `json:"stream_index"`
		Kind   string `json:"codec_type"`                 // of a packet
		PTS    string `json:"pts_time"`                   // of a packet
		Flags  string `json:"flags"`                      // of a packet
		Time   string `json:"best_effort_timestamp_time"` // of a frame
		Side   []any  `json:"side_data_list"`
	} `json:"packets_and_frames"`

	video    map[string]any // the film's stream
	times    []float64      // of its frames
	light    []any          // side data of the first one
	sound    []float64      // times of the first sound's packets that are heard
	captions int            // packets of subtitles
}

func inspect(t *testing.T, path string) *seen {
	t.Helper()
	var s seen
	text, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", "-show_chapters", "-show_packets", "-show_frames", path).Output()
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	video, sound := -1, -1
	for i, stream := range s.Streams {
		switch kind := stream["codec_type"]; {
		case kind == "video" && !covers(stream) && video < 0:
			video, s.video = i, stream
		case kind == "audio" && sound < 0:
			sound = i
		}
	}
	for _, item := range s.Items {
		at, err := strconv.ParseFloat(item.PTS, 64)
		switch {
		case item.Type == "packet" && item.Kind == "subtitle":
			s.captions++
		case item.Type == "packet" && item.Stream == sound && err == nil:
			s.sound = append(s.sound, at)
		case item.Type == "frame" && item.Stream == video:
			if len(s.times) == 0 {
				s.light = item.Side
			}
			at, err := strconv.ParseFloat(item.Time, 64)
			if n := len(s.times); item.Time == "" && n > 1 { // MPEG-PS gives no time to the last
				at, err = 2*s.times[n-1]-s.times[n-2], nil
			}
			if err != nil {
				t.Fatalf("%s: time %q", path, item.Time)
			}
			s.times = append(s.times, at)
		}
	}
	if len(s.times) == 0 {
		t.Fatalf("%s: no frames", path)
	}
	return &s
}

func covers(stream map[string]any) bool {
	d, _ := stream["disposition"].(map[string]any)
	return d["attached_pic"] == 1.0
}

// tagged is a stream's tag.
func tagged(stream map[string]any, key string) string {
	tags, _ := stream["tags"].(map[string]any)
	value, _ := tags[key].(string)
	if key == "language" && value == "ger" { // the other of its two names
		value = "deu"
	}
	return strings.TrimPrefix(value, "und") // mp4's word for none
}

// compare holds the result's times and tags against the film's.
func (r *row) compare(t *testing.T, in, out *seen, begin float64) {
	t.Helper()
	r.compareTimes(t, in.times, out.times, begin)
	for _, key := range []string{"width", "height", "pix_fmt", "sample_aspect_ratio", "color_range", "color_space", "color_primaries", "color_transfer", "chroma_location", "field_order"} {
		a, b := in.video[key], out.video[key]
		if key == "color_range" && b == nil {
			b = "tv" // what an untagged film has
		}
		if a != nil && a != "unknown" && a != "unspecified" && a != b && !strings.Contains(r.loose, key) {
			t.Errorf("%s %v became %v", key, a, b)
		}
	}
	if a, b := mustJSON(graded(in.light)), mustJSON(graded(out.light)); a != b && !strings.Contains(r.loose, "mastering") {
		t.Errorf("mastering %s became %s", a, b)
	}
	if strings.HasPrefix(r.name, "HDR10") && len(graded(in.light)) != 2 {
		t.Errorf("the film was made without mastering: %v", in.light)
	}
	if len(in.sound) > 0 && len(out.sound) > 0 && !strings.Contains(r.loose, "audio") {
		if a, b := in.times[0]-in.sound[0], out.times[0]-out.sound[0]; math.Abs(a-b) > 0.0015+r.lossy {
			t.Errorf("sound led by %v s, now by %v s", a, b)
		}
	}
	kinds := func(s *seen) (list []string) {
		for _, stream := range s.Streams {
			kind := stream["codec_type"].(string)
			if s == out || !strings.Contains(r.drop, kind) || kind == "video" && (stream["index"] == s.video["index"]) {
				if covers(stream) {
					kind = "cover"
				}
				list = append(list, kind+" "+tagged(stream, "language")+" "+tagged(stream, "title"))
			}
		}
		slices.Sort(list) // the film comes first in the result
		return list
	}
	if a, b := mustJSON(in.video["disposition"]), mustJSON(out.video["disposition"]); r.in[1:] == r.out[1:] && a != b {
		t.Errorf("dispositions of the picture %s became %s", a, b)
	}
	if a, b := kinds(in), kinds(out); !slices.Equal(a, b) {
		t.Errorf("streams\n%q became\n%q", a, b)
	}
	for key, value := range in.Format.Tags {
		switch {
		case slices.Contains([]string{"major_brand", "minor_version", "compatible_brands", "encoder"}, strings.ToLower(key)):
		case out.Format.Tags[key] != value:
			t.Errorf("%s=%s became %q", key, value, out.Format.Tags[key])
		}
	}
	if a, b := mustJSON(in.Chapters), mustJSON(out.Chapters); a != b {
		t.Errorf("chapters %s became %s", a, b)
	}
}

func (r *row) compareTimes(t *testing.T, want, got []float64, begin float64) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d frames became %d: %v and %v", len(want), len(got), want, got)
	}
	shift := r.shift * begin
	if math.IsNaN(r.shift) {
		shift = want[0] - got[0]
	}
	for i := range want {
		if d := math.Abs(got[i] - (want[i] - shift)); d > r.lossy+1e-9 {
			t.Errorf("frame %d: time %v became %v", i, want[i]-shift, got[i])
		}
	}
}

// graded is the part of a frame's side data that says how the film was mastered.
func graded(side []any) (list []any) {
	for _, d := range side {
		switch d.(map[string]any)["side_data_type"] {
		case "Mastering display metadata", "Content light level metadata":
			list = append(list, d)
		}
	}
	return list
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// compareContents holds samples and sound against the film's.
func (r *row) compareContents(t *testing.T, film *Film, in, out string) {
	t.Helper()
	sound := film.HasAudio && !strings.Contains(r.drop, "audio") && !strings.Contains(r.loose, "audio")
	format, filters := film.decodeTo, ""
	if r.psnr > 0 {
		format = "rgb24"
	}
	if film.interlaced() {
		filters = "bwdif=mode=send_frame:deint=interlaced,"
	}
	if format == "gbrap" {
		format = "rgba" // ffmpeg's way to gbrap is not exact
	}
	opaque := format
	if film.Format.Alpha && !strings.Contains(r.loose, "alpha") && r.psnr > 0 {
		format = "rgba"
	}
	a, heardA := contents(t, film, in, format, filters, sound)
	b, heardB := contents(t, film, out, format, "", sound)
	if format == "rgba" && opaque == "rgb24" {
		r.compareAlpha(t, a, b)
	}
	if heardA != heardB {
		t.Errorf("sound %s became %s", heardA, heardB)
	}
	switch {
	case len(a) == 0 || len(a) != len(b):
		t.Errorf("%d bytes of samples became %d", len(a), len(b))
	case r.psnr == 0 && !bytes.Equal(a, b):
		t.Errorf("samples differ: PSNR %.1f dB, taken as bytes", psnr(a, b))
	case r.psnr > 0 && psnr(a, b) < r.psnr:
		t.Errorf("PSNR %.1f dB, want %v", psnr(a, b), r.psnr)
	}
}

// contents are a film's samples in a pixel format, and what its sound's packets
// come to.
func contents(t *testing.T, film *Film, path, format, filters string, sound bool) (samples []byte, heard string) {
	t.Helper()
	args := []string{"-v", "error", "-nostdin"}
	if film.decodeBy != "" && (path == film.Path || strings.HasSuffix(path, ".webm")) {
		args = append(args, "-c:v", film.decodeBy)
	}
	args = append(args, "-i", path, "-map", "0:V:0", "-vf", filters+"scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp",
		"-pix_fmt", format, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	sum := path + ".md5"
	if sound {
		args = append(args, "-map", "0:a", "-c", "copy", "-f", "md5", sum)
	}
	samples, err := exec.Command("ffmpeg", args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if sound {
		b, err := os.ReadFile(sum)
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %v", sum, err)
		}
		heard = string(b)
	}
	return samples, heard
}

// compareAlpha holds alpha, every fourth byte, against the film's, as exactly as the
// encoder takes it.
func (r *row) compareAlpha(t *testing.T, a, b []byte) {
	t.Helper()
	worst, limit := 0, 1
	if strings.Contains(r.name, "VP9") { // which codes it with loss
		limit = 12
	}
	seen := map[byte]bool{}
	for i := 3; i < min(len(a), len(b)); i += 4 {
		worst = max(worst, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
		seen[a[i]] = true
	}
	if worst > limit {
		t.Errorf("alpha is off by %d", worst)
	}
	if len(seen) < 2 && !strings.HasSuffix(r.in, ".gif") {
		t.Error("the film was made without alpha")
	}
}

func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}
