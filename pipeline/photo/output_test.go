package photo

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseOutput(t *testing.T) {
	for _, c := range []struct{ arg, path, options string }{
		{"out/x.jpg[Q=90]", "out/x.jpg", "Q=90"},
		{"out/x.jpg[Q=90,strip]", "out/x.jpg", "Q=90,strip"},
		{"x.png", "x.png", ""},
		{"x.png[]", "x.png", ""},
		{"a[1].png", "a[1].png", ""},
		{"a[1].png[strip]", "a[1].png", "strip"},
	} {
		o, err := ParseOutput(c.arg)
		if err != nil || o.Path != c.path || o.Options != c.options {
			t.Errorf("%q: %q, %q, %v", c.arg, o.Path, o.Options, err)
		}
	}
	for _, arg := range []string{"", "[Q=90]", "x.jpg]", "x.jpg[Q=90,]", "x.jpg[=1]", "x.jpg[Q=1,Q=2]", "x\x00.jpg"} {
		if o, err := ParseOutput(arg); err == nil {
			t.Errorf("%q: no error: %q, %q", arg, o.Path, o.Options)
		}
	}
}

func parsed(t *testing.T, text string) Output {
	t.Helper()
	o, err := ParseOutput(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutputPathFor(t *testing.T) {
	for _, c := range []struct{ pattern, input, want string }{
		{"out/%s_painted.jpg[Q=90]", "in/cat.png", "out/cat_painted.jpg"},
		{"%s/%s.png", "cat.tar.png", "cat.tar/cat.tar.png"},
		{"all.png", "in/cat.png", "all.png"},
		{"%s.tif", "a%s[1].png", "a%s[1].tif"},
	} {
		got, err := parsed(t, c.pattern).PathFor(c.input)
		if err != nil || got != c.want {
			t.Errorf("%q, %q: %q, %v; want %q", c.pattern, c.input, got, err, c.want)
		}
	}
	for _, pattern := range []string{"out/%s", "%s.mkv", "%s.jpg[Q"} {
		if _, err := parsed(t, pattern).PathFor("cat.png"); err == nil || !strings.Contains(err.Error(), ".jpg") {
			t.Errorf("%q: %v should list the extensions", pattern, err)
		}
	}
}

func TestNamesFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("there", 0o755); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]bool{"there": true, "there/": true, "new/": true, "new": false, "there/%s.png": false} {
		if got := parsed(t, arg).NamesFolder(); got != want {
			t.Errorf("%q names a folder: %t", arg, got)
		}
	}
	for _, arg := range []string{"there[Q=9]", "new/[Q=9]"} {
		if _, err := ParseOutput(arg); err == nil || !strings.Contains(err.Error(), "%s.jpg[Q=9]") {
			t.Errorf("%q: %v should name a format", arg, err)
		}
	}
}

func TestResultName(t *testing.T) {
	for in, want := range map[string]string{"a/b.png": "b.png", "a/b.JPG": "b.JPG", "b.ppm": "b.png", "b.exr": "b.png", "b.gif": "b.png", "a.x/b": "b.png"} {
		if got := ResultName(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestIsPhoto(t *testing.T) {
	for path, want := range map[string]bool{"a.JPG": true, "b.avif": true, "a.gif": false, "a.mp4": false, "jpg": false, "": false} {
		if IsPhoto(path) != want {
			t.Errorf("IsPhoto(%q) is not %v", path, want)
		}
	}
	if e := Extensions(); !slices.Contains(e, ".jpeg") || slices.Contains(e, ".gif") {
		t.Errorf("Extensions: %v", e)
	}
}

func FuzzParseOutput(f *testing.F) {
	for _, s := range []string{"out/x.jpg[Q=90,strip]", "x.png", "a[1].png", "[]", "]", "a.jpg[[Q=1]", "%s.tif[a=b=c, d]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		o, err := ParseOutput(arg)
		if err != nil {
			return
		}
		if o.Path == "" || arg != o.Path && arg != o.Path+"["+o.Options+"]" {
			t.Fatalf("%q became %q and %q", arg, o.Path, o.Options)
		}
		if path, err := o.PathFor("in/cat.png"); err == nil && !strings.Contains(arg, "%s") && path != o.Path {
			t.Fatalf("%q became %q", arg, path)
		}
	})
}

func FuzzOptions(f *testing.F) {
	for _, s := range []string{"Q=90,strip", "", " ", ",", "Q", "Q=90,interlace=true", "=1", "optimize_coding"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseOptions(text)
		if err != nil {
			return
		}
		var again []string
		for _, o := range all {
			if o.value == "" {
				again = append(again, o.name)
			} else {
				again = append(again, o.name+"="+o.value)
			}
		}
		same, err := parseOptions(strings.Join(again, ","))
		if err != nil || !slices.Equal(same, all) {
			t.Fatalf("%q: %v, then %v, %v", text, all, same, err)
		}
	})
}
