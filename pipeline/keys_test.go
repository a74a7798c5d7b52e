package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseKeys(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("k", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "b=c.png", "k/00010.png", "k/00002.png", "k/00123.png", "k/sheet.png"} {
		if err := os.WriteFile(filepath.FromSlash(name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := parseKeys([]string{"12.5=a.png", "1:30=b=c.png", "k/%05d.png"})
	want := []keyFile{
		{path: "a.png", at: 12500 * time.Millisecond, atTime: true}, {path: "b=c.png", at: 90 * time.Second, atTime: true},
		{path: "k/00002.png", number: 2}, {path: "k/00010.png", number: 10}, {path: "k/00123.png", number: 123},
	}
	if err != nil || len(keys) != len(want) {
		t.Fatalf("%v, %v", keys, err)
	}
	for i := range keys {
		if keys[i] != want[i] {
			t.Errorf("%v, want %v", keys[i], want[i])
		}
	}
	for text, says := range map[string]string{"a.png": "say which frame", "5=none.png": "check the name", "k/%03d.jpg": "no such file", "%d%d.png": "two numbers", "soon=a.png": "say which frame"} {
		if _, err := parseKeys([]string{text}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", text, err, says)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	for _, seed := range []string{"12.5=a.png", "k/%05d.png", "=", "0=", "1:2:3=x=y", "%d=5", "5=%d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := parseKeys([]string{text})
		if err == nil && len(keys) == 0 {
			t.Errorf("%q: no key and no error", text)
		}
		for _, k := range keys {
			if k.at < 0 || k.number < 0 || !strings.Contains(text, "%") && !strings.HasSuffix(text, k.path) {
				t.Errorf("%q: %+v", text, k)
			}
		}
	})
}

// A time is that of the frame nearest to it.
func TestKeyIsOfTheNearestFrame(t *testing.T) {
	second := keyFile{at: time.Second, atTime: true}
	for at, want := range map[time.Duration]int64{0: 10, 940 * time.Millisecond: 1, 960 * time.Millisecond: 0, 1040 * time.Millisecond: 0, 1060 * time.Millisecond: -1, 1050 * time.Millisecond: 0, 950 * time.Millisecond: 1} {
		if got := second.ahead(framePlace{at: at, interval: 100 * time.Millisecond}); got != want {
			t.Errorf("at %v the key of 1 s is %d frames ahead, want %d", at, got, want)
		}
	}
	if got := (&keyFile{number: 7}).ahead(framePlace{number: 3}); got != 4 {
		t.Errorf("frame 7 is %d ahead of frame 3", got)
	}
}
