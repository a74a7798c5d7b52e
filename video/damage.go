package video

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// startWords are what ffmpeg says where a recording or --start begins between key
// frames: what it cannot decode there is no damage.
var startWords = []string{
	"no frame!", "non-existing PPS", "non-existing SPS", "PPS id out of range", "decode_slice_header error", "missing picture in access unit",
	"Could not find ref with POC", "co located POCs unavailable", "reference picture missing", "Missing reference picture",
	"mmco: unref short failure", "number of reference frames", "Invalid frame dimensions 0x0",
}

// judge tells from the decoder's words, and why it failed if it did, whether the film is
// whole, after so many frames.
func (f *Film) judge(words *tail, failure error, frames int) {
	if sizes := words.sizes; len(sizes) > 1 || f.scaled {
		f.Notes = append(f.Notes, fmt.Sprintf("the picture is of another size than the container says, or of several (%s): all of it is scaled to %d×%d", strings.Join(sizes, ", "), f.W, f.H))
	}
	if failure != nil {
		f.Damage = f.countText(frames) + ": " + failure.Error()
		return
	}
	text := words.String()
	switch {
	case text == "":
	case words.all(startWords):
		f.Notes = append(f.Notes, "what could not be decoded at the beginning, before a key frame, is left out (ffmpeg: "+text+")")
	default:
		f.Damage = f.countText(frames) + ": damaged or cut short (ffmpeg: " + text + ")"
	}
}

// countText says how many frames there were of those that the container promises.
func (f *Film) countText(frames int) string {
	about := "about "
	if f.video.Frames != "" && f.options.Start == 0 && f.options.Duration == 0 {
		about = ""
	}
	switch {
	case f.Count == 0:
		return fmt.Sprintf("%d frames could be read", frames)
	case int64(frames) >= f.Count:
		return fmt.Sprintf("%d frames could be read, not all of them whole", frames)
	}
	return fmt.Sprintf("%d of %s%d frames could be read", frames, about, f.Count)
}

// gaveUp reports a decoder that ended by itself, with an error.
func (p *process) gaveUp() bool {
	const asked = 255 // ffmpeg's exit status after a signal
	var exit *exec.ExitError
	return errors.As(p.err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() != asked
}

// all reports whether every line has one of the words.
func (t *tail) all(words []string) bool {
	return !slices.ContainsFunc(t.lines(), func(line string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) })
	})
}
