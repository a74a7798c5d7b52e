package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseNumbered(t *testing.T) {
	for path, want := range map[string]sequenceName{
		"%d.png":                {width: 0, after: ".png"},
		"frames/%05d.png":       {"frames/", "", ".png", 5},
		"frames/%5d.png":        {"frames/", "", ".png", 5},
		"/a%d/shot_%04d_x.tif":  {"/a%d/", "shot_", "_x.tif", 4},
		"100%%_%d%s%.jpg":       {"", "100%_", "%s%.jpg", 0},
		"%%d%018d.png":          {"", "%d", ".png", 18},
		"f%-3d%d.png":           {"", "f%-3d", ".png", 0},
		"a[1]*/x[2]_?%02d*.png": {"a[1]*/", "x[2]_?", "*.png", 2},
	} {
		if got, ok, err := parseSequenceName(path); got != want || !ok || err != nil {
			t.Errorf("%q: %+v, %v, %v; want %+v", path, got, ok, err, want)
		}
	}
	for _, path := range []string{"", "a.png", "out/%s.png", "%%d.png", "%05d/a.png", "%x", "100%", "%5", "% d"} {
		if got, ok, err := parseSequenceName(path); ok || err != nil {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{"%d%d.png", "%05d_%s_%d.png", "%19d.png", "%99999999999999999999d"} {
		if got, _, err := parseSequenceName(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %+v, %v", path, got, err)
		}
	}
}

func TestNumberedName(t *testing.T) {
	for _, c := range []struct {
		pattern string
		n       int64
		name    string
	}{
		{"%d.png", 0, "0.png"}, {"%d.png", 12, "12.png"},
		{"f/%03d.png", 7, "f/007.png"}, {"f/%03d.png", 1234, "f/1234.png"}, {"f/x%%%d", 5, "f/x%5"},
	} {
		p, _, err := parseSequenceName(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.path(c.n); got != c.name {
			t.Errorf("%s of %d is %s, want %s", c.pattern, c.n, got, c.name)
		}
		if n, ok := p.number(filepath.Base(c.name)); n != c.n || !ok {
			t.Errorf("%s in %s is %d, %v; want %d", c.name, c.pattern, n, ok, c.n)
		}
	}
	p, _, _ := parseSequenceName("a%03da.png")
	for _, base := range []string{"a.png", "aa.png", "a1a.png", "a01a.png", "a0001a.png", "a-01a.png", "a+01a.png", "a001a.jpg", "b001a.png", "a0x1a.png", "a1234567890123456789a.png"} {
		if n, ok := p.number(base); ok {
			t.Errorf("%s holds %d", base, n)
		}
	}
}

func TestNumberedFind(t *testing.T) {
	for _, c := range []struct {
		pattern, files string
		want           []int64
		says           []string
	}{
		{"%d.png", "9.png 8.png 11.png 10.png x.png 09.png 12.jpg", []int64{8, 9, 10, 11}, nil},
		{"%02d.png", "99.png 100.png 1.png", []int64{99, 100}, nil},
		{"%02d.png", "03.png 05.png 09.png", nil, []string{"04.png is missing", "between 03.png and 05.png", "*.png'"}},
		{"%05d.png", "001.png 002.png", nil, []string{"there is", "001.png", "%03d.png'"}},
		{"%05d.png", "12.png", nil, []string{"write", "%d.png'"}},
		{"%05d.png", "x.png", nil, []string{"no such file", "check the name"}},
		{"none/%05d.png", "", nil, []string{"there is no folder", "check the name"}},
	} {
		dir := t.TempDir()
		for _, name := range strings.Fields(c.files) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p, _, err := parseSequenceName(filepath.Join(dir, c.pattern))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.find()
		if !slices.Equal(got, c.want) || (err == nil) != (c.says == nil) {
			t.Errorf("%s among %s: %d, %v", c.pattern, c.files, got, err)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%q should say %q", err, s)
			}
		}
	}
}

func FuzzNumbered(f *testing.F) {
	for _, s := range []string{"frames/%05d.png", "%d", "%%d", "%%%d%%", "a%sb%3d.jpg", "%d%d", "%018d", "%19d", "%", "%5", "/%d/", "0%d0", "x\x00%d"} {
		f.Add(s, int64(7))
	}
	f.Add("%d.png", int64(0))
	f.Add("1%02d1.png", int64(999))
	f.Fuzz(func(t *testing.T, path string, n int64) {
		p, ok, err := parseSequenceName(path)
		if err != nil || !ok {
			return
		}
		if again, ok, err := parseSequenceName(p.String()); again != p || !ok || err != nil {
			t.Fatalf("%q is %+v, written %q, read %+v, %v, %v", path, p, p, again, ok, err)
		}
		n = max(n, -(n+1)) % 1e18 // n ≥ 0, of up to 18 digits
		folder, base := filepath.Split(p.path(n))
		if got, ok := p.number(base); folder != p.folder || got != n || !ok {
			t.Fatalf("%q of %d is %q in %q, of %d, %v", path, n, base, folder, got, ok)
		}
		// What else has this number would be two files for one frame.
		if m, ok := p.number(path); ok && p.path(m) != p.folder+path {
			t.Fatalf("%q has number %d, whose name is %q", path, m, p.path(m))
		}
	})
}

func TestNatural(t *testing.T) {
	want := []string{
		"", "a/2.png", "a/10.png", "b",
		"frame01", "frame1", "frame1a", // one number: bytes decide
		"frame2.png", "frame2_9", "frame2_10", "frame10.png", "frame18446744073709551616", "frame18446744073709551617", "frames",
		"x0", "x00", "x0y", "x1", "é",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, naturalOrder)
	if !slices.Equal(got, want) {
		t.Errorf("order %q\nwant  %q", got, want)
	}
}

func FuzzNatural(f *testing.F) {
	f.Add("frame2.png", "frame10.png", "frame02.png")
	f.Add("a1b", "a01c", "a1")
	f.Add("0", "00", "")
	f.Add("1/2", "1-2", "a\xff9")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if naturalOrder(a, b) != -naturalOrder(b, a) || (naturalOrder(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q: %d one way, %d the other", a, b, naturalOrder(a, b), naturalOrder(b, a))
		}
		if naturalOrder(a, b) <= 0 && naturalOrder(b, c) <= 0 && naturalOrder(a, c) > 0 {
			t.Fatalf("%q ≤ %q ≤ %q, but not the first and the last", a, b, c)
		}
	})
}
