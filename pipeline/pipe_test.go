package pipeline

import (
	"bytes"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/video"
)

func TestY4MRateWriter(t *testing.T) {
	known := filter.Rational{Num: 24000, Den: 1001}
	for _, test := range []struct {
		name  string
		rate  filter.Rational
		pts   []int64 // of 1/1000 s
		token string
		said  string
	}{
		{"even, rate said", known, []int64{500, 542, 583, 625}, "F24000:1001", ""},
		{"even, rate not said", filter.Rational{}, []int64{80, 120, 160}, "F25:1", ""},
		{"one frame", filter.Rational{}, []int64{80}, "F25:1", ""},
		{"none", filter.Rational{}, nil, "F25:1", ""},
		{"times that stand still", filter.Rational{}, []int64{80, 80}, "F25:1", "frame 1 comes at 0.000 s"},
		{"uneven", filter.Rational{Num: 10, Den: 1}, []int64{0, 100, 149, 250, 400, 900}, "F10:1", "frame 2 comes at 0.149 s"},
		{"a gap", filter.Rational{}, []int64{0, 50, 100, 200}, "F20:1", "frame 3 comes at 0.200 s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := new(bytes.Buffer)
			var said []string
			u := &y4mRateWriter{w: out, h: video.Y4MHeader{Layout: video.Layout{W: 2, H: 2, Format: video.PixelFormat{Sampling: video.S444, Depth: 8}}, Rate: test.rate},
				say: func(s string) { said = append(said, s) }}
			for i, pts := range test.pts {
				f := filter.NewFrame(2, 2)
				f.Index, f.PTS, f.TimeBase = i, pts, filter.Rational{Num: 1, Den: 1000}
				if err := u.WriteFrame(f); err != nil {
					t.Fatal(err)
				}
			}
			if err := u.Close(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), "FRAME\n"); got != len(test.pts) || !strings.Contains(out.String(), " "+test.token+" ") {
				t.Errorf("%d frames of %d, %q", got, len(test.pts), out)
			}
			if text := strings.Join(said, "|"); (text == "") != (test.said == "") || !strings.Contains(text, test.said) || len(said) > 1 {
				t.Errorf("said %q, want %q once", text, test.said)
			}
		})
	}
}
