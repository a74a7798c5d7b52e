package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/pipeline/photo"
)

// inFolder makes a folder of empty files the working one.
func inFolder(t *testing.T, files string) {
	t.Chdir(t.TempDir())
	for _, name := range strings.Fields(files) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseSequences(t *testing.T) {
	inFolder(t, "f/8.png f/9.png f/10.png f/.9.partial.png g/a2.png g/a10.png g/a10.jpg h/8.png n/x.png n/x.txt b/x[1].png b/100%d.png c/1.mkv in.mkv out/z")
	if err := os.Symlink("f", "link"); err != nil {
		t.Log(err)
	}
	for _, c := range []struct {
		inputs, output string
		want           string // IN>OUT of pictures, IN of others
	}{
		{"f/%d.png", "out/%03d.png", "f/8.png>out/008.png f/9.png>out/009.png f/10.png>out/010.png"},
		{"f/*.png", "out/%03d.jpg[Q=90]", "f/8.png>out/001.jpg f/9.png>out/002.jpg f/10.png>out/003.jpg"},
		{"f/%d.png", "out/%s_x.png", "f/8.png>out/8_x.png f/9.png>out/9_x.png f/10.png>out/10_x.png"},
		{"g/a*.png", "out/100%%_%d.png", "g/a2.png>out/100%_1.png g/a10.png>out/100%_2.png"},
		{"f/[89].png", "f/%s_x.png", "f/8.png>f/8_x.png f/9.png>f/9_x.png"},
		{"f/%d.png g/a?.png", "out/%s.png", "f/8.png>out/8.png f/9.png>out/9.png f/10.png>out/10.png g/a2.png>out/a2.png"},
		{"f/%d.png n/x.png", "out/%s.png", "f/8.png>out/8.png f/9.png>out/9.png f/10.png>out/10.png n/x.png"},
		// Files that are there are themselves.
		{"b/x[1].png", "out/y.png", "b/x[1].png"},
		{"b/100%d.png", "out/y.png", "b/100%d.png"},
		// Films become pictures, and pictures films.
		{"in.mkv", "out/%05d.png", "in.mkv to out/%05d.png"},
		{"in.mkv", "out/100%%_%s_%d.png", "in.mkv to out/100%%_in_%d.png"},
		{"h/%d.png", "out.mkv", "h/8.png>"},
	} {
		tasks, _, err := parseInputs(strings.Fields(c.inputs), c.output, false)
		if err != nil {
			t.Errorf("%s to %s: %v", c.inputs, c.output, err)
			continue
		}
		var got []string
		for _, task := range tasks {
			for _, p := range task.sequence {
				got = append(got, p.in+">"+p.out)
			}
			if task.sequence == nil && task.pattern != "" {
				got = append(got, task.in+" to "+task.pattern)
			} else if task.sequence == nil {
				got = append(got, task.in)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s to %s: %s\nwant %s", c.inputs, c.output, got, c.want)
		}
	}
	for _, c := range []struct{ inputs, output, says string }{
		{"f/%d.png", "out/x.png", "names 3 pictures, out/x.png is one"},
		{"f/%d.png", "out%d/x.png", "names 3 pictures"},
		{"f/%d.png", "out/%s_%d.png", "not both"},
		{"f/%d.png", "out/%d_%d.png", "two numbers"},
		{"f/%d.png", "out/%d.xyz", "unknown extension"},
		{"f/%d.png", "out/%d.png[Q=]", "Q="},
		{"f/%d.png", "out/%s.mkv", "name the film that 3 pictures become, without %s"},
		{"f/%d%d.png", "out/%d.png", "two numbers"},
		{"f/%d.png", "f/%s.png", "f/8.png would be written over"},
		{"f/%d.png", "./f/../f/%d.png", "f/8.png would be written over"},
		{"f/%d.png", "link/%d.png", "f/8.png would be written over"},
		{"f/%d.png", "f/%02d.png", "f/10.png would be written over"},
		{"g/*", "out/%s.png", "g/a10.jpg and g/a10.png would both become out/a10.png"},
		{"f/%d.png h/%d.png", "out/%d.png", "f/8.png and h/8.png would both become out/8.png"},
		{"f/%d.png h/8.png", "out/%s.png", "f/8.png and h/8.png would both become out/8.png"},
		{"c/%d.mkv", "out/%d.png", "no picture by its extension"},
		{"c/*", "out/%d.png", "c/1.mkv is no picture by its extension"},
		{"n/*", "out/%d.png", "n/x.txt is no picture by its extension"},
		{"f/*.tif", "out/%d.png", "f/*.tif: no such file, and as a glob it matches none"},
		{"f/[.png", "out/%d.png", "not closed"},
		{"none/%d.png", "out/%d.png", "no folder none"},
		{"f/8.png f/9.png", "out/%d.png", "by a glob in quotes, 'f/*.png'"},
		{"in.mkv", "out/%d_%d.png", "two numbers"},
	} {
		if _, _, err := parseInputs(strings.Fields(c.inputs), c.output, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s to %s: %v should say %q", c.inputs, c.output, err, c.says)
		}
	}
}

func TestCheckSequence(t *testing.T) {
	inFolder(t, "out/2.png out/3.png file")
	to := func(names ...string) (t paintTask) {
		t.pattern = filepath.Join(filepath.Dir(names[0]), "%d.png")
		for _, name := range names {
			t.sequence = append(t.sequence, sequencePicture{out: name})
		}
		return t
	}
	for _, c := range []struct {
		task      paintTask
		overwrite bool
		says      string
	}{
		{to("out/1.png", "out/4.png"), false, "<nil>"},
		{to("out/1.png", "out/2.png"), true, "<nil>"},
		{to("out/1.png", "out/2.png", "out/3.png"), false, "out/2.png exists (2 of 3 results do): add -y"},
		{to("out/1.png", "none/1.png"), true, "there is no folder none: make it first"},
		{to("file/1.png"), true, "there is no folder file"},
	} {
		if err := c.task.check(c.overwrite); !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%v: %v should say %q", c.task, err, c.says)
		}
	}
	if left, _ := filepath.Glob("out/.*"); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestSequenceSource(t *testing.T) {
	t.Chdir(t.TempDir())
	var all []sequencePicture
	for i, w := range []int{20, 20, 24, 20} {
		f := filter.NewFrame(w, 18)
		f.Pix[0] = 1
		f.Alpha = make([]float32, w*18)
		f.Alpha[0], f.Alpha[i] = 1, 1
		name := fmt.Sprintf("%d.png", i)
		if err := photo.Write(name, "", f); err != nil {
			t.Fatal(err)
		}
		all = append(all, sequencePicture{int64(i), name, "out" + name})
	}
	var got []int
	var last error
	for f, err := range (sequenceSource{pictures: all, read: photo.ReadIf, check: anySize}).Frames(t.Context()) {
		if last = err; err == nil {
			got = append(got, f.Index)
			if f.Alpha[f.Index] != 1 || f.Alpha[2] != 0 {
				t.Errorf("frame %d is another's", f.Index)
			}
			if err := (sequenceSink{task: paintTask{sequence: all}, ledger: newLedger("", nil, silentReporter{})}).WriteFrame(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(got, []int{0, 1}) {
		t.Errorf("frames %d before one of another size", got)
	}
	for _, s := range []string{"2.png is 24×18", "0.png is 20×18", "scale it to 20×18"} {
		if !strings.Contains(fmt.Sprint(last), s) {
			t.Errorf("%v should say %q", last, s)
		}
	}
	for i := range 2 {
		in, err := photo.Read(all[i].in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := photo.Read(all[i].out)
		if err != nil || !slices.Equal(in.Pix, out.Pix) || !slices.Equal(in.Alpha, out.Alpha) {
			t.Errorf("%s is not %s: %v", all[i].out, all[i].in, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for f, err := range (sequenceSource{pictures: all, read: photo.ReadIf, check: anySize}).Frames(ctx) {
		if f != nil || err != context.Canceled {
			t.Errorf("after the end: %v, %v", f, err)
		}
	}
}

func anySize(int, int) error { return nil }
