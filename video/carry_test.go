package video

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// soundMD5 is of a file's first sound, decoded to 16 bits.
func soundMD5(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "md5", "-").Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(out)
}

// What a container does not take becomes what it takes, without loss where it can, and that
// is said.
func TestSoundThatIsRefused(t *testing.T) {
	needFFmpeg(t)
	for _, c := range []struct{ in, make, out, note, codec string }{
		{"a.vob", "-c:v mpeg2video -c:a pcm_dvd -ac 2", "b.mkv", "sound stream 1 (pcm_dvd) becomes FLAC without loss, as mkv needs", "flac"},
		{"a.vob", "-c:v mpeg2video -c:a pcm_dvd -ac 2", "b.mov", "sound stream 1 (pcm_dvd) becomes PCM without loss, as mov needs", "pcm_s16le"},
		{"a.mkv", "-c:v ffv1 -c:a flac", "b.mov", "becomes PCM without loss", "pcm_s16le"},
		{"a.mkv", "-c:v ffv1 -c:a flac", "b.ts", "becomes AAC, as ts needs", "aac"}, // ffmpeg would put FLAC there unheard
		{"a.mkv", "-c:v ffv1 -c:a flac", "b.mpg", "becomes AC-3, as mpg needs", "ac3"},
		{"a.mkv", "-c:v ffv1 -c:a ac3 -af aformat=channel_layouts=5.1(side)", "b.webm", "becomes Opus, as webm needs", "opus"},
	} {
		t.Run(c.in+" to "+c.out, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out := filepath.Join(dir, c.in), filepath.Join(dir, c.out)
			ffmpeg(t, "-f lavfi -i testsrc2=s=64x48:r=25:d=0.32 -f lavfi -i sine=r=48000:d=0.32 "+c.make+" "+in)
			film := repaint(t, in, out, DefaultOptions(), nil)
			if notes := strings.Join(film.Notes, "; "); !strings.Contains(notes, c.note) {
				t.Errorf("notes are %q, want %q", notes, c.note)
			}
			if got := ffprobe(t, out, "-select_streams a -show_entries stream=codec_name"); got[0] != c.codec {
				t.Errorf("sound is %v, want %s", got, c.codec)
			}
			if strings.Contains(c.note, "without loss") && soundMD5(t, out) != soundMD5(t, in) {
				t.Error("the sound has changed")
			}
		})
	}
}

// Sound of an unknown codec cannot be converted: the error says how to do without.
func TestSoundThatNobodyKnows(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.mkv"), filepath.Join(dir, "b.mov")
	ffmpeg(t, picture8+sound8+"-c:v ffv1 -c:a flac "+in)
	data, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, bytes.ReplaceAll(data, []byte("A_FLAC"), []byte("A_WHAT")), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := row{out: "b.mov"}
	if err := asked.carry(t, in, out); err == nil || !strings.Contains(err.Error(), "sound stream 1") || !strings.Contains(err.Error(), "--no-audio") {
		t.Errorf("error %v", err)
	}
	asked.set = "no-audio=true"
	if err := asked.carry(t, in, out); err != nil {
		t.Error(err)
	}
}

// The beginning of a film keeps its sound's run-in, which the decoder needs to be right from
// the first sample on.
func TestSoundRunsIn(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.mp4")
	ffmpeg(t, "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -f lavfi -i sine=d=1 "+x264+"-c:a aac "+in)
	asked := row{set: "duration=0.5", out: "b.mp4"}
	repaint(t, in, out, asked.options(t), nil)
	heard := func(path string) []byte {
		b, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-t", "0.3", "-f", "s16le", "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if a, b := heard(in), heard(out); len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("the first 0.3 s of sound, %d bytes, have become others", len(a))
	}
	if last := times(t, out); len(last) != 13 { // 0, 0.04 … 0.48
		t.Errorf("frames come at %v", last)
	}
}

// A camera's track of measurements goes along where it can; else it is said that it is gone.
func TestDataTracks(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	timed := filepath.Join(dir, "timed.mov")
	ffmpeg(t, picture8+x264+"-timecode 01:00:00:00 "+timed)
	data, err := os.ReadFile(timed)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte("stsd")) + 16 // the description of the track of time codes
	for _, c := range []struct{ tag, out, note string }{
		{"tmcd", "b.mov", ""}, {"tmcd", "b.mkv", ""},
		{"gpmd", "b.mov", ""}, {"gpmd", "b.mp4", ""}, {"gpmd", "b.mkv", "data stream 1 (bin_data) is left out"},
		{"fdsc", "b.mov", "data stream 1 (fdsc) is left out"},
	} {
		t.Run(c.tag+" to "+c.out, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "a.mov"), filepath.Join(dir, c.out)
			if string(data[at:at+4]) != "tmcd" {
				t.Fatalf("%q is not the track's format", data[at:at+4])
			}
			if err := os.WriteFile(in, slices.Concat(data[:at], []byte(c.tag), data[at+4:]), 0o600); err != nil {
				t.Fatal(err)
			}
			film := repaint(t, in, out, DefaultOptions(), nil)
			if notes := strings.Join(film.Notes, "; "); notes != c.note {
				t.Errorf("notes are %q, want %q", notes, c.note)
			}
			tags := strings.Join(ffprobe(t, out, "-show_entries stream=codec_tag_string"), " ")
			if strings.Contains(tags, c.tag) != (c.note == "" && c.out != "b.mkv") {
				t.Errorf("tracks are %s", tags)
			}
		})
	}
}

// What ffprobe tells of the picture that ffmpeg cannot write is said.
func TestLostSideData(t *testing.T) {
	const text = `{"streams":[{"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p","width":64,"height":48,TAGS
"side_data_list":[{"side_data_type":"Stereo 3D","type":"side by side"},{"side_data_type":"SECOND","projection":"equirectangular"}]}],"format":{}}`
	for _, c := range []struct{ tags, second, container, want string }{
		{"", "Spherical Mapping", "mp4", "stereo spherical"},
		{`"tags":{"stereo_mode":"left_right"},`, "Spherical Mapping", "mkv", "spherical"},
		{`"tags":{"stereo_mode":"left_right"},`, "CPB properties", "mp4", "stereo"},
		{`"tags":{"stereo_mode":"left_right"},`, "CPB properties", "mkv", ""},
	} {
		f := &Film{options: DefaultOptions()}
		if err := f.parse([]byte(strings.NewReplacer("TAGS", c.tags, "SECOND", c.second).Replace(text))); err != nil {
			t.Fatal(err)
		}
		s := &FilmSink{film: f, container: c.container}
		notes := s.lostSideData()
		if len(notes) != len(strings.Fields(c.want)) {
			t.Fatalf("%s: notes are %q, want %s", c.container, notes, c.want)
		}
		for i, word := range strings.Fields(c.want) {
			if !strings.Contains(notes[i], word) {
				t.Errorf("%s: note %q, want %s", c.container, notes[i], word)
			}
		}
	}
}
