package video

import (
	"fmt"
	"regexp"
	"strings"
)

// Settings are an encoder's own options, written crf=20:preset=slow.
type Settings []Setting

// Setting is one of an encoder's options, by ffmpeg's name of it.
type Setting struct{ Key, Value string }

var settingKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// UnmarshalText reads key=value with colons between; a colon or backslash in a
// value has a backslash before it.
func (s *Settings) UnmarshalText(b []byte) error {
	*s = nil
	if len(b) == 0 {
		return nil
	}
	for _, part := range splitEscaped(string(b)) {
		key, value, found := strings.Cut(part, "=")
		if !found || !settingKey.MatchString(key) || value == "" {
			return fmt.Errorf(`%q is not KEY=VALUE: write crf=20:preset=slow, and \: for a colon in a value`, part)
		}
		if _, twice := s.get(key); twice {
			return fmt.Errorf("%s is given twice", key)
		}
		*s = append(*s, Setting{key, value})
	}
	return nil
}

// splitEscaped cuts at colons, but for those behind a backslash, and takes the
// backslashes out.
func splitEscaped(text string) (parts []string) {
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == ':' || text[i+1] == '\\'):
			i++
			part.WriteByte(text[i])
		case text[i] == ':':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(parts, part.String())
}

// MarshalText writes what UnmarshalText reads.
func (s Settings) MarshalText() ([]byte, error) {
	var parts []string
	for _, o := range s {
		parts = append(parts, o.Key+"="+strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(o.Value))
	}
	return []byte(strings.Join(parts, ":")), nil
}

func (s Settings) get(key string) (value string, ok bool) {
	for _, o := range s {
		if o.Key == key {
			return o.Value, true
		}
	}
	return "", false
}
