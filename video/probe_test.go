package video

import (
	"math"
	"testing"
)

const probed = `{"streams":[{"index":0,"codec_type":"audio","codec_name":"aac"},
{"index":1,"codec_type":"video","codec_name":"h264","pix_fmt":"yuv420p","width":64,"height":48,"color_range":"tv",
"time_base":"1/12800","avg_frame_rate":"25/1","nb_frames":"50","duration":"2.0","disposition":{"attached_pic":0},
"side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]}],
"format":{"format_name":"mov","start_time":"0.0","duration":"2.0","tags":{"title":"a"}}}`

func TestParseProbed(t *testing.T) {
	f := &Film{options: DefaultOptions()}
	if err := f.parse([]byte(probed)); err != nil {
		t.Fatal(err)
	}
	if f.W != 48 || f.H != 64 || f.Count != 50 || f.Seconds != 2 || f.Rate.Num != 25 || !f.HasAudio || f.Format.String() != "yuv420p" {
		t.Errorf("got %d×%d, %d frames, %g s, %v a second, sound %t, %v", f.W, f.H, f.Count, f.Seconds, f.Rate, f.HasAudio, f.Format)
	}
}

// FuzzProbed: whatever ffprobe says of a stranger's file ends in an error or in a film
// whose numbers can be reckoned with.
func FuzzProbed(f *testing.F) {
	f.Add(probed)
	f.Add(`{"streams":[{"codec_type":"video","pix_fmt":"gray","width":16,"height":16,"duration":"inf","avg_frame_rate":"1/0"}],"format":{"start_time":"nan"}}`)
	f.Add(`{"streams":[{"codec_type":"video","pix_fmt":"yuvj420p","width":1e9,"height":16,"nb_frames":"-5","duration":"-1"}]}`)
	f.Add(`{"streams":[{"codec_type":"audio"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		film := &Film{options: DefaultOptions()}
		if film.parse([]byte(text)) != nil {
			return
		}
		finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
		if film.W < 16 || film.H < 16 || film.Count < 0 || !finite(film.Seconds) || film.Seconds < 0 || !finite(film.Begin) || film.Begin < 0 {
			t.Errorf("%d×%d, %d frames, %g s from %g", film.W, film.H, film.Count, film.Seconds, film.Begin)
		}
		if err := film.cut(); err != nil {
			t.Log(err)
		}
	})
}
