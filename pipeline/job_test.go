package pipeline

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/pipeline/sandbox"
	"nstfilter/video"
)

// ownMemory is an engine with memory of its own, as GPUs have.
type ownMemory struct{ engine.Engine }

func (ownMemory) FreeMemory() int64 { return 1 << 30 }

// The sandbox opens what a job names, what that links to, and no more.
func TestAccess(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"frames", "far", "out", "flows", "tmp"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"frames/1.png", "far/2.png", "far/o.png", "s.jpg", "a.jpg", "b.jpg"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("../far/2.png", "frames/2.png"), os.Symlink("../far/o.png", "out/a.png")); err != nil {
		t.Fatal(err)
	}
	plain, gpu := []engine.Engine{enginetest.Reference{}}, []engine.Engine{enginetest.Reference{}, ownMemory{enginetest.Reference{}}}
	for _, c := range []struct {
		name        string
		inputs      []string
		output      string
		change      func(*Job)
		opened      []engine.Engine
		read, write string
		gpu         bool
	}{
		{"a pipe", nil, "", nil, plain, "s.jpg", "tmp", false},
		{"photos", []string{"a.jpg", "b.jpg"}, "out/%s.jpg", nil, plain, "s.jpg a.jpg b.jpg", "tmp out", false},
		{"in place of what a link leads to", []string{"a.jpg", "out/a.png"}, "", nil, plain, "s.jpg a.jpg", "tmp out far", false},
		{"a film", []string{"f.mkv", "out/f.mkv"}, "", func(j *Job) {
			j.Filter.Init, j.Weights, j.Coherence.FlowFrom = "image:a.jpg", "w.safetensors", "flows"
		}, plain, "w.safetensors a.jpg s.jpg flows f.mkv", "tmp out", false},
		{"a sequence with a link", []string{"frames/%d.png", "far/%03d.png"}, "", nil, plain, "s.jpg frames far", "tmp far", false},
		{"on a GPU", nil, "", nil, gpu, "s.jpg", "tmp", true},
		{"decoded on one", []string{"f.mkv", "f.mp4"}, "", func(j *Job) { j.Video.HWAccel = "vaapi" }, plain, "s.jpg f.mkv", "tmp .", true},
		{"encoded on one", []string{"f.mkv", "f.mp4"}, "", func(j *Job) { j.Video.Encoder = "h264_nvenc" }, plain, "s.jpg f.mkv", "tmp .", true},
	} {
		j := &Job{Options: DefaultOptions(), Filter: filter.DefaultOptions(), Video: video.DefaultOptions(), TempDir: "tmp"}
		j.Style = []string{"s.jpg@0"}
		if c.change != nil {
			c.change(j)
		}
		tasks, _, err := parseInputs(c.inputs, c.output, false)
		if err != nil {
			t.Fatal(err)
		}
		a := j.access(tasks, c.opened)
		if r, w, film := strings.Join(a.Read, " "), strings.Join(a.Write, " "), strings.Contains(c.read, ".mkv"); r != c.read || w != c.write || a.GPU != c.gpu || a.Film != film {
			t.Errorf("%s: reads %q, writes %q, GPU %t, film %t, want %q, %q, %t, %t", c.name, r, w, a.GPU, a.Film, c.read, c.write, c.gpu, film)
		}
	}
}

// Nothing is decoded before the process is confined, nor if it cannot be.
func TestConfinedFirst(t *testing.T) {
	j := batch(t, 1, enginetest.Reference{})
	j.Verbose = true
	j.Confine = func(a sandbox.Access) (string, error) {
		if !slices.Contains(a.Read, "p0.png") || !slices.Contains(a.Write, "out") {
			t.Errorf("%+v", a)
		}
		return "is closed", os.Remove("style.png")
	}
	if err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "style.png: no such file") {
		t.Errorf("error %v, want that the style is gone", err)
	}
	if !strings.Contains(said(t), "sandbox is closed") {
		t.Errorf("it says %q", said(t))
	}

	j = batch(t, 1, enginetest.Reference{})
	j.Confine = func(sandbox.Access) (string, error) { return "", errors.New("too deep") }
	if err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "too deep: --no-sandbox") {
		t.Errorf("error %v, want the sandbox's", err)
	}
	j.NoSandbox, j.Overwrite = true, true
	if err := j.Run(t.Context()); err != nil {
		t.Error(err)
	}
}
