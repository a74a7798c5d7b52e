package pipeline

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"nstfilter/video/coherence"
)

// timedStyle is a style picture and the time of the film from which it holds.
type timedStyle struct {
	file string
	at   time.Duration
}

// parseStyle reads FILE or FILE@TIME. If a file has the whole text as its name, it is
// that file.
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
	return timedStyle{file: text}, nil // reading it fails, and names the whole text
}

// longestTime bounds a TIME, so that sums with it do not overflow.
const longestTime = 1000 * time.Hour

// parseTime reads SS, MM:SS or HH:MM:SS, with or without a fraction of a second. Below
// the leading unit each number must be less than 60.
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

// styleTimeline is the styles of --style, and their shares over the film's time.
type styleTimeline struct {
	*coherence.Timeline
	styles []timedStyle
}

// newStyleTimeline reads each --style of a job. A photo has no time, so that a style with a
// time is an error if one of the tasks is a photo.
func newStyleTimeline(texts []string, weights []float64, fade time.Duration, tasks []paintTask) (*styleTimeline, error) {
	t := &styleTimeline{}
	var from []time.Duration
	for _, text := range texts {
		s, err := parseStyle(text, func(name string) bool { _, err := os.Stat(name); return err == nil })
		if err != nil {
			return nil, UsageError{err}
		}
		t.styles, from = append(t.styles, s), append(from, s.at)
	}
	for i, s := range t.styles {
		for _, task := range tasks {
			if s.at > 0 && task.isPhoto() {
				return nil, usageError("--style %s: %s is a photo and has no time: leave @TIME out, and --style-blend-weights blends several", texts[i], task.in)
			}
		}
	}
	var err error
	if t.Timeline, err = coherence.NewTimeline(from, weights, fade); err != nil {
		return nil, usageError("--style: %v", err)
	}
	return t, nil
}

// shiftText says how to change --style to paint the rest of a film after a time. It
// returns "" if the styles do not change.
func (t *styleTimeline) shiftText(after time.Duration) string {
	if !t.Changes() {
		return ""
	}
	return fmt.Sprintf(" (with each @TIME of --style earlier by %.3f s)", after.Seconds())
}
