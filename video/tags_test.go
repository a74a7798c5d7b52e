package video

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every value of ITU-T H.273 for primaries, transfer and matrix that ffprobe has a name
// for comes out as it went in, except what is said: RGB's matrix on YUV, and
// primaries 22, which libx264 does not write.
func TestColourTagsKept(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.mkv")
	ffmpeg(t, "-f lavfi -i testsrc2=s=64x64:r=25:d=0.04 "+x264+plain)
	for code := range 23 {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out := filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.mp4")
			ffmpeg(t, fmt.Sprintf("-i %s -c copy -bsf:v h264_metadata=colour_primaries=%d:transfer_characteristics=%[2]d:matrix_coefficients=%[2]d %s", plain, code, in))
			film := repaint(t, in, out, DefaultOptions(), nil)
			const asked = "-show_entries stream=color_space,color_transfer,color_primaries -of default=nk=1:nw=1"
			want, got := ffprobe(t, in, asked), ffprobe(t, out, asked)
			for i := range want {
				if !knownTag(want[i]) || want[i] == "gbr" || want[i] == "ebu3213" {
					want[i] = "unknown"
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("tags are %v, want %v", got, want)
			}
			if said := strings.Contains(strings.Join(film.Notes, "; "), "color_primaries=ebu3213 is not kept"); said != (code == 22) {
				t.Errorf("notes are %q", film.Notes)
			}
			if said := strings.Contains(strings.Join(film.Notes, "; "), "tagged as RGB"); said != (code == 0) {
				t.Errorf("notes are %q", film.Notes)
			}
		})
	}
}
