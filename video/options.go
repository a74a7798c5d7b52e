package video

import (
	"fmt"
	"strings"

	"nstfilter/filter/limits"
)

// Options is what decides how film is read and written. Fields are declared as in
// filter.Options: name is the flag and the preset's key, help its line.
type Options struct {
	Colorspace string `name:"colorspace" oneof:"auto,bt601,bt709,bt2020" help:"Matrix of the film's YUV: auto (as tagged; untagged: bt709 from 720 lines on, else bt601), bt601, bt709 or bt2020."`
	ColorRange string `name:"color-range" oneof:"auto,limited,full" help:"Range of the film's samples: auto (as tagged; untagged: limited, full for RGB and gray), limited or full."`
	NoAudio    bool   `name:"no-audio" help:"Leave the sound out of the result."`

	ColorTransfer string `name:"color-transfer" oneof:"auto,sdr,pq,hlg" help:"Transfer function of the film's samples: auto (as tagged; untagged: sdr), sdr, pq or hlg. HDR is painted as SDR would look, and comes out as HDR."`

	Rate           Rate     `name:"rate" placeholder:"N" help:"Frames per second of numbered pictures, and of the film that they become: 24, 24000/1001 or 23.976."`
	Start          Clock    `name:"start" placeholder:"TIME" min:"0" help:"Begin at this time of the film, counted from its beginning: 90, 1:30 or 00:01:30.5. Sound, subtitles and chapters are cut along, and the result's times begin at 0 there."`
	Duration       Clock    `name:"duration" placeholder:"TIME" min:"0" help:"Paint this much of the film, written like --start, and leave out the rest."`
	NoDeinterlace  bool     `name:"no-deinterlace" help:"Take an interlaced film's frames as they are: for film that is only marked so."`
	HWAccel        string   `name:"hwaccel" placeholder:"NAME" help:"Let ffmpeg decode on a device: cuda, vaapi, videotoolbox and what else ffmpeg -hwaccels lists."`
	Encoder        string   `name:"encoder" help:"What encodes the film, by ffmpeg's name: libx265, prores_ks, ffv1, libsvtav1 …; auto takes what suits the container: H.264 for mp4, mov and mkv, H.265 for HDR, VP9 for webm."`
	EncoderOptions Settings `name:"encoder-options" placeholder:"KEY=VALUE:…" help:"The encoder's options, by ffmpeg's names: crf=20:preset=slow; \\: is a colon in a value. What names a file is not taken."`
}

// DefaultOptions believes the film's tags and keeps its sound.
func DefaultOptions() Options {
	return Options{Colorspace: "auto", ColorRange: "auto", ColorTransfer: "auto", Encoder: "auto", Rate: Rate{25, 1}}
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	if err := limits.Check(o); err != nil {
		return err
	}
	if o.Rate.Num <= 0 || o.Rate.Den <= 0 {
		return fmt.Errorf("--rate is not above 0: give the frames per second of the numbered pictures")
	}
	if o.Encoder == "" || strings.ContainsAny(o.Encoder, " /\\:") {
		return fmt.Errorf("--encoder %q is no encoder's name: ffmpeg -encoders lists them", o.Encoder)
	}
	return nil
}

// apply overrides what the stream says.
func (o *Options) apply(l *Layout) {
	switch o.Colorspace {
	case "bt601":
		l.Matrix = BT601
	case "bt709":
		l.Matrix = BT709
	case "bt2020":
		l.Matrix = BT2020
	}
	switch o.ColorRange {
	case "limited":
		l.Full = false
	case "full":
		l.Full = true
	}
	switch o.ColorTransfer {
	case "sdr":
		l.Transfer = SDR
	case "pq":
		l.Transfer = PQ
	case "hlg":
		l.Transfer = HLG
	}
}
