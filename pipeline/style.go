package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"nstfilter/pipeline/photo"
	"nstfilter/video"
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
	var at video.Clock
	err := at.UnmarshalText([]byte(clock))
	switch {
	case err == nil && file != "":
		return timedStyle{file, time.Duration(at)}, nil
	case exists(file):
		return timedStyle{}, fmt.Errorf("--style %s: %w", text, err)
	}
	return timedStyle{file: text}, nil // reading it fails, and names the whole text
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
		s, err := parseStyle(text, fileExists)
		if err != nil {
			return nil, UsageError{err}
		}
		t.styles, from = append(t.styles, s), append(from, s.at)
	}
	for i, s := range t.styles {
		for _, task := range tasks {
			if s.at > 0 && task.isPhoto() {
				return nil, UsageErrorf("--style %s: %s is a photo and has no time: leave @TIME out, and --style-blend-weights blends several", texts[i], task.in)
			}
		}
	}
	if len(t.styles) == 0 { // the keys are the styles
		t.Timeline = &coherence.Timeline{}
		return t, nil
	}
	var err error
	if t.Timeline, err = coherence.NewTimeline(from, weights, fade); err != nil {
		return nil, UsageErrorf("--style: %v", err)
	}
	return t, nil
}

// checkFiles reports a style that is no file, before the sandbox hides what else is in its
// folder.
func (t *styleTimeline) checkFiles() error {
	for _, s := range t.styles {
		if fileExists(s.file) {
			continue
		}
		if all := strings.Split(s.file, ","); len(all) > 1 && !slices.ContainsFunc(all, func(f string) bool { return !fileExists(f) }) {
			return UsageErrorf("--style %s: no such file: give each style by itself: --style %s", s.file, strings.Join(all, " --style "))
		}
		if _, err := os.Lstat(s.file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--style %w", photo.NoSuchFile(s.file))
		}
	}
	return nil
}

// shiftText says how to change --style to paint the rest of a film after a time. It
// returns "" if the styles do not change.
func (t *styleTimeline) shiftText(after time.Duration) string {
	if !t.Changes() {
		return ""
	}
	return fmt.Sprintf(" (with each @TIME of --style earlier by %.3f s)", after.Seconds())
}
