package video

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// An option of --encoder-options reaches no file and no connection.
func TestEncoderOptionsNameNoFile(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg")
	}
	const noOption, file = "has no option", "may name a file"
	for _, c := range []struct{ encoder, options, want string }{
		{"libx264", "crf=20:preset=slow:g=50:b=2M:profile=high:threads=2:flags=+cgop:q=3", ""},
		{"libx264", `x264-params=keyint=30\:no-mbtree\:psy_rd=1.0,0.1:psy-rd=1\:0`, ""},
		{"libx265", `x265-params=log-level=error\:no-info=1\:master-display=G(1,2)B(3,4)`, ""},
		{"ffv1", "slices=4:context=1", ""},
		{"libx264", "y=evil.mkv", noOption},
		{"libx264", `progress=http\://127.0.0.1/`, noOption},
		{"libx264", "vstats_file=f", noOption},
		{"libx264", "report=1", noOption},
		{"libx264", "pass=1", noOption},
		{"libx264", "dump_separator=a", file},
		{"ffv1", "crf=20", noOption},
		{"libx264", "stats=f", file},
		{"libx264", "passlogfile=f", file},
		{"libx264", "flags=+pass1", "two passes"},
		{"libx264", "flags=512", "two passes"},
		{"libx264", "x264-params=stats=f", "x264-params: stats is not taken"},
		{"libx264", `x264-params=crf=20\:dump_yuv=f`, file},
		{"libx264", "x264-params=Pass=1", file},
		{"libx264", `x264opts=qp=3\:CQMFILE=f`, file},
		{"libx264", `x264-params=st\\ats=f`, "quotes"},
		{"libx264", `x264-params=crf='20\:stats=f'`, "quotes"},
		{"libx265", "x265-params=csv=f", file},
		{"libx265", "x265-params=recon-y4m-exec=f", file},
		{"libx265", "x265-params=qpfile=f", file},
		{"libx265", "x265-params=analysis-save=f", file},
		{"libx265", "x265-params=dolby-vision-rpu=f", file},
		{"libsvtav1", "svtav1-params=stats=f", file},
		{"libaom-av1", "aom-params=film-grain-table=f", file},
	} {
		var o Settings
		if err := o.UnmarshalText([]byte(c.options)); err != nil {
			t.Fatal(err)
		}
		help, err := encoderHelp(context.Background(), c.encoder)
		if err != nil {
			t.Log(err) // this ffmpeg lacks the encoder
			continue
		}
		err = checkOptions(context.Background(), c.encoder, help, o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: error %v, want %q", c.encoder, c.options, err, c.want)
		}
	}
}
