package video

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"nstfilter/filter/limits"
)

// encoding says how the painted stream is coded.
type encoding struct {
	name    string      // ffmpeg's name of the encoder; "": ffmpeg's choice for the container
	target  string      // pixel format, ffmpeg's name; "": the frames' own
	format  PixelFormat // that holds target's samples
	options Settings
}

// usualEncoders lists the encoder of each container that is used if none is asked for.
var usualEncoders = map[string]string{
	"mp4": "libx264", "m4v": "libx264", "mov": "libx264", "mkv": "libx264",
	"ts": "libx264", "m2ts": "libx264", "mts": "libx264", "flv": "libx264",
	"webm": "libvpx-vp9", "gif": "gif", "apng": "apng", "nut": "ffv1",
	"avi": "mpeg4", "mpg": "mpeg2video", "mpeg": "mpeg2video", "vob": "mpeg2video", "ogv": "libtheora",
}

// shortNames lists names of codecs, and the encoder that people mean by them.
var shortNames = map[string]string{
	"h264": "libx264", "x264": "libx264", "h265": "libx265", "x265": "libx265", "hevc": "libx265",
	"vp8": "libvpx", "vp9": "libvpx-vp9", "av1": "libaom-av1", "prores": "prores_ks", "theora": "libtheora",
}

// encoderQuality lists the options of encoders that --encoder-options does not set. With them
// the film looks like the painted frames.
var encoderQuality = map[string]Settings{
	"libx264":    {{"crf", "17"}},
	"libx264rgb": {{"crf", "17"}},
	"libx265":    {{"crf", "17"}},
	"libvpx":     {{"crf", "8"}, {"b", "20M"}},
	"libvpx-vp9": {{"crf", "24"}, {"b", "0"}, {"row-mt", "1"}},
	"libaom-av1": {{"crf", "22"}, {"b", "0"}, {"cpu-used", "6"}, {"row-mt", "1"}},
	"libsvtav1":  {{"crf", "22"}, {"preset", "8"}},
	"mpeg4":      {{"q", "2"}},
	"mpeg2video": {{"q", "2"}},
	"mjpeg":      {{"q", "2"}},
	"libtheora":  {{"q", "9"}},
	"ffv1":       {{"level", "3"}},
}

// forPlayers lists the encoders whose films are for players. Few players show RGB.
var forPlayers = []string{"libx264", "libx265", "libvpx-vp9", "libaom-av1"}

// chooseEncoding chooses the encoder, its pixel format and its options for the film's frames.
// The notes say what they lose by it.
func chooseEncoding(ctx context.Context, f *Film, container string, o *Options) (e encoding, notes []string, err error) {
	e.name = o.Encoder
	if e.name == "auto" {
		e.name = usualEncoder(f, container)
	} else if full, ok := shortNames[e.name]; ok {
		e.name = full
	}
	e.format = f.written()
	if e.name == "" {
		return e, nil, nil
	}
	help, err := encoderHelp(ctx, e.name)
	if err != nil {
		return e, nil, err
	}
	if err := checkOptions(ctx, e.name, help, o.EncoderOptions); err != nil {
		return e, nil, err
	}
	if e.target = nearestFormat(encoderFormats(help), f, e.name); e.target != "" {
		e.format, _ = nativeFormat(e.target)
	}
	e.options = slices.Clone(o.EncoderOptions)
	for _, q := range encoderQuality[e.name] {
		if !e.rateGiven() || !slices.Contains([]string{"crf", "q", "b"}, q.Key) {
			if _, given := e.options.get(q.Key); !given {
				e.options = append(e.options, q)
			}
		}
	}
	if _, given := e.options.get("profile"); e.name == "prores_ks" && !given {
		profile := "hq"
		if e.format.Sampling == S444 {
			profile = "4444"
		}
		e.options = append(e.options, Setting{"profile", profile})
	}
	if strings.HasPrefix(e.name, "libvpx") && e.format.Alpha {
		e.options = append(e.options, Setting{"auto-alt-ref", "0"}) // the encoder cannot use them with alpha
	}
	if e.name == "libx265" {
		e.options = f.x265Params(e.options)
	}
	if e.name == "gif" {
		return e, nil, nil
	}
	return e, e.losses(f), nil
}

