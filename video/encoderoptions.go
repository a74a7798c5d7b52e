package video

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

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
