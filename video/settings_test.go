package video

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	var s Settings
	const text = `crf=20:x265-params=aq-mode=3\:no-sao=1:stats=C\:\\a b`
	if err := s.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	want := Settings{{"crf", "20"}, {"x265-params", "aq-mode=3:no-sao=1"}, {"stats", `C:\a b`}}
	if !slices.Equal(s, want) {
		t.Errorf("%q", s)
	}
	if back, _ := s.MarshalText(); string(back) != text {
		t.Errorf("written %s", back)
	}
	for text, want := range map[string]string{"crf": "not KEY=VALUE", "crf=": "not KEY=VALUE", "=3": "not KEY=VALUE", "a=1:": "not KEY=VALUE", "-i=x": "not KEY=VALUE", "a=1:a=2": "a is given twice"} {
		if err := s.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "1:30": 90 * time.Second, "00:01:30.5": 90500 * time.Millisecond, "0.25": 250 * time.Millisecond,
		"2:00:00": 2 * time.Hour, "0": 0, "0.000001": time.Microsecond,
	} {
		var c, back Clock
		if err := c.UnmarshalText([]byte(text)); err != nil || time.Duration(c) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(c), err)
		}
		if b, _ := c.MarshalText(); len(b) > 0 {
			if err := back.UnmarshalText(b); err != nil || back != c {
				t.Errorf("%s written %s", text, b)
			}
		}
	}
	for _, text := range []string{"", "soon", "-1", "1:60", "1:2:3:4", "1:-2", "1e3", "0.1234567", "0.5.5", "99999999999", ":30"} {
		var c Clock
		if err := c.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "is not a time: write 90") {
			t.Errorf("%s: %v, %v", text, time.Duration(c), err)
		}
	}
}

// FuzzSettings: what is read is written so that it is read as the same.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{"", "crf=20:preset=slow", `x265-params=aq-mode=3\:no-sao=1:stats=C\:\\a b`, "a=1:a=2", `a=\`, "a==:b=:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, back Settings
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, _ := s.MarshalText()
		if err := back.UnmarshalText(written); err != nil || !slices.Equal(s, back) {
			t.Errorf("%q is read as %q, written as %q, read as %q: %v", text, s, written, back, err)
		}
	})
}

// FuzzClock: a time is from 0 to below longestClock, and written so that it is read as the
// same.
func FuzzClock(f *testing.F) {
	for _, seed := range []string{"", "90", "1:30", "00:01:30.5", "999:59:59.999999", "-1", "1:60", "0.0000001", "1e3", "::", "18446744073709551615:0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var c, back Clock
		if c.UnmarshalText([]byte(text)) != nil {
			return
		}
		if c < 0 || time.Duration(c) >= longestClock {
			t.Errorf("%q is %v", text, time.Duration(c))
		}
		if written, _ := c.MarshalText(); len(written) > 0 {
			if err := back.UnmarshalText(written); err != nil || back != c {
				t.Errorf("%q is %v, written %s, read as %v: %v", text, c, written, back, err)
			}
		}
	})
}