// usualEncoder returns the encoder for the container that keeps the film's alpha and HDR.
func usualEncoder(f *Film, container string) string {
	usual := usualEncoders[container]
	transparent := f.Format.Alpha && f.Codec != "gif" // GIF always has alpha, and few films in it use it
	switch {
	case transparent && container == "mov" && f.Format.Sampling == RGB && f.Format.Depth == 8:
		return "qtrle"
	case transparent && container == "mov":
		return "prores_ks"
	case transparent && container == "mkv":
		return "ffv1"
	case f.HDR() && usual == "libx264" && container != "flv":
		return "libx265"
	}
	return usual
}

// rateGiven reports whether the user's options set the quality or the bit rate.
func (e *encoding) rateGiven() bool {
	return slices.ContainsFunc(e.options, func(o Setting) bool {
		return slices.Contains([]string{"crf", "qp", "q", "qscale", "b", "cq", "lossless"}, o.Key)
	})
}

// remedy adds what to do to an error of the rehearsal.
func (e *encoding) remedy(err error, o *Options) error {
	switch {
	case len(o.EncoderOptions) > 0:
		return fmt.Errorf("%w; look at --encoder-options: `ffmpeg -h encoder=%s` lists what it takes", err, e.name)
	case o.Encoder != "auto":
		return fmt.Errorf("%w; encoder %s may not go with this container or film: choose another --encoder, or another extension", err, e.name)
	}
	return err
}

// losses returns notes on what the encoder's pixel format cannot hold.
func (e *encoding) losses(f *Film) (notes []string) {
	from, to := f.Format, e.format
	if from.Alpha && !to.Alpha {
		notes = append(notes, "transparency, if there is any, is not kept: "+e.name+" has none; .mov, .webm and .mkv keep it")
	}
	if to.Depth < from.Depth {
		notes = append(notes, fmt.Sprintf("%d bits per sample become %d, the most that %s takes", from.Depth, to.Depth, e.name))
	}
	if f.light != (sideData{}) && e.name != "libx265" {
		notes = append(notes, "how the HDR film was mastered is not kept: only libx265 says it")
	}
	switch {
	case from.Sampling == RGB && to.Sampling == S444:
		notes = append(notes, "RGB becomes YUV 4:4:4, which not every player shows")
	case from.Sampling == RGB && to.Sampling != RGB, from.Sampling < to.Sampling && to.Sampling == Mono, from.Sampling <= S444 && to.Sampling < from.Sampling:
		notes = append(notes, fmt.Sprintf("colour is kept at a lower resolution (%v becomes %s), as %s needs", from, e.target, e.name))
	case from.Sampling != S444 && to.Sampling == S444 && refusesOdd(e.name):
		notes = append(notes, fmt.Sprintf("%s takes no odd size (%d×%d) at 4:2:0: the result is 4:4:4, which not every player shows", e.name, f.W, f.H))
	}
	return notes
}

func refusesOdd(encoder string) bool { return encoder == "libx264" || encoder == "libx265" }

// encoders returns the names of ffmpeg's encoders, or none if it does not answer.
func encoders(ctx context.Context) (names []string) {
	text, _ := ask(ctx, "ffmpeg", "-v", "error", "-encoders")
	for line := range strings.Lines(text) { // V....D libx264   libx264 H.264 …
		if words := strings.Fields(line); len(words) > 1 {
			names = append(names, words[1])
		}
	}
	return names
}

