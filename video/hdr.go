package video

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	ff "github.com/u2takey/ffmpeg-go"
)

// mastering is ffprobe's report of the display that a film was graded on (SMPTE ST
// 2086), in fractions.
type mastering struct {
	RedX         string `json:"red_x"`
	RedY         string `json:"red_y"`
	GreenX       string `json:"green_x"`
	GreenY       string `json:"green_y"`
	BlueX        string `json:"blue_x"`
	BlueY        string `json:"blue_y"`
	WhiteX       string `json:"white_point_x"`
	WhiteY       string `json:"white_point_y"`
	MinLuminance string `json:"min_luminance"`
	MaxLuminance string `json:"max_luminance"`
}

// lightLevel is how bright a film gets, in cd/m² (CTA 861.3).
type lightLevel struct {
	MaxContent int `json:"max_content"`
	MaxAverage int `json:"max_average"`
}

// HDR reports whether the film is HDR10 or HLG.
func (f *Film) HDR() bool {
	return f.layout.Transfer != SDR
}

// probeHDR reads how the film was mastered, from the container or else from the
// first frame.
func (f *Film) probeHDR(ctx context.Context) error {
	found := slices.Clone(f.video.SideData)
	text, err := f.probe(ctx, ff.KwArgs{"select_streams": fmt.Sprint(f.video.Index), "read_intervals": "%+#1", "show_frames": ""})
	if err != nil {
		return err
	}
	var p struct {
		Frames []struct {
			SideData []sideData `json:"side_data_list"`
		} `json:"frames"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("ffprobe: %w", err)
	}
	for _, frame := range p.Frames {
		found = append(found, frame.SideData...)
	}
	for _, d := range found {
		switch {
		case d.Type == "Mastering display metadata":
			f.light.mastering = d.mastering
		case d.Type == "Content light level metadata":
			f.light.lightLevel = d.lightLevel
		case strings.HasPrefix(d.Type, "DOVI"), strings.HasPrefix(d.Type, "HDR Dynamic"):
			if note := "HDR metadata (" + d.Type + ") is not kept"; !slices.Contains(f.Notes, note) {
				f.Notes = append(f.Notes, note)
			}
		}
	}
	return nil
}

// masterDisplay is x265's word for the display, in steps of 0.00002 and 0.0001
// cd/m²; "": not known.
func (m *mastering) masterDisplay() string {
	var n []any
	for _, c := range []struct {
		value string
		steps float64
	}{
		{m.GreenX, 50000}, {m.GreenY, 50000}, {m.BlueX, 50000}, {m.BlueY, 50000}, {m.RedX, 50000}, {m.RedY, 50000},
		{m.WhiteX, 50000}, {m.WhiteY, 50000}, {m.MaxLuminance, 10000}, {m.MinLuminance, 10000},
	} {
		r, err := parseRatio(strings.ReplaceAll(c.value, "/", ":"))
		if err != nil || r.Den <= 0 {
			return ""
		}
		n = append(n, int64(math.Round(float64(r.Num)*c.steps/float64(r.Den))))
	}
	return fmt.Sprintf("G(%d,%d)B(%d,%d)R(%d,%d)WP(%d,%d)L(%d,%d)", n...)
}

// x265Params adds to the options what x265 needs to know of an HDR film.
func (f *Film) x265Params(options Settings) Settings {
	params := []string{"log-level=error"} // it would chatter on stderr
	if f.HDR() {
		if display := f.light.masterDisplay(); display != "" {
			params = append(params, "master-display="+display)
		}
		if f.light.MaxContent > 0 || f.light.MaxAverage > 0 {
			params = append(params, fmt.Sprintf("max-cll=%d,%d", f.light.MaxContent, f.light.MaxAverage))
		}
	}
	for i, o := range options {
		if o.Key == "x265-params" {
			options[i].Value = strings.Join(append(params, o.Value), ":")
			return options
		}
	}
	return append(options, Setting{"x265-params", strings.Join(params, ":")})
}
