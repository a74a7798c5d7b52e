package pipeline

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"nstfilter/video/coherence"
)

// style is a picture to paint like, and the time of the film from which it holds.
type timedStyle struct {
	file string
	at   time.Duration
}

// parseStyle reads FILE or FILE@TIME. A file that exists by the whole name is that.
func parseStyle(text string, exists func(name string) bool) (timedStyle, error) {
	cut := strings.LastIndexByte(text, '@')
	if cut < 0 || exists(text) {
		return timedStyle{file: text}, nil
	}
	file, clock := text[:cut], text[cut+1:]
	at, err := parseTime(clock)
	switch {
	case err == nil && file != "":
		return timedStyle{file, at}, nil
	case exists(file):
		return timedStyle{}, fmt.Errorf("--style %s: %w", text, err)
	}
	return timedStyle{file: text}, nil // it will be missed by its whole name
}

// longestTime bounds a TIME, so that every sum with it is one.
const longestTime = 1000 * time.Hour

// parseTime reads 90, 90.5, MM:SS or HH:MM:SS with a fraction of a second or
// without; MM and SS are below 60 where something stands before them.
func parseTime(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is not a time: write seconds (90.5), MM:SS or HH:MM:SS, below %.0f hours", text, longestTime.Hours())
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return 0, wrong
	}
	total := 0.0
	for i, part := range parts {
		whole, fraction, _ := strings.Cut(part, ".")
		if i+1 < len(parts) {
			whole, fraction = part, ""
		}
		if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
			return 0, wrong
		}
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || i > 0 && v >= 60 {
			return 0, wrong
		}
		total = 60*total + v
	}
	if total >= longestTime.Seconds() {
		return 0, wrong
	}
	return secondsToDuration(total), nil
}

// arrange reads --style, and lays the styles along the film's time.
func (j *Job) parseStyles(tasks []paintTask) error {
	j.styles = nil
	var from []time.Duration
	for _, text := range j.Style {
		s, err := parseStyle(text, func(name string) bool { _, err := os.Stat(name); return err == nil })
		if err != nil {
			return UsageError{err}
		}
		j.styles, from = append(j.styles, s), append(from, s.at)
	}
	for i, s := range j.styles {
		for _, t := range tasks {
			if s.at > 0 && t.photo() {
				return usageError("--style %s: %s is a photo and has no time: leave @TIME out, and --style-blend-weights blends several", j.Style[i], t.in)
			}
		}
	}
	var err error
	if j.timeline, err = coherence.NewTimeline(from, j.Filter.StyleBlendWeights, j.Coherence.StyleFade); err != nil {
		return usageError("--style: %v", err)
	}
	return nil
}

// earlier is what to do with --style to paint what is left of a film after a time.
func (j *Job) shiftStylesText(after time.Duration) string {
	if !j.timeline.Changes() {
		return ""
	}
	return fmt.Sprintf(" (with each @TIME of --style earlier by %.3f s)", after.Seconds())
}
