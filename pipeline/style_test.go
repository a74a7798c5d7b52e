package pipeline

import (
	"strings"
	"testing"
	"time"

	"nstfilter/video"
)

func TestParseStyle(t *testing.T) {
	files := map[string]bool{"a.jpg": true, "b@90": true, "b@90.jpg": true, "d@1/e.jpg": true}
	exists := func(name string) bool { return files[name] }
	for text, want := range map[string]timedStyle{
		"a.jpg":               {"a.jpg", 0},
		"a.jpg@0":             {"a.jpg", 0},
		"a.jpg@90":            {"a.jpg", 90 * time.Second},
		"a.jpg@90.5":          {"a.jpg", 90*time.Second + 500*time.Millisecond},
		"a.jpg@1:30":          {"a.jpg", 90 * time.Second},
		"a.jpg@00:01:30":      {"a.jpg", 90 * time.Second},
		"a.jpg@2:01:30.25":    {"a.jpg", 2*time.Hour + 90*time.Second + 250*time.Millisecond},
		"a.jpg@90:00":         {"a.jpg", 90 * time.Minute},
		"b@90":                {"b@90", 0}, // a file of this name
		"b@90@7":              {"b@90", 7 * time.Second},
		"b@90.jpg":            {"b@90.jpg", 0},
		"d@1/e.jpg":           {"d@1/e.jpg", 0},
		"missing.jpg@3":       {"missing.jpg", 3 * time.Second},
		"missing@home.jpg":    {"missing@home.jpg", 0},
		"@5":                  {"@5", 0},
		"missing.jpg@1:2:3:4": {"missing.jpg@1:2:3:4", 0},
	} {
		if got, err := parseStyle(text, exists); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, clock := range []string{"", "soon", "-1", "+1", "1e3", "inf", "NaN", "0x10", "1:60", "1:99:00", "1:2:3:4", "1.5:00", ":30", "1:", ".5", "1_0", "1.2.3", "1001:00:00", strings.Repeat("9", 400)} {
		if got, err := parseStyle("a.jpg@"+clock, exists); err == nil || !strings.Contains(err.Error(), "write 90, 1:30") {
			t.Errorf("@%s: %v, %v; want an error that says how to write it", clock, got, err)
		}
	}
}

func FuzzParseStyle(f *testing.F) {
	for _, seed := range []string{"a.jpg", "a.jpg@0", "a.jpg@90.5", "a.jpg@1:30", "a@b@00:01:30.25", "@5", "a@", "a@1:2:3:4", "a@1e3", "a@-1", "a@59.9999999999999999", "a@999:59:59.9999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStyle(text, func(string) bool { return false })
		if err != nil {
			t.Fatalf("%q: %v, though it may be a file's name", text, err)
		}
		if s.at < 0 || s.at > 1000*time.Hour {
			t.Errorf("%q begins at %v", text, s.at)
		}
		if !strings.HasPrefix(text, s.file) || s.file == "" && text != "" {
			t.Errorf("%q is file %q", text, s.file)
		}
		if rest := strings.TrimPrefix(text, s.file); rest != "" {
			var at video.Clock
			err := at.UnmarshalText([]byte(rest[1:]))
			if rest[0] != '@' || err != nil || time.Duration(at) != s.at {
				t.Errorf("%q: %q and %v", text, s.file, s.at)
			}
		}
		if whole, err := parseStyle(text, func(name string) bool { return name == text }); err != nil || whole.file != text || whole.at != 0 {
			t.Errorf("%q exists, but is taken for %v, %v", text, whole, err)
		}
	})
}