// encoderHelp returns what ffmpeg says of its encoder for pictures of this name.
func encoderHelp(ctx context.Context, name string) (string, error) {
	text, err := ask(ctx, "ffmpeg", "-v", "error", "-h", "encoder="+name)
	if err != nil {
		return "", err
	}
	text, found := strings.CutPrefix(text, "Encoder "+name+" ")
	if !found {
		return "", fmt.Errorf("this ffmpeg has no encoder %s: choose one that `ffmpeg -encoders` lists with --encoder, or install an ffmpeg that has it%s",
			name, limits.Hint(name, encoders(ctx)))
	}
	text, _, _ = strings.Cut(text, "\nEncoder ")
	if strings.Contains(text, "Supported sample formats:") {
		return "", fmt.Errorf("--encoder %s is for sound, and a film's picture is to be encoded: choose one that `ffmpeg -encoders` marks V", name)
	}
	return text, nil
}

// encoderFormats lists the pixel formats that an encoder takes, by its help. It is empty if
// the encoder takes all.
func encoderFormats(help string) []string {
	_, list, _ := strings.Cut(help, "Supported pixel formats: ")
	list, _, _ = strings.Cut(list, "\n")
	return strings.Fields(list)
}

// nearestFormat returns the pixel format among known that loses the least of the film's
// samples, or "" if none of them will do.
func nearestFormat(known []string, f *Film, encoder string) string {
	best, least := "", math.Inf(1)
	grey := f.Painted && f.Format.Sampling == Mono
	players := slices.Contains(forPlayers, encoder)
	for _, name := range known {
		p, ok := nativeFormat(name)
		if !ok || coarse(name) {
			continue
		}
		if strings.HasPrefix(name, "ya") {
			continue // it is grey, and its native format is not
		}
		if strings.HasPrefix(name, "yuvj") {
			continue // an old name for full range, which a tag says now
		}
		if refusesOdd(encoder) && (p.Sampling == S420 && f.H%2 == 1 || p.Sampling <= S422 && f.W%2 == 1) {
			continue
		}
		if p.Sampling == RGB && players {
			continue
		}
		c := formatLoss(f.Format, p, f.layout.Full)
		switch {
		case grey && p.Sampling == Mono:
			c += noColour
		case grey && p == f.written() && !players: // players get 4:2:0, as for other films
			c = 0
		}
		if c < least {
			best, least = name, c
		}
	}
	return best
}

