package main

import (
	"strings"
	"testing"
)

func TestBuiltinPresets(t *testing.T) {
	for name := range builtinPresets {
		if _, err := loadPreset(name); err != nil {
			t.Error(err)
		}
	}
}

// FuzzPreset: any file ends in an error that names it or in values of known settings that
// kong can read.
func FuzzPreset(f *testing.F) {
	for _, seed := range []string{`{"iterations": "100,30", "tv-weight": 50}`, `{"style": ["a.jpg", "b.jpg@1:30"], "no-style-colors": true}`,
		`{"iteration": 1}`, `{"size": null}`, `{"size": {"a": 1}}`, `{} {}`, `[]`, `null`, ``, `{"size": 1e999}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		preset, err := parsePreset("p.json", []byte(text))
		if err != nil {
			if !strings.Contains(err.Error(), "--preset p.json") {
				t.Errorf("error %v", err)
			}
			return
		}
		for name, v := range preset {
			switch v.(type) {
			case bool, string, []any:
			default:
				t.Errorf("%s is %T", name, v)
			}
		}
	})
}