// coarse lists packed formats with fewer than 8 bits per sample, and formats with a palette.
func coarse(name string) bool {
	return name == "pal8" || slices.ContainsFunc([]string{"rgb8", "bgr8", "rgb4", "bgr4", "rgb5", "bgr5", "rgb44", "bgr44", "mono", "yuv440", "yuv411", "yuv410"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// noColour is the loss if colours become grey.
const noColour = 1000

// formatLoss rates q as a format for p's samples: 0 is the same format, below 10 they only take
// more room, above something is lost.
func formatLoss(p, q PixelFormat, full bool) float64 {
	loss := 0.0
	if d := q.Depth - p.Depth; d >= 0 {
		loss += float64(d) / 10
	} else {
		loss -= 20 * float64(d)
	}
	detail := [...]float64{S420: 1, S422: 2, S444: 3, Mono: 0, RGB: 3}
	if d := detail[q.Sampling] - detail[p.Sampling]; d >= 0 {
		loss += d
	} else {
		loss -= 100 * d
	}
	if q.Sampling == Mono && p.Sampling != Mono {
		loss += noColour
	}
	switch {
	case p.Alpha && !q.Alpha:
		loss += 500
	case q.Alpha && !p.Alpha:
		loss++
	}
	if p.Sampling != Mono && (q.Sampling == RGB) != (p.Sampling == RGB) {
		loss += 50
	}
	if p.Sampling == Mono && q.Sampling == RGB && !full {
		loss += 50
	}
	return loss
}

// What --encoder-options may say. They may come from a stranger, in a preset, and ffmpeg
// would take among them its own options, which open files and connections (y=FILE,
// progress=URL), and encoders' options that name files. So a key must be one of the encoder's
// options or of those that all encoders have, and a text goes only to options that are known
// to name no file.

// textOptions take a text that names no file.
var textOptions = []string{"preset", "tune", "profile", "level", "wpredp", "psy-rd", "deblock", "partitions",
	"rc_eq", "vendor", "timecode", "gop_timecode", "layer_rates", "ts-parameters"}

// listOptions take a list of the encoder's own settings, KEY=VALUE with colons between, with
// words in its keys beside fileWords that say that a value is a file's name.
var listOptions = map[string][]string{
	"x264-params":   {"opencl"},
	"x264opts":      {"opencl"},
	"x265-params":   {"analysis", "csv", "dhdr10", "exec", "grain", "ladder", "recon", "rpu", "scaling-list"},
	"svtav1-params": {},
	"aom-params":    {"distribution", "table"},
	"rav1e-params":  {},
}

// fileWords are in keys of such lists that name a file, or have one written.
var fileWords = []string{"dump", "file", "pass", "path", "stats", "trace"}

// ffmpegOptions are ffmpeg's own and not its encoders', and harmless.
var ffmpegOptions = []string{"q", "qscale"}

// declaredOption matches a line of ffmpeg -h about an option of video encoders.
var declaredOption = regexp.MustCompile(`(?m)^ +-(\S+) +<\[?(\w+)[^>]*> +E..V`)

// checkOptions returns an error for the first option that the encoder does not have or that
// could name a file. help is what ffmpeg -h says of the encoder.
func checkOptions(ctx context.Context, encoder, help string, options Settings) error {
	if len(options) == 0 {
		return nil
	}
	full, err := ask(ctx, "ffmpeg", "-v", "error", "-h", "full")
	if err != nil {
		return err
	}
	_, generic, _ := strings.Cut(full, "\nAVCodecContext AVOptions:\n")
	generic, _, _ = strings.Cut(generic, "\n\n")
	kinds := map[string]string{} // of options, by name
	for _, m := range declaredOption.FindAllStringSubmatch(generic+"\n"+help, -1) {
		kinds[m[1]] = m[2]
	}
	for _, o := range options {
		kind, known := kinds[o.Key]
		words, list := listOptions[o.Key]
		var err error
		switch {
		case slices.Contains(ffmpegOptions, o.Key):
		case !known:
			err = fmt.Errorf("%s has no option %s: `ffmpeg -h encoder=%s` lists what it takes", encoder, o.Key, encoder)
		case list:
			err = checkList(o, words)
		case o.Key == "flags" && !flagsOnly.MatchString(o.Value), o.Key == "flags" && strings.Contains(o.Value, "pass"):
			err = fmt.Errorf("flags=%s is not taken: give flags by their names (+cgop-psnr), without those of two passes", o.Value)
		case slices.Contains([]string{"string", "dictionary", "binary"}, kind) && !slices.Contains(textOptions, o.Key):
			err = fmt.Errorf("%s is not taken, because it may name a file: leave it out, or pipe the frames into the encoder yourself", o.Key)
		}
		if err != nil {
			return fmt.Errorf("--encoder-options: %w", err)
		}
	}
	return nil
}

var (
	flagsOnly   = regexp.MustCompile(`^[+-]?[a-z_]+([+-][a-z_]+)*$`)
	listSetting = regexp.MustCompile(`^([A-Za-z0-9_-]+)(=[^'\\]*)?$`) // without the quotes that ffmpeg takes out
)

// checkList returns an error for a list of settings with a key that names a file.
func checkList(o Setting, words []string) error {
	for part := range strings.SplitSeq(o.Value, ":") {
		m := listSetting.FindStringSubmatch(part)
		if m == nil {
			return fmt.Errorf(`%s: %q is not KEY=VALUE without quotes and backslashes`, o.Key, part)
		}
		key := strings.ReplaceAll(strings.ToLower(m[1]), "_", "-") // as encoders read it
		for _, word := range slices.Concat(fileWords, words) {
			if strings.Contains(key, word) {
				return fmt.Errorf("%s: %s is not taken, because it may name a file: leave it out, or pipe the frames into the encoder yourself", o.Key, m[1])
			}
		}
	}
	return nil
}
